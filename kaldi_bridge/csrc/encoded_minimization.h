// Minimization of a transducer whose labels and costs are taken as one symbol, with the states and arcs of Kaldi's
// fstminimizeencoded in the same order (fstext/fstext-utils.h; fst/minimize.h, partition.h).

#pragma once

#include "packed_fst.h"

namespace kaldi_bridge {

// Weights, which are floats or TimedWeights, become multiples of `delta`.
template <class Weight>
PackedWeightedFst<Weight> encoded_minimized(const WeightedFstView<Weight> &fst, float delta);

}  // namespace kaldi_bridge
