// The properties that OpenFst's headers have bits for (fst/properties.h).

#pragma once

#include <cstdint>

namespace kaldi_bridge {

namespace fst_property {

enum {
  kAcceptor,
  kInputDeterministic,
  kOutputDeterministic,
  kEpsilons,
  kInputEpsilons,
  kOutputEpsilons,
  kInputSorted,
  kOutputSorted,
  kWeighted,
  kCyclic,
  kInitialCyclic,
  kTopSorted,
  kAccessible,
  kCoaccessible,
  kString,
  kWeightedCycles
};

// A property has two bits: that it holds, and that it does not. Neither: unknown.
constexpr uint64_t yes(int property) { return uint64_t{1} << (16 + 2 * property); }
constexpr uint64_t no(int property) { return yes(property) << 1; }

constexpr uint64_t kExpandedAndMutable = 3;
constexpr uint64_t kNoEpsilons = no(kEpsilons) | no(kInputEpsilons) | no(kOutputEpsilons);

}  // namespace fst_property

}  // namespace kaldi_bridge
