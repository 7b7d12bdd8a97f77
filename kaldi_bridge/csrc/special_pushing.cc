#include "special_pushing.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace kaldi_bridge {

namespace {

constexpr int kMaxIterations = 200;

class Potentials {
 public:
  explicit Potentials(const FstView &fst)
      : fst_(fst), values_(fst.num_states, 1.0 / std::sqrt(static_cast<double>(fst.num_states))), next_(fst.num_states) {
    const int64_t arcs = fst.offsets[fst.num_states];
    probabilities_.resize(arcs);
    by_target_.resize(arcs);
    for (int32_t s = 0; s < fst.num_states; s++) {
      int32_t *own = by_target_.data() + fst.offsets[s];
      const FstArc *out = fst.begin(s);
      const int64_t count = fst.end(s) - out;
      for (int64_t i = 0; i < count; i++) probabilities_[fst.offsets[s] + i] = std::exp(-out[i].weight);
      std::iota(own, own + count, 0);
      const auto before = [out](int32_t a, int32_t b) { return out[a].nextstate < out[b].nextstate; };
      if (!std::is_sorted(own, own + count, before)) std::stable_sort(own, own + count, before);
    }
  }

  bool converge(float delta) {
    for (int iteration = 0; iteration < kMaxIterations; iteration++) {
      iterate();
      if (iteration % 5 == 0 && iteration > 0 && error() <= delta) return true;
    }
    return false;
  }

  std::vector<double> take_costs() {
    for (double &value : values_) value = -std::log(value);
    return std::move(values_);
  }

 private:
  // The power method on the matrix + 0.1 I: sums over states that arcs lead to, in their order, as Kaldi adds them.
  void iterate() {
    for (int32_t s = 0; s < fst_.num_states; s++) {
      double sum = 0.1 * values_[s];
      const float *probability = probabilities_.data() + fst_.offsets[s];
      const int32_t *order = by_target_.data() + fst_.offsets[s];
      const FstArc *out = fst_.begin(s);
      const int64_t count = fst_.end(s) - out;
      int64_t i = 0;
      for (; i < count && out[order[i]].nextstate <= fst_.start; i++)
        sum += values_[out[order[i]].nextstate] * probability[order[i]];
      if (fst_.finals[s] != kNoEnd) sum += values_[fst_.start] * std::exp(-fst_.finals[s]);
      for (; i < count; i++) sum += values_[out[order[i]].nextstate] * probability[order[i]];
      next_[s] = sum;
    }
    double squares = 0.0;
    for (const double value : next_) squares += value * value;
    const double scale = 1.0 / std::sqrt(squares);
    for (int32_t s = 0; s < fst_.num_states; s++) values_[s] = next_[s] * scale;
  }

  double error() const {
    double least = 0.0, most = 0.0;
    for (int32_t s = 0; s < fst_.num_states; s++) {
      double sum = 0.0;
      for (int64_t i = fst_.offsets[s]; i < fst_.offsets[s + 1]; i++)
        sum += probabilities_[i] * values_[fst_.arcs[i].nextstate] / values_[s];
      sum += std::exp(-fst_.finals[s]) * values_[fst_.start] / values_[s];
      least = s == 0 ? sum : std::min(least, sum);
      most = s == 0 ? sum : std::max(most, sum);
    }
    return std::log(most / least);
  }

  const FstView fst_;
  std::vector<double> values_, next_;
  std::vector<float> probabilities_;
  std::vector<int32_t> by_target_;  // of each state's arcs: in the order of next states
};

}  // namespace

bool push_special(const FstView &fst, float delta, float *finals, FstArc *arcs) {
  Potentials potentials(fst);
  const bool converged = potentials.converge(delta);
  const std::vector<double> costs = potentials.take_costs();
  for (int32_t s = 0; s < fst.num_states; s++) {
    for (int64_t i = fst.offsets[s]; i < fst.offsets[s + 1]; i++)
      arcs[i].weight = static_cast<float>(arcs[i].weight + costs[arcs[i].nextstate] - costs[s]);
    finals[s] += static_cast<float>(costs[fst.start] - costs[s]);
  }
  return converged;
}

}  // namespace kaldi_bridge
