// The n-grams as a tree, by their words from the first on, then laid out in the order of their words.

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "const_arpa.h"

namespace kaldi_bridge {

namespace {

// Of an n-gram that is shorter than the longest, whose children are longer ones.
struct Node {
  int32_t parent, word;
  float logprob, backoff;
};

// Of one of the longest, unless these are single words.
struct Leaf {
  int32_t parent, word;
  float logprob;
};

int32_t bits(float value) {
  int32_t result;
  std::memcpy(&result, &value, sizeof(result));
  return result;
}

std::string shown(const std::vector<int32_t> &words) {
  std::string text = "[ ";
  for (int32_t word : words) text += std::to_string(word) + " ";
  return text + "]";
}

// The children of each parent, sorted by word: numbers of nodes, or of leaves.
class Children {
 public:
  template <class T>
  Children(const std::vector<T> &items, size_t num_parents) : ends_(num_parents + 1, 0) {
    for (const T &item : items)
      if (item.parent >= 0) ends_[item.parent + 1]++;
    for (size_t i = 1; i < ends_.size(); i++) ends_[i] += ends_[i - 1];
    numbers_.resize(ends_.back());
    std::vector<int64_t> places(ends_.begin(), ends_.end() - 1);
    for (size_t i = 0; i < items.size(); i++)
      if (items[i].parent >= 0) numbers_[places[items[i].parent]++] = static_cast<int32_t>(i);
    auto before = [&](int32_t a, int32_t b) { return items[a].word < items[b].word; };
    for (size_t i = 0; i < num_parents; i++) {
      const auto first = numbers_.begin() + ends_[i], last = numbers_.begin() + ends_[i + 1];
      if (!std::is_sorted(first, last, before)) std::sort(first, last, before);
    }
  }
  int64_t count(int32_t parent) const { return ends_[parent + 1] - ends_[parent]; }
  const int32_t *begin(int32_t parent) const { return numbers_.data() + ends_[parent]; }
  const int32_t *end(int32_t parent) const { return numbers_.data() + ends_[parent + 1]; }

 private:
  std::vector<int64_t> ends_;
  std::vector<int32_t> numbers_;
};

class Builder : public NgramConsumer {
 public:
  void start(int32_t order) override { parts_.order = order; }

  const char *consume(const Ngram &ngram) override {
    const int32_t length = static_cast<int32_t>(ngram.words.size()), word = ngram.words.back();
    const int32_t parent = length > 1 ? history(ngram.words) : kRoot;
    if (length > 1 && length == parts_.order) {
      leaves_.push_back({parent, word, ngram.logprob});
      return nullptr;
    }
    if (find(parent, word) != kRoot)
      throw std::invalid_argument("N-gram " + shown(ngram.words) + " appears twice in the arpa file");
    add({parent, word, ngram.logprob, ngram.backoff});
    return nullptr;
  }

  ConstArpaParts lay_out(int64_t farthest) {
    buckets_ = {};
    const Children inner(nodes_, nodes_.size()), last(leaves_, nodes_.size());
    auto is_stored = [&](int32_t node) {
      return nodes_[node].parent == kRoot || nodes_[node].backoff != 0.0f || inner.count(node) > 0 || last.count(node) > 0;
    };
    // In the order of their words, a node before those that go on from it.
    std::vector<int32_t> waiting, order;
    for (auto root = unigrams_.rbegin(); root != unigrams_.rend(); ++root)
      if (*root != kRoot) waiting.push_back(*root);
    std::vector<int64_t> addresses(nodes_.size(), 0);
    int64_t size = 0;
    while (!waiting.empty()) {
      const int32_t node = waiting.back();
      waiting.pop_back();
      if (!is_stored(node)) continue;
      addresses[node] = size;
      order.push_back(node);
      size += 3 + 2 * (inner.count(node) + last.count(node));
      for (const int32_t *child = inner.end(node); child != inner.begin(node);) waiting.push_back(*--child);
    }
    std::vector<int32_t> &words = parts_.words;
    words.reserve(size);
    for (int32_t node : order) {
      words.push_back(bits(nodes_[node].logprob));
      words.push_back(bits(nodes_[node].backoff));
      words.push_back(static_cast<int32_t>(inner.count(node) + last.count(node)));
      for (const int32_t *child = inner.begin(node); child != inner.end(node); ++child) {
        words.push_back(nodes_[*child].word);
        words.push_back(is_stored(*child) ? link(addresses[*child], addresses[*child] - addresses[node], farthest)
                                          : bits(nodes_[*child].logprob) & ~1);
      }
      for (const int32_t *child = last.begin(node); child != last.end(node); ++child) {
        words.push_back(leaves_[*child].word);
        words.push_back(bits(leaves_[*child].logprob) & ~1);
      }
    }
    for (int32_t node : unigrams_) parts_.unigrams.push_back(node == kRoot ? 0 : addresses[node] + 1);
    return std::move(parts_);
  }

