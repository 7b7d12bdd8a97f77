#include "language_model.h"

#include <cmath>

namespace kaldi_bridge {

float ScaledModel::final(int32_t state) {
  const float cost = model_.final(state);
  return std::isinf(cost) ? cost : cost * scale_;
}

bool ScaledModel::follow(int32_t state, int32_t word, Step *step) {
  if (!model_.follow(state, word, step)) return false;
  step->cost *= scale_;
  return true;
}

ModelSum::ModelSum(LanguageModel *first, LanguageModel *second) : first_(*first), second_(*second) {
  if (first->start() >= 0 && second->start() >= 0) find(first->start(), second->start());
}

int32_t ModelSum::find(int32_t first, int32_t second) {
  const auto [place, is_new] = numbers_.try_emplace(pair_key(first, second), static_cast<int32_t>(states_.size()));
  if (is_new) states_.emplace_back(first, second);
  return place->second;
}

float ModelSum::final(int32_t state) {
  return first_.final(states_[state].first) + second_.final(states_[state].second);
}

bool ModelSum::follow(int32_t state, int32_t word, Step *step) {
  const auto [first, second] = states_[state];
  Step one, other;
  if (!first_.follow(first, word, &one) || !second_.follow(second, word, &other)) return false;
  *step = {find(one.next, other.next), one.cost + other.cost};
  return true;
}

}  // namespace kaldi_bridge
