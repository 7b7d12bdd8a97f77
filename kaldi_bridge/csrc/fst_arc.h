// An arc of a transducer, as in OpenFst's files and kaldi_bridge.fsts.fst.ARC.

#pragma once

#include <cstdint>

namespace kaldi_bridge {

template <class Weight>
struct WeightedArc {
  int32_t ilabel, olabel;
  Weight weight;
  int32_t nextstate;
};

using FstArc = WeightedArc<float>;

}  // namespace kaldi_bridge
