#include "rescored_graph.h"

#include <stdexcept>
#include <utility>
#include <vector>

#include "pair_numbers.h"
#include "unfolded_arcs.h"

namespace kaldi_bridge {

class RescoredStates final : public GraphStates {
 public:
  RescoredStates(std::shared_ptr<GraphStates> graph, ModelChange *change)
      : graph_(std::move(graph)), change_(*change), models_(&change_.old_, &change_.new_) {
    if (models_.start() < 0) throw std::invalid_argument("a language model has no start state");
    start_ = pairs_.of(graph_->start(), models_.start());
  }

  int32_t start() override { return start_; }

  float final(int32_t state) override {
    return graph_->final(pairs_.first(state)) + models_.final(pairs_.second(state));
  }

  GraphArcs arcs(int32_t state) override {
    if (!unfolded_.has(state)) unfold(state);
    return unfolded_.of(state);
  }

  void trim() override {
    unfolded_.trim();
    graph_->trim();
  }

 private:
  void unfold(int32_t state) {
    const int32_t in_models = pairs_.second(state);
    const GraphArcs from = graph_->arcs(pairs_.first(state));
    made_.clear();
    for (const FstArc *arc = from.begin; arc != from.end; arc++) {
      Step step{in_models, 0.0f};
      if (arc->olabel != 0 && !models_.follow(in_models, arc->olabel, &step)) {
        change_.missing_word_ = arc->olabel;
        continue;
      }
      made_.push_back({arc->ilabel, arc->olabel, arc->weight + step.cost, pairs_.of(arc->nextstate, step.next)});
    }
    unfolded_.add(state, made_);
  }

  const std::shared_ptr<GraphStates> graph_;
  ModelChange &change_;
  ModelSum models_;
  PairNumbers pairs_;
  int32_t start_;
  UnfoldedArcs unfolded_;
  std::vector<FstArc> made_;
};

std::shared_ptr<GraphStates> RescoredGraph::states() const {
  return std::make_shared<RescoredStates>(graph_.states(), &change_);
}

}  // namespace kaldi_bridge
