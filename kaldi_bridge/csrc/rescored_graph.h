// A decoding graph in which one language model's costs give way to another's while it is searched
// (decoder/lattice-biglm-faster-decoder.h). Its states are pairs: of the graph, and of what both models remember.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "graph.h"
#include "language_model.h"

namespace kaldi_bridge {

// The new model's costs less the old one's. Both must bear to be asked by several threads, as backoff models do.
class ModelChange {
 public:
  ModelChange(LanguageModel *old_model, LanguageModel *new_model) : old_(old_model, -1.0f), new_(*new_model) {}

  // A word that came up and cannot follow in a model; 0: none.
  int32_t missing_word() const { return missing_word_; }

 private:
  friend class RescoredStates;
  ScaledModel old_;
  LanguageModel &new_;
  std::atomic<int32_t> missing_word_{0};
};

class RescoredGraph : public Graph {
 public:
  // Both must outlive it. `states` throws std::invalid_argument where a model has no start.
  RescoredGraph(const Graph &graph, ModelChange *change) : Graph(graph), graph_(graph), change_(*change) {}

  std::shared_ptr<GraphStates> states() const override;

 private:
  const Graph &graph_;
  ModelChange &change_;
};

}  // namespace kaldi_bridge
