// Removing those epsilons of a transducer that can go without the transducer growing (fstext/remove-eps-local.h).

#pragma once

#include "mutable_fst.h"

namespace kaldi_bridge {

struct RemovalOptions {
  bool stochastic_in_log = true;   // the sums of probabilities out of states stay, else their maxima
  bool equivalent_in_log = false;  // what is accepted stays in the log semiring, else in the tropical one
};

// An arc and the ones that follow it become one where at least one of them has no input label and one no output label,
// and the state between them has a single arc in or a single arc out. Then unconnected states go.
void remove_epsilons_local(MutableFst &fst, const RemovalOptions &options);

}  // namespace kaldi_bridge