 private:
  static constexpr int32_t kRoot = -1;  // no node

  int32_t link(int64_t address, int64_t distance, int64_t farthest) {
    if (distance <= farthest) return static_cast<int32_t>(distance * 2) | 1;
    parts_.overflow.push_back(address + 1);
    return -(static_cast<int32_t>(parts_.overflow.size() - 1) * 2 | 1);
  }

  // The node of all words but the last. Most n-grams have that of the one before them, or one that begins like it.
  int32_t history(const std::vector<int32_t> &words) {
    const size_t length = words.size() - 1;
    size_t same = 0;
    while (same < length && same < path_.size() && path_[same].first == words[same]) same++;
    path_.resize(same);
    while (path_.size() < length) {
      const int32_t word = words[path_.size()], node = find(path_.empty() ? kRoot : path_.back().second, word);
      if (node == kRoot) throw std::invalid_argument("n-gram " + shown(words) + " does not have a parent");
      path_.emplace_back(word, node);
    }
    return path_.back().second;
  }

  void add(const Node &node) {
    const int32_t number = static_cast<int32_t>(nodes_.size());
    nodes_.push_back(node);
    if (node.parent == kRoot) {
      if (static_cast<size_t>(node.word) >= unigrams_.size()) unigrams_.resize(node.word + 1, kRoot);
      unigrams_[node.word] = number;
      return;
    }
    if (4 * ++num_hashed_ > 3 * buckets_.size()) {
      buckets_.assign(std::max<size_t>(1 << 10, 2 * buckets_.size()), kRoot);
      for (size_t i = 0; i + 1 < nodes_.size(); i++)
        if (nodes_[i].parent != kRoot) buckets_[free_bucket(nodes_[i].parent, nodes_[i].word)] = static_cast<int32_t>(i);
    }
    buckets_[free_bucket(node.parent, node.word)] = number;
  }

  int32_t find(int32_t parent, int32_t word) const {
    if (parent == kRoot) return static_cast<size_t>(word) < unigrams_.size() ? unigrams_[word] : kRoot;
    return buckets_.empty() ? kRoot : buckets_[free_bucket(parent, word)];
  }

  // Where the node of this parent and word is, or belongs.
  size_t free_bucket(int32_t parent, int32_t word) const {
    size_t place = (pair_key(parent, word) * 0x9E3779B97F4A7C15u) >> 20 & (buckets_.size() - 1);
    for (int32_t node; (node = buckets_[place]) != kRoot; place = (place + 1) & (buckets_.size() - 1))
      if (nodes_[node].parent == parent && nodes_[node].word == word) break;
    return place;
  }

  ConstArpaParts parts_;
  std::vector<Node> nodes_;
  std::vector<Leaf> leaves_;
  std::vector<int32_t> unigrams_;  // nodes by word
  std::vector<int32_t> buckets_;   // other nodes by parent and word, open addressing
  size_t num_hashed_ = 0;
  std::vector<std::pair<int32_t, int32_t>> path_;  // words and nodes of the last history
};

}  // namespace

ConstArpaParts build_const_arpa(const ArpaOptions &options, ReadBlock read, int64_t farthest, const Message &info,
                                const Message &warn) {
  Builder builder;
  parse_arpa(options, std::move(read), nullptr, &builder, info, warn);
  return builder.lay_out(farthest);
}

}  // namespace kaldi_bridge
