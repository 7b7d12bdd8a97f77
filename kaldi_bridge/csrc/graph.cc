#include "graph.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace kaldi_bridge {

int32_t Graph::pdf_of(int32_t label, const std::vector<int32_t> &tid_to_pdf) {
  if (label < 0 || static_cast<size_t>(label) >= tid_to_pdf.size() || tid_to_pdf[label] < 0)
    throw std::invalid_argument("the graph has the input label " + std::to_string(label) +
                                ", which is no transition-id of the model: they do not belong together");
  num_pdfs_ = std::max(num_pdfs_, tid_to_pdf[label] + 1);
  return tid_to_pdf[label];
}

class StaticStates final : public GraphStates {
 public:
  explicit StaticStates(const StaticGraph &graph) : graph_(graph) {}
  int32_t start() override { return graph_.start_; }
  float final(int32_t state) override { return graph_.finals_[state]; }
  GraphArcs arcs(int32_t state) override { return graph_.arcs(state); }

 private:
  const StaticGraph &graph_;
};

std::shared_ptr<GraphStates> StaticGraph::states() const { return std::make_shared<StaticStates>(*this); }

StaticGraph::StaticGraph(int32_t start, const float *finals, const int64_t *offsets, size_t num_states,
                         const int32_t *ilabels, const int32_t *olabels, const float *weights,
                         const int32_t *nextstates, const std::vector<int32_t> &tid_to_pdf)
    : start_(start), finals_(finals, finals + num_states), offsets_(num_states + 1) {
  if (start < 0 || static_cast<size_t>(start) >= num_states) throw std::invalid_argument("the graph has no start state");
  arcs_.reserve(offsets[num_states]);
  for (size_t s = 0; s < num_states; s++) {
    offsets_[s].first = arcs_.size();
    for (int pass = 0; pass < 2; pass++) {
      if (pass == 1) offsets_[s].emitting = arcs_.size();
      for (int64_t i = offsets[s]; i < offsets[s + 1]; i++) {
        if ((ilabels[i] != 0) != (pass == 1)) continue;
        if (nextstates[i] < 0 || static_cast<size_t>(nextstates[i]) >= num_states)
          throw std::invalid_argument("the graph has an arc to a state that does not exist");
        const int32_t pdf = pass == 1 ? pdf_of(ilabels[i], tid_to_pdf) : -1;
        if (std::isnan(weights[i])) throw std::invalid_argument("the graph has a cost that is not a number");
        if (weights[i] == std::numeric_limits<float>::infinity()) continue;
        arcs_.push_back({ilabels[i], olabels[i], pdf, weights[i], nextstates[i]});
      }
    }
  }
  offsets_[num_states].first = offsets_[num_states].emitting = arcs_.size();
  check_epsilon_cycles();
}

void StaticGraph::check_epsilon_cycles() const {
  std::vector<char> color(finals_.size(), 0);
  std::vector<std::pair<int32_t, const GraphArc *>> stack;
  for (size_t root = 0; root < finals_.size(); root++) {
    if (color[root] != 0 || !arcs(root).has_epsilons()) continue;
    color[root] = 1;
    stack.emplace_back(root, arcs(root).begin);
    while (!stack.empty()) {
      auto &[s, arc] = stack.back();
      if (arc == arcs(s).emitting) {
        color[s] = 2;
        stack.pop_back();
        continue;
      }
      const int32_t next = (arc++)->next;
      if (color[next] == 1)
        throw std::invalid_argument("the graph has a cycle of arcs without input labels, which is not allowed");
      if (color[next] == 0) {
        color[next] = 1;
        stack.emplace_back(next, arcs(next).begin);
      }
    }
  }
}

}  // namespace kaldi_bridge
