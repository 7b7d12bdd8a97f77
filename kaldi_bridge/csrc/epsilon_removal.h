// Removing those epsilons of a transducer that can go without the transducer growing (fstext/remove-eps-local.h).

#pragma once

#include "mutable_fst.h"

namespace kaldi_bridge {

// An arc and the ones that follow it become one where at least one of them has no input label and one no output label,
// and the state between them has a single arc in or a single arc out. Then unconnected states go. What is accepted stays,
// in the tropical semiring; with `in_log` the sums of probabilities out of states stay, else their maxima.
void remove_epsilons_local(MutableFst &fst, bool in_log);

}  // namespace kaldi_bridge
