// Composition of two transducers, in the order of states and arcs that Kaldi's fsttablecompose gives them
// (fstext/table-matcher.h, fst/compose.h with the "sequence" filter): epsilons on the first one's output are read before
// those on the second one's input.

#pragma once

#include "label_index.h"
#include "packed_fst.h"

namespace kaldi_bridge {

// Of two states, in whose arcs those with a label of the other's are looked for. The arcs of the first one are then in the
// order of output labels, the second one's in that of input labels; of both for kOneWithMoreArcs.
enum class Searched { kFirst, kSecond, kOneWithMoreArcs };

// `second`: of its input labels. Weights are floats or TimedWeights.
template <class Weight>
PackedWeightedFst<Weight> composed(const WeightedFstView<Weight> &first, LabelIndex<Weight> *second, Searched searched);

}  // namespace kaldi_bridge
