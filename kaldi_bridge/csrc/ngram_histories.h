// The tree of histories of an n-gram model of OpenFst's type "ngram" (extensions/ngram/ngram-fst.h).
//
// States are histories, breadth first from the empty one, which is state 0; a child's history has one word more, which is
// further in the past. After a word comes the longest history in the tree that ends with it.

#pragma once

#include <cstdint>
#include <vector>

namespace kaldi_bridge {

struct HistoryTree {
  int32_t states;
  const int64_t *children;   // of state s: children[s] to children[s + 1] - 1, in the order of their words
  const int32_t *words;      // of each state, its history's oldest; that of state 0 means nothing
  const int64_t *followers;  // of state s: labels[followers[s]] to labels[followers[s + 1] - 1]
  const int32_t *labels;
};

// The state after each of the labels. Throws std::invalid_argument where that is no such tree.
std::vector<int32_t> states_after(const HistoryTree &tree);

}  // namespace kaldi_bridge
