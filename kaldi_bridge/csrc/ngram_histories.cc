#include "ngram_histories.h"

#include <algorithm>
#include <stdexcept>

namespace kaldi_bridge {
namespace {

std::vector<int32_t> parents(const HistoryTree &tree) {
  std::vector<int32_t> parent(tree.states, -1);
  int64_t next = 1;
  for (int32_t s = 0; s < tree.states; s++) {
    if (tree.children[s] != next || tree.children[s + 1] < next || tree.children[s + 1] > tree.states ||
        (s > 0 && parent[s] < 0))
      throw std::invalid_argument("its histories are no tree");
    for (; next < tree.children[s + 1]; next++) {
      parent[next] = s;
      if (next > tree.children[s] && tree.words[next] <= tree.words[next - 1])
        throw std::invalid_argument("its histories are not in order");
    }
  }
  if (next != tree.states) throw std::invalid_argument("its histories are no tree");
  return parent;
}

int32_t child(const HistoryTree &tree, int32_t state, int32_t word) {
  const int32_t *first = tree.words + tree.children[state], *last = tree.words + tree.children[state + 1];
  const int32_t *found = std::lower_bound(first, last, word);
  return found != last && *found == word ? static_cast<int32_t>(found - tree.words) : -1;
}

}  // namespace

std::vector<int32_t> states_after(const HistoryTree &tree) {
  const std::vector<int32_t> parent = parents(tree);
  std::vector<int32_t> after, history;
  after.reserve(tree.followers[tree.states]);
  for (int32_t s = 0; s < tree.states; s++) {
    history.clear();  // the newest word last
    for (int32_t state = s; state > 0; state = parent[state]) history.push_back(tree.words[state]);
    for (int64_t i = tree.followers[s]; i < tree.followers[s + 1]; i++) {
      int32_t longest = 0, next = child(tree, 0, tree.labels[i]);
      for (size_t word = history.size(); next >= 0; next = child(tree, longest, history[--word])) {
        longest = next;
        if (word == 0) break;
      }
      after.push_back(longest);
    }
  }
  return after;
}

}  // namespace kaldi_bridge
