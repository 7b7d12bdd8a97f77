// OpenFst's text forms: of FSTs (script/compile-impl.h, print-impl.h) and of symbol tables (symbol-table.cc).

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "packed_fst.h"

namespace kaldi_bridge {

// Symbols and their numbers.
class Symbols {
 public:
  // Lines of a symbol and a number; throws std::invalid_argument for others.
  static Symbols from_text(std::string_view text, bool allow_negative);
  // Entries as they are inside FSTs (the length of a symbol, it, its number) without anything after them.
  static Symbols from_entries(std::string_view bytes);
  // (symbol, number) pairs.
  explicit Symbols(std::vector<std::pair<std::string, int64_t>> entries);

  const std::vector<std::pair<std::string, int64_t>> &entries() const { return entries_; }
  const int64_t *number(std::string_view symbol) const;
  // Of those that share a number, the one that OpenFst finds: the last one, but the first among symbols that count up
  // from 0 at the beginning.
  const std::string *symbol(int64_t number) const;
  const std::unordered_map<int64_t, size_t> &places() const { return places_; }  // in the entries, by number

 private:
  std::vector<std::pair<std::string, int64_t>> entries_;
  std::unordered_map<std::string_view, int64_t> numbers_;
  std::unordered_map<int64_t, size_t> places_;
};

// The end of the first entries, at most `most`, that are whole; `count`: how many they are.
size_t whole_entries(std::string_view bytes, int64_t most, int64_t *count);

struct TextTables {
  const Symbols *input = nullptr, *output = nullptr, *state = nullptr;  // nullptr: numbers
};

struct CompileOptions {
  bool acceptor = false, keep_numbers = false, allow_negative = false;
};

// Throws std::invalid_argument that names the line.
PackedFst compile_fst(std::string_view text, const TextTables &tables, const CompileOptions &options);

struct PrintOptions {
  bool acceptor = false, show_zero_costs = false;
  const std::string *missing = nullptr;  // stands for numbers without a symbol; nullptr: they are errors
};

// Throws std::invalid_argument for a number without a symbol.
std::string print_fst(const FstView &fst, const TextTables &tables, const PrintOptions &options);

}  // namespace kaldi_bridge
