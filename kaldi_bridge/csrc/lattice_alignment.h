// Lattices whose arcs are whole phones (lat/phone-align-lattice.cc) or whole words (lat/word-align-lattice.cc,
// lat/word-align-lattice-lexicon.cc).
//
// Along each path words and transition-ids are collected until what has been collected begins with a whole phone or
// word, which then becomes an arc. A state of the result is a state of the lattice together with what waits there.
// Steps that only collect are arcs without a word, which are removed at the end.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compact_states.h"

namespace kaldi_bridge {

// What alignment needs to know of transition-ids; each indexed by transition-id.
struct Transitions {
  std::vector<int32_t> phones;
  std::vector<char> finals, loops;  // whether it leaves its phone, whether it is a self-loop
};

struct Aligned {
  FlatCompactLattice lattice;
  std::vector<std::string> warnings;
  bool whole = true;  // false: the lattice does not consist of whole phones or words, or was too large
};

// All take lattices without cycles. `reorder`: a phone's last self-loops come after the transition that leaves it.
// Throw std::invalid_argument.

Aligned align_phones(const FlatCompactLattice &lattice, const Transitions &transitions, bool reorder,
                     bool phones_as_labels, bool without_epsilons);

enum class PhoneKind : int32_t { kNone, kBegin, kEnd, kSingleton, kInternal, kNonword };

struct WordBoundaries {
  std::vector<int32_t> kinds;  // by phone, of PhoneKind
  int32_t silence_label = 0, partial_word_label = 0;
  bool reorder = true;
};

// `max_states` > 0: a result with more states is given up, and is what there is until then.
Aligned align_words(const FlatCompactLattice &lattice, const Transitions &transitions, const WordBoundaries &boundaries,
                    int32_t max_states);

// Pronunciations by which words are found: lines of word in the lattice, word in the result, phones.
class AlignmentLexicon {
 public:
  explicit AlignmentLexicon(const std::vector<Ids> &lines);

  static constexpr int32_t kTemporaryEpsilon = -2;  // stands for a word 0 in the result until epsilons are removed

  // The word that stands in the result for a word and its phones, none: 0. The key is the word, then its phones.
  int32_t result_of(const Ids &key) const;
  // Whether pronunciations of the word, or of no word, begin with these phones and are longer.
  bool may_go_on(const Ids &phones, int32_t word) const;
  // The smallest and the largest number of phones of a word; null: a word without pronunciations.
  const std::pair<int32_t, int32_t> *lengths_of(int32_t word) const;

  std::vector<std::string> warnings;

 private:
  struct Hash {
    size_t operator()(const Ids &ids) const;
  };
  std::unordered_map<Ids, int32_t, Hash> words_;
  std::unordered_map<Ids, Ids, Hash> prefixes_;  // of pronunciations: the words that have them, sorted
  std::unordered_map<int32_t, std::pair<int32_t, int32_t>> lengths_;
};

// `max_expand` > 0: a lattice that would grow beyond 1000 + max_expand * states (of the phones' lattice) becomes empty.
Aligned align_words_by_lexicon(const FlatCompactLattice &lattice, const Transitions &transitions,
                               const AlignmentLexicon &lexicon, int32_t partial_word_label, bool reorder,
                               float max_expand);

}  // namespace kaldi_bridge
