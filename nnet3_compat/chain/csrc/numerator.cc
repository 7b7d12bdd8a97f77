#include "numerator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "../../folded/csrc/parallel.h"

namespace nnet3_compat {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();
constexpr double kNothing = 37.0;   // adding exp(-37) to 1 changes nothing in double precision
constexpr double kInvisible = 60.0;  // an occupation of exp(-60) changes nothing in single precision

inline double log_add(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == kNever || a - b > kNothing ? a : a + std::log1p(std::exp(b - a));
}

}  // namespace

Numerator::Numerator(int64_t frames, int64_t sequences, int64_t pdfs)
    : frames_(frames), sequences_(sequences), pdfs_(pdfs) {}

void Numerator::add(const Acceptor &a, int64_t first, int64_t count, int64_t length, bool flat_start) {
  const int64_t end = count * length;
  const std::string frames = std::to_string(end);
  if (first < 0 || count < 1 || first + count > sequences_ || length < 1 || length > frames_)
    throw std::invalid_argument("a supervision has more sequences or frames than the output");
  if (a.start < 0 || a.start >= a.num_states) throw std::invalid_argument("the supervision has no start state");
  Part part;
  part.first_cell = static_cast<int64_t>(cells_.size());
  std::vector<int32_t> states{static_cast<int32_t>(a.start)};  // of the nodes
  std::vector<int32_t> node_of(a.num_states, -1);              // the last node of a state
  std::vector<int64_t> cell_of(pdfs_, -1);                     // the last cell of a pdf
  node_of[a.start] = 0;
  part.begin.push_back(0);
  int64_t level = 0;  // the first node of the time
  for (int64_t time = 0; time < end; time++) {
    const int64_t next_level = static_cast<int64_t>(states.size()), first_cell = static_cast<int64_t>(cells_.size());
    const int64_t row = (time % length) * sequences_ + first + time / length;
    for (int64_t node = level; node < next_level; node++) {
      const int32_t state = states[node];
      if (!flat_start && std::isfinite(a.final_costs[state]))
        throw std::invalid_argument("the supervision has a path that is not " + frames + " frames long");
      for (int64_t arc = a.offsets[state]; arc < a.offsets[state + 1]; arc++) {
        const int32_t label = a.labels[arc];
        if (label < 1 || label > pdfs_) throw std::invalid_argument("the supervision has a label that is no pdf");
        int32_t &target = node_of[a.next_states[arc]];
        if (target < next_level) {
          if (target >= 0 && !flat_start)
            throw std::invalid_argument("the supervision has two paths of different lengths to the same state");
          target = static_cast<int32_t>(states.size());
          states.push_back(a.next_states[arc]);
        }
        int64_t &cell = cell_of[label - 1];
        if (cell < first_cell) {
          cell = static_cast<int64_t>(cells_.size());
          cells_.push_back(row * pdfs_ + label - 1);
        }
        part.arcs.push_back({target, static_cast<int32_t>(cell - part.first_cell), -a.costs[arc]});
      }
      part.begin.push_back(static_cast<int64_t>(part.arcs.size()));
    }
    level = next_level;
  }
  for (size_t node = level; node < states.size(); node++) {
    const float cost = a.final_costs[states[node]];
    if (!flat_start && !std::isfinite(cost))
      throw std::invalid_argument("the supervision has a path that is not " + frames + " frames long");
    part.final_log_probs.push_back(-cost);
  }
  part.num_cells = static_cast<int64_t>(cells_.size()) - part.first_cell;
  parts_.push_back(std::move(part));
}

double Numerator::forward_backward(const float *scores, int num_threads, float *occupations) const {
  std::vector<double> totals(parts_.size());
  auto do_part = [&](int64_t i) {
    const Part &part = parts_[i];
    totals[i] = forward_backward(part, scores + part.first_cell, occupations + part.first_cell);
  };
  in_parallel(static_cast<int64_t>(parts_.size()), num_threads, [&] { return do_part; });
  double total = 0.0;
  for (double each : totals) total += each;
  return total;
}

double Numerator::forward_backward(const Part &part, const float *scores, float *occupations) {
  const int64_t inner = static_cast<int64_t>(part.begin.size()) - 1;  // the nodes before the last time
  const int64_t nodes = inner + static_cast<int64_t>(part.final_log_probs.size());
  std::vector<double> alpha(nodes, kNever), beta(nodes, kNever), occupied(part.num_cells, 0.0);
  alpha[0] = 0.0;
  for (int64_t node = 0; node < inner; node++)
    for (int64_t i = part.begin[node]; i < part.begin[node + 1]; i++) {
      const Arc &arc = part.arcs[i];
      double &to = alpha[arc.target];
      to = log_add(to, alpha[node] + scores[arc.cell] + arc.log_prob);
    }
  double total = kNever;
  for (int64_t node = inner; node < nodes; node++) {
    beta[node] = part.final_log_probs[node - inner];
    total = log_add(total, alpha[node] + beta[node]);
  }
  std::fill(occupations, occupations + part.num_cells, 0.0f);
  if (!std::isfinite(total)) return total;
  for (int64_t node = inner - 1; node >= 0; node--)
    for (int64_t i = part.begin[node]; i < part.begin[node + 1]; i++) {
      const Arc &arc = part.arcs[i];
      const double onwards = scores[arc.cell] + arc.log_prob + beta[arc.target];
      const double log_occupation = alpha[node] + onwards - total;
      if (log_occupation > -kInvisible) occupied[arc.cell] += std::exp(log_occupation);
      beta[node] = log_add(beta[node], onwards);
    }
  std::copy(occupied.begin(), occupied.end(), occupations);
  return total;
}

}  // namespace nnet3_compat
