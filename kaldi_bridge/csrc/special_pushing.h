// Pushing of costs that needs no shortest distances, with Kaldi's numbers (fstext/push-special.cc): costs are moved along the
// paths so that the probabilities out of all states have the same sum; a final state counts as if an arc led from it to the
// start. The potentials that do this are the principal eigenvector of the matrix of probabilities.

#pragma once

#include "packed_fst.h"

namespace kaldi_bridge {

// Changes `finals` and the costs of `arcs`, which are those of `fst`; it must have states. Returns whether the power method
// got to where the logarithms of the sums differ by at most `delta`; else the result is not exact.
bool push_special(const FstView &fst, float delta, float *finals, FstArc *arcs);

}  // namespace kaldi_bridge
