#include "fst_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>

namespace kaldi_bridge {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr size_t kMostFields = 6;  // one more than a line may have

// Calls `take(fields, count, line number)` with what stands between spaces and tabs in each line that has anything.
template <class Take>
void each_line(std::string_view text, Take take) {
  std::string_view fields[kMostFields];
  int64_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    number++;
    size_t count = 0;
    for (size_t i = begin; i < end && count < kMostFields;) {
      while (i < end && (text[i] == ' ' || text[i] == '\t')) i++;
      const size_t first = i;
      while (i < end && text[i] != ' ' && text[i] != '\t') i++;
      if (i > first) fields[count++] = text.substr(first, i - first);
    }
    if (count) take(fields, count, number);
    begin = end + 1;
  }
}

bool parse_integer(std::string_view word, int64_t *value) {
  if (!word.empty() && word[0] == '+') word.remove_prefix(1);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), *value);
  return error == std::errc() && end == word.data() + word.size();
}

[[noreturn]] void fail(const std::string &what, int64_t line) {
  throw std::invalid_argument(what + ", line = " + std::to_string(line));
}

class Compiler {
 public:
  Compiler(const TextTables &tables, const CompileOptions &options) : tables_(tables), options_(options) {}

  void line(const std::string_view *fields, size_t count, int64_t number) {
    line_ = number;
    if (count > 5 || (count > 4 && options_.acceptor) || (count == 3 && !options_.acceptor))
      fail("Bad number of columns", line_);
    const int32_t from = state(fields[0]);
    if (start_ < 0) start_ = from;
    if (count <= 2) {
      finals_[from] = count == 2 ? cost(fields[1], true) : 0.0f;
      return;
    }
    const int32_t to = state(fields[1]);
    const int32_t ilabel = label(fields[2], tables_.input, "arc ilabel");
    const int32_t olabel = options_.acceptor ? ilabel : label(fields[3], tables_.output, "arc olabel");
    const size_t labels_end = options_.acceptor ? 3 : 4;
    sources_.push_back(from);
    arcs_.push_back({ilabel, olabel, count > labels_end ? cost(fields[labels_end], false) : 0.0f, to});
  }

  PackedFst result() const {
    PackedFst made;
    made.start = start_;
    made.finals = finals_;
    std::vector<int64_t> &offsets = made.offsets;
    offsets.assign(finals_.size() + 1, 0);
    for (int32_t s : sources_) offsets[s + 1]++;
    for (size_t s = 0; s < finals_.size(); s++) offsets[s + 1] += offsets[s];
    std::vector<int64_t> place(offsets.begin(), offsets.end());
    made.arcs.resize(arcs_.size());
    for (size_t i = 0; i < arcs_.size(); i++) made.arcs[place[sources_[i]]++] = arcs_[i];
    return made;
  }

 private:
  int64_t number(std::string_view word, const Symbols *symbols, const char *what) const {
    int64_t value = 0;
    if (symbols) {
      const int64_t *found = symbols->number(word);
      if (!found || *found == -1 || (!options_.allow_negative && *found < 0))
        fail("Symbol \"" + std::string(word) + "\" is not mapped to any integer " + what, line_);
      value = *found;
    } else if (!parse_integer(word, &value) || (!options_.allow_negative && value < 0)) {
      fail(std::string("Bad ") + what + " integer = \"" + std::string(word) + "\"", line_);
    }
    if (value > std::numeric_limits<int32_t>::max() || value < std::numeric_limits<int32_t>::min())
      fail(std::string("Bad ") + what + " integer = \"" + std::string(word) + "\"", line_);
    return value;
  }

  int32_t label(std::string_view word, const Symbols *symbols, const char *what) const {
    return static_cast<int32_t>(number(word, symbols, what));
  }

  int32_t state(std::string_view word) {
    const int64_t named = number(word, tables_.state, "state ID");
    int64_t s = named;
    if (!options_.keep_numbers) {
      s = states_.try_emplace(named, static_cast<int64_t>(states_.size())).first->second;
    } else if (named < 0 || named > 1000 + 100 * line_) {
      // Each state up to it is made; a file does not name one far beyond its own length by mistake.
      fail("Bad state ID integer = \"" + std::string(word) + "\"", line_);
    }
    if (static_cast<size_t>(s) >= finals_.size()) finals_.resize(s + 1, kInfinity);
    return static_cast<int32_t>(s);
  }

  float cost(std::string_view word, bool allow_infinity) const {
    if (word == "Infinity" && allow_infinity) return kInfinity;
    if (word == "-Infinity") return -kInfinity;
    const std::string copy(word);
    char *end = nullptr;
    const float value = std::strtof(copy.c_str(), &end);
    if (end != copy.c_str() + copy.size() || copy.empty() || std::isnan(value) || (value == kInfinity && !allow_infinity))
      fail("Bad weight = \"" + copy + "\"", line_);
    return value;
  }

  const TextTables tables_;
  const CompileOptions options_;
  int64_t line_ = 0;
  int32_t start_ = -1;
  std::vector<float> finals_;
  std::vector<int32_t> sources_;  // the state that each arc leaves
  std::vector<FstArc> arcs_;
  std::unordered_map<int64_t, int64_t> states_;  // by what the text calls them
};

class Printer {
 public:
  Printer(const FstView &fst, const TextTables &tables, const PrintOptions &options)
      : fst_(fst), tables_(tables), options_(options) {}

