#include "symbol_table.h"

#include <functional>
#include <limits>
#include <stdexcept>

#include "text_numbers.h"

namespace kaldi_bridge {
namespace {

constexpr std::string_view kSeparators = "\t ";

// The words of a line: at most `most + 1`, the rest is not looked at.
std::vector<std::string_view> split(std::string_view line, size_t most) {
  std::vector<std::string_view> words;
  size_t start;
  while (words.size() <= most && (start = line.find_first_not_of(kSeparators)) != line.npos) {
    line.remove_prefix(start);
    words.push_back(line.substr(0, line.find_first_of(kSeparators)));
    line.remove_prefix(words.back().size());
  }
  return words;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <class T>
void append_raw(std::string *out, T value) {
  out->append(reinterpret_cast<const char *>(&value), sizeof value);
}

void append_string(std::string *out, std::string_view text) {
  append_raw(out, static_cast<int32_t>(text.size()));
  out->append(text);
}

}  // namespace

SymbolTable SymbolTable::read_text(ReadBlock read) {
  SymbolTable table;
  LineReader lines(std::move(read));
  std::string line;
  for (size_t count = 1;; count++) {
    const bool whole = lines.next(&line);
    const auto words = split(std::string_view(line).substr(0, line.find('\0')), 2);
    if (!words.empty()) {
      int32_t number;
      if (words.size() != 2 || !parse_int32(words[1], &number) || number < 0 || !is_digit(words[1].back()))
        throw std::invalid_argument("line " + std::to_string(count) + " [" + line + "] is not a word and its number");
      table.add(words[0], number);
    }
    if (!whole) return table;
  }
}

int32_t SymbolTable::find(std::string_view word) const {
  if (buckets_.empty()) return kNoSymbol;
  const int32_t index = buckets_[bucket(word)];
  return index == kNoSymbol ? kNoSymbol : numbers_[index];
}

std::string_view SymbolTable::word_of(int32_t number) const {
  for (size_t i = numbers_.size(); i-- > 0;)
    if (numbers_[i] == number) return word(i);
  return {};
}

int32_t SymbolTable::add(std::string_view word) {
  const int32_t found = find(word);
  if (found != kNoSymbol) return found;
  if (next_number_ > std::numeric_limits<int32_t>::max())
    throw std::invalid_argument("the symbol table has no number left for " + std::string(word));
  const int32_t number = static_cast<int32_t>(next_number_);
  add(word, number);
  return number;
}

void SymbolTable::add(std::string_view word, int32_t number) {
  if (4 * (numbers_.size() + 1) > 3 * buckets_.size()) grow();
  int32_t &place = buckets_[bucket(word)];
  if (place != kNoSymbol) return;
  place = static_cast<int32_t>(numbers_.size());
  letters_.append(word);
  ends_.push_back(letters_.size());
  numbers_.push_back(number);
  if (number >= next_number_) next_number_ = int64_t{number} + 1;
}

size_t SymbolTable::bucket(std::string_view sought) const {
  const size_t mask = buckets_.size() - 1;
  size_t place = std::hash<std::string_view>()(sought) & mask;
  while (buckets_[place] != kNoSymbol && word(buckets_[place]) != sought) place = (place + 1) & mask;
  return place;
}

void SymbolTable::grow() {
  buckets_.assign(buckets_.empty() ? 16 : 2 * buckets_.size(), kNoSymbol);
  for (size_t i = 0; i < numbers_.size(); i++) buckets_[bucket(word(i))] = static_cast<int32_t>(i);
}

size_t SymbolTable::num_dense() const {
  size_t dense = 0;
  while (dense < numbers_.size() && numbers_[dense] == static_cast<int32_t>(dense)) dense++;
  return dense;
}

std::map<int32_t, size_t> SymbolTable::others() const {
  std::map<int32_t, size_t> found;
  for (size_t i = num_dense(); i < numbers_.size(); i++) found[numbers_[i]] = i;
  return found;
}

std::string SymbolTable::text() const {
  const size_t dense = num_dense();
  const auto by_number = others();
  std::string out;
  for (const int32_t number : numbers_) {
    const size_t index = static_cast<size_t>(number) < dense ? number : by_number.at(number);
    out.append(word(index)).append("\t").append(std::to_string(number)).append("\n");
  }
  return out;
}

std::string SymbolTable::binary(const std::string &name) const {
  constexpr int32_t kMagic = 2125658996;
  std::string out;
  append_raw(&out, kMagic);
  append_string(&out, name);
  append_raw(&out, next_number_);
  append_raw(&out, static_cast<int64_t>(numbers_.size()));
  const auto append = [&](size_t index, int64_t number) {
    append_string(&out, word(index));
    append_raw(&out, number);
  };
  const size_t dense = num_dense();
  for (size_t i = 0; i < dense; i++) append(i, numbers_[i]);
  for (const auto &[number, index] : others()) append(index, number);
  return out;
}

}  // namespace kaldi_bridge
