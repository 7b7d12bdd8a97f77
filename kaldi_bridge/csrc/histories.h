// The words of a history: all so far, or the last ones where an order limits them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kaldi_bridge {

using History = std::vector<int32_t>;

struct HistoryHash {
  size_t operator()(const History &words) const {
    size_t sum = 0;
    for (int32_t word : words) sum = sum * 7853 + static_cast<size_t>(word);
    return sum;
  }
};

// With one more word. Histories have less words than the order, unless that is 0 or negative.
inline History longer(History words, int32_t word, int32_t order) {
  words.push_back(word);
  if (order > 0 && words.size() >= static_cast<size_t>(order)) words.erase(words.begin(), words.end() - (order - 1));
  return words;
}

}  // namespace kaldi_bridge
