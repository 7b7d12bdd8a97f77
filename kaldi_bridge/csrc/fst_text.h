// OpenFst's text forms: of FSTs (script/compile-impl.h, print-impl.h) and of symbol tables (symbol-table.cc).

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "acceptors.h"
#include "fst_arc.h"

namespace kaldi_bridge {

// Symbols and their numbers.
class Symbols {
 public:
  // Lines of a symbol and a number; throws std::invalid_argument for others.
  static Symbols from_text(std::string_view text, bool allow_negative);
  // (symbol, number) pairs.
  explicit Symbols(std::vector<std::pair<std::string, int64_t>> entries);

  const std::vector<std::pair<std::string, int64_t>> &entries() const { return entries_; }
  const int64_t *number(std::string_view symbol) const;
  const std::string *symbol(int64_t number) const;

 private:
  std::vector<std::pair<std::string, int64_t>> entries_;
  std::unordered_map<std::string_view, int64_t> numbers_;
  std::unordered_map<int64_t, size_t> places_;
};

struct TextTables {
  const Symbols *input = nullptr, *output = nullptr, *state = nullptr;  // nullptr: numbers
};

struct CompileOptions {
  bool acceptor = false, keep_numbers = false, allow_negative = false;
};

struct CompiledFst {
  int32_t start = -1;
  NewFst fst;
};

// Throws std::invalid_argument that names the line.
CompiledFst compile_fst(std::string_view text, const TextTables &tables, const CompileOptions &options);

struct PrintOptions {
  bool acceptor = false, show_zero_costs = false;
  const std::string *missing = nullptr;  // stands for numbers without a symbol; nullptr: they are errors
};

// Throws std::invalid_argument for a number without a symbol.
std::string print_fst(const FstArrays &fst, const TextTables &tables, const PrintOptions &options);

}  // namespace kaldi_bridge
