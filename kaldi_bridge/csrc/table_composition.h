// Composition of two transducers, in the order of states and arcs that Kaldi's fsttablecompose gives them
// (fstext/table-matcher.h, fst/compose.h with the "sequence" filter): epsilons on the first one's output are read before
// those on the second one's input.

#pragma once

#include "packed_fst.h"

namespace kaldi_bridge {

// `first` has each state's arcs in the order of output labels. Where `sorted`, `second` has them in that of input labels,
// and of two states the one with more arcs is searched; else always the first one's.
PackedFst composed(const FstView &first, const FstView &second, bool sorted);

}  // namespace kaldi_bridge
