// Words and their numbers, in OpenFst's way (fst/symbol-table.h): a word has one number, several words may share one.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "line_reader.h"

namespace kaldi_bridge {

class SymbolTable {
 public:
  static constexpr int32_t kNoSymbol = -1;

  // From lines of a word and a number from 0 on; empty lines are left out, and a word's second number.
  // Throws std::invalid_argument naming the line.
  static SymbolTable read_text(ReadBlock read);

  // The number of a word, kNoSymbol for one that is not there.
  int32_t find(std::string_view word) const;

  // The last word with this number, "" for none. It is searched for.
  std::string_view word_of(int32_t number) const;

  // The number of a word, which gets the one after the largest if it is not there. Throws std::invalid_argument when
  // there is no such number.
  int32_t add(std::string_view word);

  // Lines of a word, a tab and its number, in the order in which they came; of words that share a number, the one that
  // OpenFst finds for it.
  std::string text() const;

  // As inside an FST's file.
  std::string binary(const std::string &name) const;

 private:
  void add(std::string_view word, int32_t number);
  std::string_view word(size_t index) const {
    return std::string_view(letters_).substr(ends_[index], ends_[index + 1] - ends_[index]);
  }
  size_t num_dense() const;                    // the first words, whose numbers are their indices
  std::map<int32_t, size_t> others() const;    // by number, the last word among those after them
  size_t bucket(std::string_view word) const;  // where the word is, or belongs
  void grow();

  std::string letters_;           // of all words
  std::vector<size_t> ends_{0};   // word i: letters ends_[i] to ends_[i + 1]
  std::vector<int32_t> numbers_;  // by index
  std::vector<int32_t> buckets_;  // indices, open addressing; kNoSymbol: free
  int64_t next_number_ = 0;
};

}  // namespace kaldi_bridge
