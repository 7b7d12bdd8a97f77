#include "numerator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

namespace nnet3_compat {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

inline double log_add(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == kNever ? a : a + std::log1p(std::exp(b - a));
}

// The states in the order of time, and the time of each (-1: no path from the start).
std::vector<int32_t> in_order(const Acceptor &a, int64_t length, std::vector<int32_t> *times) {
  times->assign(a.num_states, -1);
  std::vector<int32_t> order;
  order.reserve(a.num_states);
  if (a.start < 0 || a.start >= a.num_states) throw std::invalid_argument("the supervision has no start state");
  (*times)[a.start] = 0;
  order.push_back(static_cast<int32_t>(a.start));
  for (size_t i = 0; i < order.size(); i++) {
    const int32_t state = order[i], next = (*times)[state] + 1;
    for (int64_t arc = a.offsets[state]; arc < a.offsets[state + 1]; arc++) {
      int32_t &time = (*times)[a.next_states[arc]];
      if (time < 0) {
        time = next;
        order.push_back(a.next_states[arc]);
      } else if (time != next) {
        throw std::invalid_argument("the supervision has two paths of different lengths to the same state");
      }
    }
  }
  for (int32_t state : order)
    if (((*times)[state] >= length) != std::isfinite(a.final_costs[state]) || (*times)[state] > length)
      throw std::invalid_argument("the supervision has a path that is not " + std::to_string(length) + " frames long");
  return order;
}

}  // namespace

double numerator(const Acceptor &a, const float *output, int64_t frames, int64_t sequences, int64_t pdfs,
                 float *posteriors) {
  std::vector<int32_t> times;
  const std::vector<int32_t> order = in_order(a, frames * sequences, &times);
  std::vector<double> alpha(a.num_states, kNever), beta(a.num_states, kNever);
  std::vector<double> scores(a.offsets[a.num_states]);

  // Where the outputs for a time are.
  auto row = [&](int32_t time) { return ((time % frames) * sequences + time / frames) * pdfs; };

  double total = kNever;
  alpha[a.start] = 0.0;
  for (int32_t state : order) {
    if (std::isfinite(a.final_costs[state])) {
      total = log_add(total, alpha[state] - a.final_costs[state]);
      continue;
    }
    const float *here = output + row(times[state]);
    for (int64_t arc = a.offsets[state]; arc < a.offsets[state + 1]; arc++) {
      const int32_t label = a.labels[arc];
      if (label < 1 || label > pdfs) throw std::invalid_argument("the supervision has a label that is no pdf");
      scores[arc] = static_cast<double>(here[label - 1]) - a.costs[arc];
      double &to = alpha[a.next_states[arc]];
      to = log_add(to, alpha[state] + scores[arc]);
    }
  }
  std::fill(posteriors, posteriors + frames * sequences * pdfs, 0.0f);
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    const int32_t state = *it;
    if (std::isfinite(a.final_costs[state])) {
      beta[state] = -a.final_costs[state];
      continue;
    }
    float *here = posteriors + row(times[state]);
    for (int64_t arc = a.offsets[state]; arc < a.offsets[state + 1]; arc++) {
      const double onwards = scores[arc] + beta[a.next_states[arc]];
      here[a.labels[arc] - 1] += static_cast<float>(std::exp(alpha[state] + onwards - total));
      beta[state] = log_add(beta[state], onwards);
    }
  }
  return total;
}

}  // namespace nnet3_compat
