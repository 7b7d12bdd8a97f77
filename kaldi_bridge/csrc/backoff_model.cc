#include "backoff_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace kaldi_bridge {

// Costs are added from the longest way back on, as Kaldi adds them: the last sum is with the first arc.

const FstArc *BackoffModel::backoff(int32_t state, int32_t steps) const {
  const FstArc *first = arcs_ + offsets_[state];
  if (offsets_[state] == offsets_[state + 1] || first->ilabel != 0) return nullptr;
  if (steps > num_states_) throw std::invalid_argument("the language model backs off in a circle");
  return first;
}

float BackoffModel::final_after(int32_t state, int32_t steps) const {
  if (!std::isinf(finals_[state])) return finals_[state];
  const FstArc *arc = backoff(state, steps);
  return arc == nullptr ? std::numeric_limits<float>::infinity() : arc->weight + final_after(arc->nextstate, steps + 1);
}

bool BackoffModel::follow_after(int32_t state, int32_t word, Step *step, int32_t steps) const {
  const FstArc *first = arcs_ + offsets_[state], *last = arcs_ + offsets_[state + 1];
  const FstArc *found =
      std::lower_bound(first, last, word, [](const FstArc &arc, int32_t label) { return arc.ilabel < label; });
  if (found != last && found->ilabel == word) {
    *step = {found->nextstate, found->weight};
    return true;
  }
  const FstArc *arc = backoff(state, steps);
  if (arc == nullptr || !follow_after(arc->nextstate, word, step, steps + 1)) return false;
  step->cost += arc->weight;
  return true;
}

}  // namespace kaldi_bridge
