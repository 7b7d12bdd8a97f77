#include "rescoring.h"

#include <unordered_map>
#include <utility>
#include <vector>

#include "rescored_lattice.h"

namespace kaldi_bridge {

FlatCompactLattice compose_with(const FlatCompactLattice &lattice, LanguageModel *model) {
  RescoredLattice made(lattice);
  if (lattice.start < 0 || model->start() < 0) return made.flat();
  std::vector<std::pair<int32_t, int32_t>> states;
  std::unordered_map<uint64_t, int32_t> numbers;
  auto find = [&](int32_t state, int32_t history) {
    const auto [place, is_new] = numbers.try_emplace(pair_key(state, history), static_cast<int32_t>(states.size()));
    if (is_new) {
      states.emplace_back(state, history);
      made.add_state();
    }
    return place->second;
  };
  find(lattice.start, model->start());
  for (size_t i = 0; i < states.size(); i++) {
    const int32_t number = static_cast<int32_t>(i);
    const auto [state, history] = states[i];
    if (is_final(lattice.finals[state])) {
      const float cost = model->final(history);
      if (cost < kNotFinal) made.set_final(number, state, cost);
    }
    for (int64_t k = lattice.offsets[state]; k < lattice.offsets[state + 1]; k++) {
      const FlatCompactArc &arc = lattice.arcs[k];
      Step step = {history, 0.0f};
      if (arc.label == 0 || model->follow(history, arc.label, &step))
        made.add_arc(number, k, step.cost, find(arc.nextstate, step.next));
    }
  }
  return made.flat();
}

}  // namespace kaldi_bridge
