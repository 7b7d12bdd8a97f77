// Strongly connected components of a transducer's states.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace kaldi_bridge {

// Depth-first search for strongly connected components (Tarjan's algorithm), from the start state and then from every
// state that was not reached.
class Components {
 public:
  // State s has the arcs offsets[s] to offsets[s + 1] - 1; next(arc) is the state that an arc leads to.
  template <class Next, class IsFinal>
  Components(int32_t start, int32_t states, const int64_t *offsets, Next next, IsFinal is_final)
      : component(states, -1), start_(start), order_(states, -1), low_(states), ends_(states, false) {
    const auto visit_from = [&](int32_t s) { visit(s, offsets, next, is_final); };
    if (start >= 0) visit_from(start);
    for (int32_t s = 0; s < states; s++)
      if (order_[s] < 0) {
        accessible = false;
        visit_from(s);
      }
    for (int32_t s = 0; s < states; s++) coaccessible = coaccessible && ends_[s];
  }

  std::vector<int32_t> component;  // of each state; numbered so that arcs between components lead to smaller numbers
  int32_t num_components = 0;
  bool accessible = true, coaccessible = true, cyclic = false, initial_cyclic = false;

 private:
  struct Place {
    int32_t state;
    int64_t arc;
  };

  template <class Next, class IsFinal>
  void visit(int32_t root, const int64_t *offsets, Next next, IsFinal is_final) {
    const auto enter = [&](int32_t s) {
      order_[s] = low_[s] = count_++;
      ends_[s] = is_final(s);
      open_.push_back(s);
      path_.push_back({s, offsets[s]});
    };
    enter(root);
    while (!path_.empty()) {
      const int32_t s = path_.back().state;
      if (path_.back().arc < offsets[s + 1]) {
        const int32_t to = next(path_.back().arc++);
        if (order_[to] < 0) {
          enter(to);
        } else if (component[to] < 0) {  // on the way to s, or beside it
          low_[s] = std::min(low_[s], order_[to]);
          cyclic = true;
          initial_cyclic = initial_cyclic || to == start_;
        } else {
          ends_[s] = ends_[s] || ends_[to];
        }
      } else {
        leave(s);
      }
    }
  }

  void leave(int32_t s) {
    path_.pop_back();
    if (low_[s] == order_[s]) {
      size_t first = open_.size();
      bool ends = false;
      do {
        first--;
        ends = ends || ends_[open_[first]];
      } while (open_[first] != s);
      for (size_t i = first; i < open_.size(); i++) {
        component[open_[i]] = num_components;
        ends_[open_[i]] = ends;
      }
      num_components++;
      open_.resize(first);
    }
    if (!path_.empty()) {
      const int32_t before = path_.back().state;
      low_[before] = std::min(low_[before], low_[s]);
      ends_[before] = ends_[before] || ends_[s];
    }
  }

  int32_t start_;
  std::vector<int32_t> order_, low_;
  std::vector<bool> ends_;  // whether a final state can be reached
  std::vector<int32_t> open_;
  std::vector<Place> path_;
  int32_t count_ = 0;
};

}  // namespace kaldi_bridge
