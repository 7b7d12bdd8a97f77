#include "arpa_fst.h"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "epsilon_removal.h"

namespace kaldi_bridge {
namespace {

// A tree of word sequences that begins at the empty one, node 0. Its branches are in a hash table by node and word; those
// of node 0, where words' numbers are not too large, in an array.
class HistoryTree {
 public:
  static constexpr int32_t kNone = -1;

  HistoryTree() : state_of_{kNone} { keys_.resize(kFewest, kFree), nodes_.resize(kFewest); }

  // The node of a sequence; kNone for one that is not there.
  int32_t find(const int32_t *begin, const int32_t *end) const {
    int32_t node = 0;
    for (; begin != end && node != kNone; begin++) node = child(node, *begin);
    return node;
  }

  int32_t add(const int32_t *begin, const int32_t *end) {
    int32_t node = 0;
    for (; begin != end; begin++) {
      const int32_t next = child(node, *begin);
      node = next != kNone ? next : add_child(node, *begin);
    }
    return node;
  }

  // The state of a node; kNone for one that has none.
  int32_t &state_of(int32_t node) { return state_of_[node]; }

  int32_t find_state(const int32_t *begin, const int32_t *end) const {
    const int32_t node = find(begin, end);
    return node == kNone ? kNone : state_of_[node];
  }

 private:
  static constexpr uint64_t kFree = ~uint64_t{0};
  static constexpr size_t kFewest = 1024;
  static constexpr int32_t kLargeWord = 1 << 22;

  static uint64_t key(int32_t node, int32_t word) {
    return uint64_t{static_cast<uint32_t>(node)} << 32 | static_cast<uint32_t>(word);
  }

  size_t place(uint64_t key) const {
    const size_t mask = keys_.size() - 1;
    size_t at = (key * 0x9e3779b97f4a7c15u) >> 20 & mask;
    while (keys_[at] != key && keys_[at] != kFree) at = (at + 1) & mask;
    return at;
  }

  int32_t child(int32_t node, int32_t word) const {
    if (node == 0 && word < kLargeWord)
      return static_cast<size_t>(word) < of_first_word_.size() ? of_first_word_[word] : kNone;
    const size_t at = place(key(node, word));
    return keys_[at] == kFree ? kNone : nodes_[at];
  }

  int32_t add_child(int32_t node, int32_t word) {
    const int32_t added = static_cast<int32_t>(state_of_.size());
    state_of_.push_back(kNone);
    if (node == 0 && word < kLargeWord) {
      if (static_cast<size_t>(word) >= of_first_word_.size()) of_first_word_.resize(word + 1, kNone);
      of_first_word_[word] = added;
      return added;
    }
    if (4 * ++num_hashed_ > 3 * keys_.size()) grow();
    const size_t at = place(key(node, word));
    keys_[at] = key(node, word);
    nodes_[at] = added;
    return added;
  }

  void grow() {
    std::vector<uint64_t> keys(2 * keys_.size(), kFree);
    std::vector<int32_t> nodes(keys.size());
    keys.swap(keys_);
    nodes.swap(nodes_);
    for (size_t i = 0; i < keys.size(); i++) {
      if (keys[i] == kFree) continue;
      const size_t at = place(keys[i]);
      keys_[at] = keys[i];
      nodes_[at] = nodes[i];
    }
  }

  std::vector<int32_t> state_of_;
  std::vector<int32_t> of_first_word_;
  std::vector<uint64_t> keys_;  // open addressing
  std::vector<int32_t> nodes_;
  size_t num_hashed_ = 0;
};

class Compiler : public NgramConsumer {
 public:
  Compiler(const ArpaSymbols &symbols, MutableFst *fst) : symbols_(symbols), fst_(*fst) {
    histories_.state_of(0) = fst_.add_state();
    if (symbols_.disambig == 0) {
      end_state_ = fst_.add_state();
      fst_.set_final(end_state_, 0.0f);
    }
  }

  void start(int32_t order) override { highest_order_ = static_cast<size_t>(order); }

