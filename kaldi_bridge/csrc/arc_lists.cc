#include "arc_lists.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>
#include <stdexcept>
#include <tuple>

namespace kaldi_bridge {

namespace {
constexpr double kNoPath = std::numeric_limits<double>::infinity();
}  // namespace

double log_add(double a, double b) {
  if (a < b) std::swap(a, b);
  const double difference = b - a;
  return difference > -36.1 ? a + std::log1p(std::exp(difference)) : a;  // beyond, b is lost in rounding
}

DepthFirst depth_first(const ArcLists &lists) {
  enum : char { kNew, kOnTheWay, kLeft };
  const int32_t n = lists.num_states;
  DepthFirst result;
  result.found.reserve(n);
  result.left.reserve(n);
  std::vector<char> color(n, kNew);
  std::vector<std::pair<int32_t, int64_t>> stack;  // a state, and its next arc to follow
  auto find = [&](int32_t state) {
    color[state] = kOnTheWay;
    result.found.push_back(state);
    stack.emplace_back(state, lists.offsets[state]);
  };
  for (int32_t root = lists.start >= 0 ? -1 : 0; root < n; root++) {
    const int32_t from = root < 0 ? lists.start : root;
    if (color[from] == kNew) find(from);
    while (!stack.empty()) {
      auto &[state, arc] = stack.back();
      if (arc == lists.offsets[state + 1]) {
        color[state] = kLeft;
        result.left.push_back(state);
        stack.pop_back();
        continue;
      }
      const int32_t target = lists.next[arc++];
      if (color[target] == kNew)
        find(target);
      else if (color[target] == kOnTheWay)
        result.cyclic = true;
    }
  }
  return result;
}

std::vector<int32_t> topological_order(const ArcLists &lists) {
  const DepthFirst search = depth_first(lists);
  if (search.cyclic) return {};
  std::vector<int32_t> order(lists.num_states);
  for (int32_t i = 0; i < lists.num_states; i++) order[search.left[i]] = lists.num_states - 1 - i;
  return order;
}

std::vector<char> useful_states(const ArcLists &lists, const double *finals) {
  enum : char { kReached = 1, kLeadsToEnd = 2 };
  const int32_t n = lists.num_states;
  std::vector<char> marks(n, 0);
  std::vector<int32_t> stack;
  auto mark = [&](int32_t state, char with) {
    if (marks[state] & with) return;
    marks[state] |= with;
    stack.push_back(state);
  };
  if (lists.start >= 0) mark(lists.start, kReached);
  while (!stack.empty()) {
    const int32_t state = stack.back();
    stack.pop_back();
    for (int64_t arc = lists.offsets[state]; arc < lists.offsets[state + 1]; arc++) mark(lists.next[arc], kReached);
  }
  std::vector<int64_t> into_offsets(n + 1, 0);
  for (int64_t arc = 0; arc < lists.num_arcs(); arc++) into_offsets[lists.next[arc] + 1]++;
  for (int32_t s = 0; s < n; s++) into_offsets[s + 1] += into_offsets[s];
  std::vector<int32_t> into(lists.num_arcs());
  std::vector<int64_t> place(into_offsets.begin(), into_offsets.end() - 1);
  for (int32_t s = 0; s < n; s++)
    for (int64_t arc = lists.offsets[s]; arc < lists.offsets[s + 1]; arc++) into[place[lists.next[arc]]++] = s;
  for (int32_t s = 0; s < n; s++)
    if (finals[s] < kNoPath) mark(s, kLeadsToEnd);
  while (!stack.empty()) {
    const int32_t state = stack.back();
    stack.pop_back();
    for (int64_t i = into_offsets[state]; i < into_offsets[state + 1]; i++) mark(into[i], kLeadsToEnd);
  }
  for (char &m : marks) m = m == (kReached | kLeadsToEnd);
  return marks;
}

std::vector<double> costs_from_start(const ArcLists &lists, const double *costs) {
  std::vector<double> from_start(lists.num_states, kNoPath);
  if (lists.start >= 0) from_start[lists.start] = 0.0;
  for (int32_t s = 0; s < lists.num_states; s++)
    for (int64_t arc = lists.offsets[s]; arc < lists.offsets[s + 1]; arc++) {
      double &target = from_start[lists.next[arc]];
      target = std::min(target, from_start[s] + costs[arc]);
    }
  return from_start;
}

std::vector<double> costs_to_end(const ArcLists &lists, const double *costs, const double *finals) {
  std::vector<double> to_end(finals, finals + lists.num_states);
  for (int32_t s = lists.num_states; s-- > 0;)
    for (int64_t arc = lists.offsets[s]; arc < lists.offsets[s + 1]; arc++)
      to_end[s] = std::min(to_end[s], costs[arc] + to_end[lists.next[arc]]);
  return to_end;
}

std::vector<double> log_sums_from_start(const ArcLists &lists, const double *costs) {
  std::vector<double> sums(lists.num_states, -kNoPath);
  if (lists.start >= 0) sums[lists.start] = 0.0;
  for (int32_t s = 0; s < lists.num_states; s++)
    for (int64_t arc = lists.offsets[s]; arc < lists.offsets[s + 1]; arc++) {
      double &target = sums[lists.next[arc]];
      target = log_add(target, sums[s] - costs[arc]);
    }
  return sums;
}

std::vector<double> log_sums_to_end(const ArcLists &lists, const double *costs, const double *finals) {
  std::vector<double> sums(lists.num_states);
  for (int32_t s = lists.num_states; s-- > 0;) {
    sums[s] = -finals[s];
    for (int64_t arc = lists.offsets[s]; arc < lists.offsets[s + 1]; arc++)
      sums[s] = log_add(sums[s], sums[lists.next[arc]] - costs[arc]);
  }
  return sums;
}

namespace {

// Of one way among those that sum up to `sum`; 0 where there are none.
double share(double log_probability, double sum) { return sum == -kNoPath ? 0.0 : std::exp(log_probability - sum); }

}  // namespace

std::vector<double> means_from_start(const ArcLists &lists, const double *costs, const double *sums, const double *values) {
  std::vector<double> means(lists.num_states, 0.0);
  for (int32_t s = 0; s < lists.num_states; s++)
    for (int64_t arc = lists.offsets[s]; arc < lists.offsets[s + 1]; arc++) {
      const int32_t next = lists.next[arc];
      means[next] += share(sums[s] - costs[arc], sums[next]) * (means[s] + values[arc]);
    }
  return means;
}

std::vector<double> means_to_end(const ArcLists &lists, const double *costs, const double *sums, const double *values) {
  std::vector<double> means(lists.num_states, 0.0);
  for (int32_t s = lists.num_states; s-- > 0;)
    for (int64_t arc = lists.offsets[s]; arc < lists.offsets[s + 1]; arc++) {
      const int32_t next = lists.next[arc];
      means[s] += share(sums[next] - costs[arc], sums[s]) * (means[next] + values[arc]);
    }
  return means;
}

std::vector<int64_t> lengths_from_start(const ArcLists &lists, const int64_t *lengths) {
  std::vector<int64_t> times(lists.num_states, -1);
  if (lists.start >= 0) times[lists.start] = 0;
  for (int32_t s = 0; s < lists.num_states; s++) {
    if (times[s] < 0) continue;
    for (int64_t arc = lists.offsets[s]; arc < lists.offsets[s + 1]; arc++) {
      int64_t &target = times[lists.next[arc]];
      if (target >= 0 && target != times[s] + lengths[arc])
        throw std::invalid_argument("there are ways of different lengths to the same state");
      target = times[s] + lengths[arc];
    }
  }
  return times;
}

Path best_path(const ArcLists &lists, const double *costs, const double *finals) {
  std::vector<double> cost(lists.num_states, kNoPath);
  std::vector<std::pair<int32_t, int64_t>> back(lists.num_states, {-1, -1});  // the state before, and the arc from it
  if (lists.start >= 0) cost[lists.start] = 0.0;
  Path path;
  double best = kNoPath;
  for (int32_t s = 0; s < lists.num_states; s++) {
    if (cost[s] == kNoPath) continue;
    if (cost[s] + finals[s] < best) {
      best = cost[s] + finals[s];
      path.end = s;
    }
    for (int64_t arc = lists.offsets[s]; arc < lists.offsets[s + 1]; arc++) {
      const int32_t target = lists.next[arc];
      if (cost[s] + costs[arc] < cost[target]) {
        cost[target] = cost[s] + costs[arc];
        back[target] = {s, arc};
      }
    }
  }
  if (path.end >= 0)
    for (int32_t s = path.end; back[s].first >= 0; s = back[s].first) path.arcs.push_back(back[s].second);
  std::reverse(path.arcs.begin(), path.arcs.end());
  return path;
}

std::vector<Path> n_best_paths(const ArcLists &lists, const double *costs, const double *finals, int32_t n) {
  std::vector<Path> paths;
  if (lists.start < 0) return paths;
  const std::vector<double> to_end = costs_to_end(lists, costs, finals);
  if (to_end[lists.start] == kNoPath) return paths;
  struct Step {
    int64_t arc, before;  // the arc, and the number of the step before it (-1: none)
  };
  std::vector<Step> steps;
  // (estimate of the whole path, what came first of equals, cost so far, state, its last step, whether the path has ended)
  using Partial = std::tuple<double, int64_t, double, int32_t, int64_t, bool>;
  std::priority_queue<Partial, std::vector<Partial>, std::greater<Partial>> queue;
  int64_t count = 0;
  queue.emplace(to_end[lists.start], count++, 0.0, lists.start, -1, false);
  while (!queue.empty() && static_cast<int32_t>(paths.size()) < n) {
    const auto [estimate, tie, cost, state, last, ended] = queue.top();
    queue.pop();
    if (ended) {
      Path path;
      path.end = state;
      for (int64_t step = last; step >= 0; step = steps[step].before) path.arcs.push_back(steps[step].arc);
      std::reverse(path.arcs.begin(), path.arcs.end());
      paths.push_back(std::move(path));
      continue;
    }
    if (finals[state] < kNoPath) queue.emplace(cost + finals[state], count++, cost + finals[state], state, last, true);
    for (int64_t arc = lists.offsets[state]; arc < lists.offsets[state + 1]; arc++) {
      const int32_t target = lists.next[arc];
      if (to_end[target] == kNoPath) continue;
      const double so_far = cost + costs[arc];
      steps.push_back({arc, last});
      queue.emplace(so_far + to_end[target], count++, so_far, target, static_cast<int64_t>(steps.size()) - 1, false);
    }
  }
  return paths;
}

}  // namespace kaldi_bridge
