#include "graph.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

namespace kaldi_bridge {

void Graph::use(int32_t label) {
  if (label < 0 || static_cast<size_t>(label) >= pdfs_.size() || pdfs_[label] < 0)
    throw std::invalid_argument("the graph has the input label " + std::to_string(label) +
                                ", which is no transition-id of the model: they do not belong together");
  num_pdfs_ = std::max(num_pdfs_, pdfs_[label] + 1);
}

class StaticStates final : public GraphStates {
 public:
  explicit StaticStates(const StaticGraph &graph) : graph_(graph) {}
  int32_t start() override { return graph_.fst_.start; }
  float final(int32_t state) override { return graph_.fst_.finals[state]; }
  GraphArcs arcs(int32_t state) override { return graph_.arcs(state); }

 private:
  const StaticGraph &graph_;
};

std::shared_ptr<GraphStates> StaticGraph::states() const { return std::make_shared<StaticStates>(*this); }

StaticGraph::StaticGraph(const FstView &fst, FstArc *arcs, std::vector<int32_t> tid_to_pdf)
    : Graph(std::move(tid_to_pdf)), fst_(fst), epsilons_(fst.num_states) {
  if (fst.start < 0) throw std::invalid_argument("the graph has no start state");
  std::vector<FstArc> emitting;
  for (int32_t s = 0; s < fst.num_states; s++) {
    FstArc *to = arcs + fst.offsets[s];
    emitting.clear();
    for (const FstArc *arc = fst.begin(s); arc != fst.end(s); arc++) {
      if (std::isnan(arc->weight)) throw std::invalid_argument("the graph has a cost that is not a number");
      if (arc->ilabel == 0) {
        *to++ = *arc;
        continue;
      }
      use(arc->ilabel);
      emitting.push_back(*arc);
    }
    epsilons_[s] = static_cast<int32_t>(to - (arcs + fst.offsets[s]));
    std::copy(emitting.begin(), emitting.end(), to);
  }
  check_epsilon_cycles();
}

void StaticGraph::check_epsilon_cycles() const {
  std::vector<char> color(fst_.num_states, 0);
  std::vector<std::pair<int32_t, const FstArc *>> stack;
  for (int32_t root = 0; root < fst_.num_states; root++) {
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
      const int32_t next = (arc++)->nextstate;
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