  const char *consume(const Ngram &ngram) override {
    const std::vector<int32_t> &words = ngram.words;
    for (size_t i = 0; i < words.size(); i++)
      if ((i > 0 && words[i] == symbols_.begin) || (i + 1 < words.size() && words[i] == symbols_.end))
        return "n-gram has invalid BOS/EOS placement";
    const int32_t *const first = words.data(), *const last = first + words.size() - 1;
    const int32_t source = histories_.find_state(first, last);
    if (source == HistoryTree::kNone) return "no parent (n-1)-gram exists";
    const int32_t word = *last;
    if (word == symbols_.disambig)
      throw std::invalid_argument("<eps> or disambiguation symbol " + std::to_string(word) + " found in the ARPA file.");
    if (word == symbols_.end) {
      add_end(source, -ngram.logprob);
    } else {
      // What follows the longest n-grams depends on their last words alone.
      const int32_t target = state_of(words.size() == highest_order_ ? first + 1 : first, last + 1, -ngram.backoff);
      if (word == symbols_.begin)
        add_begin(word, target);
      else
        fst_.add_arc(source, {word, word, -ngram.logprob, target});
    }
    return nullptr;
  }

 private:
  void add_end(int32_t source, float cost) {
    if (symbols_.disambig == 0)
      fst_.add_arc(source, {symbols_.end, symbols_.end, cost, end_state_});
    else
      fst_.set_final(source, cost);
  }

  void add_begin(int32_t word, int32_t target) {
    if (symbols_.disambig == 0) {
      const int32_t state = fst_.add_state();
      fst_.set_start(state);
      fst_.add_arc(state, {word, word, 0.0f, target});
    } else {
      fst_.set_start(target);
    }
  }

  // Of a history; a new one gets an arc to its longest ending that has a state.
  int32_t state_of(const int32_t *begin, const int32_t *end, float backoff_cost) {
    const int32_t node = histories_.add(begin, end);
    if (histories_.state_of(node) != HistoryTree::kNone) return histories_.state_of(node);
    const int32_t state = fst_.add_state();
    histories_.state_of(node) = state;
    int32_t target;
    do target = histories_.find_state(++begin, end);
    while (target == HistoryTree::kNone);
    fst_.add_arc(state, {symbols_.disambig, 0, backoff_cost, target});
    return state;
  }

  const ArpaSymbols symbols_;
  MutableFst &fst_;
  HistoryTree histories_;
  size_t highest_order_ = 0;
  int32_t end_state_ = MutableFst::kNoState;
};

// States that hold nothing but a backoff: arcs to them go where it leads.
void remove_redundant_states(MutableFst *fst, int32_t disambig, const Message &info) {
  const int32_t before = fst->num_states();
  for (int32_t s = 0; s < before; s++) {
    std::vector<FstArc> &arcs = fst->arcs[s];
    if (arcs.size() != 1 || fst->is_final(s) || arcs[0].ilabel != disambig) continue;
    fst->change_arc(arcs[0], {0, arcs[0].olabel, arcs[0].weight, arcs[0].nextstate});
  }
  remove_epsilons_local(*fst, {false, false});
  info("Reduced num-states from " + std::to_string(before) + " to " + std::to_string(fst->num_states()));
}

void check(const ArpaSymbols &symbols, const SymbolTable &words) {
  if (symbols.begin <= 0 || symbols.end <= 0 || symbols.begin == symbols.end)
    throw std::invalid_argument("BOS and EOS symbols are required, must not be epsilons, and differ from each other. "
                                "Given: BOS=" +
                                std::to_string(symbols.begin) + " EOS=" + std::to_string(symbols.end));
  if (words.word_of(symbols.begin).empty()) throw std::invalid_argument("BOS symbol must exist in symbol table");
  if (words.word_of(symbols.end).empty()) throw std::invalid_argument("EOS symbol must exist in symbol table");
}

}  // namespace

MutableFst compile_arpa(const ArpaOptions &options, const ArpaSymbols &symbols, ReadBlock read, SymbolTable *words,
                        const Message &info, const Message &warn) {
  check(symbols, *words);
  MutableFst fst;
  {
    Compiler compiler(symbols, &fst);
    parse_arpa(options, std::move(read), words, &compiler, info, warn);
  }
  if (symbols.disambig != 0) remove_redundant_states(&fst, symbols.disambig, info);
  if (fst.start == MutableFst::kNoState)
    throw std::invalid_argument("Arpa file did not contain the beginning-of-sentence symbol " +
                                std::string(words->word_of(symbols.begin)) + ", or nothing leads from it to " +
                                std::string(words->word_of(symbols.end)) + ".");
  return fst;
}

}  // namespace kaldi_bridge
