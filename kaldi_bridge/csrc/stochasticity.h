// How far the probabilities out of the states of an FST are from summing to one (fstext/fstext-utils.h, IsStochasticFst).

#pragma once

#include <utility>

#include "packed_fst.h"

namespace kaldi_bridge {

// The least and the most cost that all ways out of a state, its end and its arcs, have together; in single precision, added
// one after the other as OpenFst adds them. `in_log`: their probabilities are summed, else the best one counts.
std::pair<float, float> costs_out(const FstView &fst, bool in_log);

}  // namespace kaldi_bridge
