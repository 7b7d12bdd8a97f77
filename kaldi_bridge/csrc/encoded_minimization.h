// Minimization of a transducer whose labels and costs are taken as one symbol, with the states and arcs of Kaldi's
// fstminimizeencoded in the same order (fstext/fstext-utils.h; fst/minimize.h, partition.h).

#pragma once

#include "packed_fst.h"

namespace kaldi_bridge {

// Costs become multiples of `delta`.
PackedFst encoded_minimized(const FstView &fst, float delta);

}  // namespace kaldi_bridge