  std::string text() {
    if (fst_.start < 0) return {};
    state(fst_.start);
    for (int32_t s = 0; s < fst_.num_states; s++)
      if (s != fst_.start) state(s);
    return std::move(text_);
  }

 private:
  void state(int32_t s) {
    for (int64_t i = fst_.offsets[s]; i < fst_.offsets[s + 1]; i++) {
      const FstArc &arc = fst_.arcs[i];
      symbol(s, tables_.state, "state ID");
      text_ += '\t';
      symbol(arc.nextstate, tables_.state, "state ID");
      text_ += '\t';
      symbol(arc.ilabel, tables_.input, "arc input label");
      if (!options_.acceptor) {
        text_ += '\t';
        symbol(arc.olabel, tables_.output, "arc output label");
      }
      cost(arc.weight);
      text_ += '\n';
    }
    const float final = fst_.finals[s];
    if (final == kInfinity && fst_.offsets[s] < fst_.offsets[s + 1]) return;
    symbol(s, tables_.state, "state ID");
    cost(final);
    text_ += '\n';
  }

  void symbol(int64_t number, const Symbols *symbols, const char *what) {
    if (!symbols) {
      char digits[24];
      text_.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
    } else if (const std::string *found = symbols->symbol(number)) {
      text_ += *found;
    } else if (options_.missing) {
      text_ += *options_.missing;
    } else {
      throw std::invalid_argument("Integer " + std::to_string(number) + " is not mapped to any textual symbol, " + what);
    }
  }

  void cost(float value) {
    if (value == 0.0f && !options_.show_zero_costs) return;
    text_ += '\t';
    if (std::isinf(value)) {
      text_ += value > 0 ? "Infinity" : "-Infinity";
      return;
    }
    char digits[32];
    text_.append(digits, std::snprintf(digits, sizeof digits, "%.9g", value));
  }

  const FstView fst_;
  const TextTables tables_;
  const PrintOptions options_;
  std::string text_;
};

// Of the entry of a symbol table that the bytes begin with; nothing where they end before it.
std::optional<size_t> entry_length(std::string_view bytes) {
  int32_t size;
  if (bytes.size() < sizeof size) return {};
  std::memcpy(&size, bytes.data(), sizeof size);
  const size_t length = sizeof size + static_cast<uint32_t>(size) + sizeof(int64_t);
  if (size < 0 || bytes.size() < length) return {};
  return length;
}

}  // namespace

Symbols::Symbols(std::vector<std::pair<std::string, int64_t>> entries) : entries_(std::move(entries)) {
  numbers_.reserve(entries_.size());
  places_.reserve(entries_.size());
  int64_t size = 0, counted = 0;  // of different symbols; of the first ones, numbered 0, 1, 2, ...
  for (size_t i = 0; i < entries_.size(); i++) {
    const auto &[symbol, number] = entries_[i];
    if (!numbers_.try_emplace(symbol, number).second) continue;
    if (counted == size && number == size) counted++;
    size++;
    const auto [place, is_new] = places_.try_emplace(number, i);
    if (!is_new && number >= counted) place->second = i;
  }
}

Symbols Symbols::from_text(std::string_view text, bool allow_negative) {
  std::vector<std::pair<std::string, int64_t>> entries;
  each_line(text, [&](const std::string_view *fields, size_t count, int64_t line) {
    int64_t number = 0;
    if (count != 2) fail("Bad number of columns (" + std::to_string(count) + ")", line);
    if (!parse_integer(fields[1], &number) || (!allow_negative && number < 0))
      fail("Bad non-negative integer \"" + std::string(fields[1]) + "\"", line);
    entries.emplace_back(fields[0], number);
  });
  return Symbols(std::move(entries));
}

Symbols Symbols::from_entries(std::string_view bytes) {
  std::vector<std::pair<std::string, int64_t>> entries;
  while (const std::optional<size_t> length = entry_length(bytes)) {
    int64_t number;
    std::memcpy(&number, bytes.data() + *length - sizeof number, sizeof number);
    entries.emplace_back(bytes.substr(sizeof(int32_t), *length - sizeof(int32_t) - sizeof number), number);
    bytes.remove_prefix(*length);
  }
  return Symbols(std::move(entries));
}

size_t whole_entries(std::string_view bytes, int64_t most, int64_t *count) {
  size_t end = 0;
  for (*count = 0; *count < most; ++*count) {
    const std::optional<size_t> length = entry_length(bytes.substr(end));
    if (!length) break;
    end += *length;
  }
  return end;
}

const int64_t *Symbols::number(std::string_view symbol) const {
  const auto found = numbers_.find(symbol);
  return found == numbers_.end() ? nullptr : &found->second;
}

const std::string *Symbols::symbol(int64_t number) const {
  const auto found = places_.find(number);
  return found == places_.end() ? nullptr : &entries_[found->second].first;
}

PackedFst compile_fst(std::string_view text, const TextTables &tables, const CompileOptions &options) {
  Compiler compiler(tables, options);
  each_line(text, [&](const std::string_view *fields, size_t count, int64_t line) { compiler.line(fields, count, line); });
  return compiler.result();
}

std::string print_fst(const FstView &fst, const TextTables &tables, const PrintOptions &options) {
  return Printer(fst, tables, options).text();
}

}  // namespace kaldi_bridge
