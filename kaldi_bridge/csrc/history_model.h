// A language model that is asked for many histories at once, as neural networks compute best.
//
// Whichever words led to a history first are what it is computed from. What follows a history costs a table of the words that may be asked for, made when it is first needed,
// and then for all histories that are still without: those that a search has found are as many as its next step may need.

#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "histories.h"
#include "language_model.h"

namespace kaldi_bridge {

class HistoryModel : public LanguageModel {
 public:
  // Appends the rows of histories, one after the other: what each of the words costs, and the end. A history's number is
  // its place among all that were ever asked for; its parent's is less, or -1 for the first one, whose word is any.
  using Extend = std::function<void(const std::vector<int32_t> &parents, const std::vector<int32_t> &words,
                                    std::vector<float> *costs)>;

  // Args:
  //   words: all that may follow, ascending.
  //   start: what the first history is known by: the words before the first one.
  //   order: of histories, but for the first one.
  HistoryModel(std::vector<int32_t> words, History start, int32_t order, Extend extend);

  int32_t start() const override { return 0; }
  float final(int32_t state) override;
  bool follow(int32_t state, int32_t word, Step *step) override;

 private:
  int32_t find(History words, int32_t parent, int32_t word);
  const float *row(int32_t state);

  const std::vector<int32_t> words_;
  const int32_t order_;
  const Extend extend_;
  std::unordered_map<History, int32_t, HistoryHash> numbers_;
  std::vector<const History *> histories_;  // keys of numbers_
  std::vector<int32_t> waiting_parents_, waiting_words_;  // of the last ones, which have no row yet
  std::vector<float> costs_;
};

}  // namespace kaldi_bridge
