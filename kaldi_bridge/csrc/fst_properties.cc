#include "fst_properties.h"

#include <limits>

#include "fst_property_bits.h"

namespace kaldi_bridge {
namespace {

using namespace fst_property;

constexpr uint64_t both(int property) { return yes(property) | no(property); }

constexpr uint64_t kOfLabels = both(kAcceptor) | both(kEpsilons) | both(kInputEpsilons) | both(kOutputEpsilons);
constexpr uint64_t kDeterministic = both(kInputDeterministic) | both(kOutputDeterministic);
constexpr uint64_t kSorted = both(kInputSorted) | both(kOutputSorted);
constexpr uint64_t kOfCycles = both(kCyclic) | both(kWeightedCycles);
constexpr uint64_t kCommon = kExpandedAndMutable | kOfLabels | kDeterministic;

constexpr uint64_t kKeptByStart =
    kCommon | kSorted | both(kWeighted) | kOfCycles | both(kTopSorted) | both(kCoaccessible);
constexpr uint64_t kKeptByFinal = kCommon | kSorted | both(kWeighted) | kOfCycles | both(kInitialCyclic) |
                                  both(kTopSorted) | both(kAccessible);
constexpr uint64_t kKeptByState = kCommon | kSorted | both(kWeighted) | kOfCycles | both(kInitialCyclic) |
                                  both(kTopSorted) | no(kAccessible) | no(kCoaccessible) | no(kString);
constexpr uint64_t kKeptByArc = kExpandedAndMutable | kOfLabels | no(kInputDeterministic) | no(kOutputDeterministic) |
                                kSorted | both(kWeighted) | yes(kCyclic) | yes(kInitialCyclic) | both(kTopSorted) |
                                yes(kAccessible) | yes(kCoaccessible) | yes(kWeightedCycles);
constexpr uint64_t kKeptByChange = kExpandedAndMutable | kOfLabels | both(kWeighted);
constexpr uint64_t kKeptByDeletion =
    kExpandedAndMutable | yes(kAcceptor) | yes(kInputDeterministic) | yes(kOutputDeterministic) | kNoEpsilons |
    yes(kInputSorted) | yes(kOutputSorted) | no(kWeighted) | no(kCyclic) | no(kInitialCyclic) | yes(kTopSorted) |
    no(kWeightedCycles);

bool costs(float cost) { return cost != 0.0f && cost != std::numeric_limits<float>::infinity(); }

// `bits` once it is known that the property does, or does not, hold.
uint64_t with(uint64_t bits, uint64_t known, int property) { return (bits & ~both(property)) | known; }

uint64_t with_labels(uint64_t bits, const FstArc &arc) {
  if (arc.ilabel != arc.olabel) bits = with(bits, no(kAcceptor), kAcceptor);
  if (arc.ilabel == 0) bits = with(bits, yes(kInputEpsilons), kInputEpsilons);
  if (arc.olabel == 0) bits = with(bits, yes(kOutputEpsilons), kOutputEpsilons);
  if (arc.ilabel == 0 && arc.olabel == 0) bits = with(bits, yes(kEpsilons), kEpsilons);
  return bits;
}

}  // namespace

uint64_t FstProperties::initial() { return kKeptByDeletion | yes(kAccessible) | yes(kCoaccessible) | yes(kString); }

void FstProperties::start_set() {
  const bool acyclic = bits_ & no(kCyclic);
  bits_ &= kKeptByStart;
  if (acyclic) bits_ |= no(kInitialCyclic);
}

void FstProperties::final_set(float old_cost, float new_cost) {
  if (costs(old_cost)) bits_ &= ~yes(kWeighted);
  if (costs(new_cost)) bits_ = with(bits_, yes(kWeighted), kWeighted);
  bits_ &= kKeptByFinal;
}

void FstProperties::state_added() { bits_ &= kKeptByState; }

void FstProperties::arc_added(int32_t state, const FstArc &arc, const FstArc *before) {
  bits_ = with_labels(bits_, arc);
  if (before != nullptr && before->ilabel > arc.ilabel) bits_ = with(bits_, no(kInputSorted), kInputSorted);
  if (before != nullptr && before->olabel > arc.olabel) bits_ = with(bits_, no(kOutputSorted), kOutputSorted);
  if (costs(arc.weight)) bits_ = with(bits_, yes(kWeighted), kWeighted);
  if (arc.nextstate <= state) bits_ = with(bits_, no(kTopSorted), kTopSorted);
  bits_ &= kKeptByArc;
  if (bits_ & yes(kTopSorted)) bits_ |= no(kCyclic) | no(kInitialCyclic);
}

void FstProperties::arc_changed(const FstArc &old_arc, const FstArc &new_arc) {
  // That there was such an arc no longer says that there is one.
  if (old_arc.ilabel != old_arc.olabel) bits_ &= ~no(kAcceptor);
  if (old_arc.ilabel == 0) bits_ &= ~yes(kInputEpsilons);
  if (old_arc.olabel == 0) bits_ &= ~yes(kOutputEpsilons);
  if (old_arc.ilabel == 0 && old_arc.olabel == 0) bits_ &= ~yes(kEpsilons);
  if (costs(old_arc.weight)) bits_ &= ~yes(kWeighted);
  bits_ = with_labels(bits_, new_arc);
  if (costs(new_arc.weight)) bits_ = with(bits_, yes(kWeighted), kWeighted);
  bits_ &= kKeptByChange;
}

void FstProperties::connected() { bits_ = (bits_ & kKeptByDeletion) | yes(kAccessible) | yes(kCoaccessible); }

void FstProperties::arcs_sorted_by_input() {
  bits_ = (bits_ & ~kSorted) | yes(kInputSorted);
  if (bits_ & yes(kAcceptor)) bits_ |= yes(kOutputSorted);
}

uint64_t topologically_sorted(uint64_t bits) {
  return (bits & ~(both(kTopSorted) | both(kString))) | no(kCyclic) | no(kInitialCyclic) | yes(kTopSorted);
}

}  // namespace kaldi_bridge
