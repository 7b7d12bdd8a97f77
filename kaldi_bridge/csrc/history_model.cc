#include "history_model.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace kaldi_bridge {

HistoryModel::HistoryModel(std::vector<int32_t> words, History start, int32_t order, Extend extend)
    : words_(std::move(words)), order_(order), extend_(std::move(extend)) {
  find(std::move(start), -1, 0);
}

int32_t HistoryModel::find(History words, int32_t parent, int32_t word) {
  const auto [place, is_new] = numbers_.try_emplace(std::move(words), static_cast<int32_t>(histories_.size()));
  if (is_new) {
    histories_.push_back(&place->first);
    waiting_parents_.push_back(parent);
    waiting_words_.push_back(word);
  }
  return place->second;
}

const float *HistoryModel::row(int32_t state) {
  const size_t width = words_.size() + 1;
  if (!waiting_words_.empty() && static_cast<size_t>(state) >= histories_.size() - waiting_words_.size()) {
    extend_(waiting_parents_, waiting_words_, &costs_);
    if (costs_.size() != histories_.size() * width) throw std::invalid_argument("costs of another number of words");
    waiting_parents_.clear();
    waiting_words_.clear();
  }
  return costs_.data() + static_cast<size_t>(state) * width;
}

float HistoryModel::final(int32_t state) { return row(state)[words_.size()]; }

bool HistoryModel::follow(int32_t state, int32_t word, Step *step) {
  const auto place = std::lower_bound(words_.begin(), words_.end(), word);
  if (place == words_.end() || *place != word)
    throw std::invalid_argument("word " + std::to_string(word) + " is none that may follow");
  step->cost = row(state)[place - words_.begin()];
  step->next = find(longer(*histories_[state], word, order_), state, word);
  return true;
}

}  // namespace kaldi_bridge
