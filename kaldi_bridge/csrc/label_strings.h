// Strings of labels, each kept once: a string is its last label and the string before it, and has a number.
//
// After Kaldi's LatticeStringRepository (fstext/determinize-lattice-inl.h). Number 0 is the empty string.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kaldi_bridge {

class LabelStrings {
 public:
  LabelStrings() : entries_(1), table_(1 << 10, 0) {}

  // The string with `label` after it; with label 0 the string itself.
  int32_t append(int32_t string, int32_t label) {
    if (label == 0) return string;
    size_t place = slot(string, label);
    for (; table_[place] != 0; place = (place + 1) & (table_.size() - 1)) {
      const Entry &entry = entries_[table_[place]];
      if (entry.before == string && entry.label == label) return table_[place];
    }
    const Entry made = {string, label, entries_[string].length + 1};
    int32_t number = static_cast<int32_t>(entries_.size());
    if (unused_.empty()) {
      entries_.push_back(made);
    } else {
      number = unused_.back();
      unused_.pop_back();
      entries_[number] = made;
    }
    table_[place] = number;
    if (2 * size() > table_.size()) fill_table(2 * table_.size());
    return number;
  }
  int32_t concatenate(int32_t a, int32_t b) {
    if (a == 0) return b;
    for (const int32_t label : to_vector(b)) a = append(a, label);
    return a;
  }
  int32_t length(int32_t string) const { return entries_[string].length; }

  std::vector<int32_t> to_vector(int32_t string) const {
    std::vector<int32_t> labels(length(string));
    for (size_t i = labels.size(); i-- > 0; string = entries_[string].before) labels[i] = entries_[string].label;
    return labels;
  }

  // 1: `a` comes first: it is shorter, or as long and has the greater label where they first differ; -1: `b` does; 0: same.
  int compare(int32_t a, int32_t b) const {
    if (length(a) != length(b)) return length(a) < length(b) ? 1 : -1;
    int result = 0;
    for (; a != b; a = entries_[a].before, b = entries_[b].before)
      if (entries_[a].label != entries_[b].label) result = entries_[a].label > entries_[b].label ? 1 : -1;
    return result;
  }

  // Takes the longest common prefix off all strings of the elements (their member `string`); returns it.
  template <class Elements>
  int32_t take_common_prefix(Elements *elements) {
    seen_.resize(entries_.size(), 0);
    rest_.resize(entries_.size());
    round_ += 2;  // seen_: round_ - 1 while looking for the prefix, round_ once the rest is known
    int32_t prefix = (*elements)[0].string;
    for (const auto &element : *elements) {
      // Strings share their beginnings: what was walked over has been compared already.
      int32_t string = element.string;
      while (length(string) > length(prefix) && seen_[string] != round_ - 1) {
        seen_[string] = round_ - 1;
        string = entries_[string].before;
      }
      if (length(string) > length(prefix)) continue;
      while (length(prefix) > length(string)) prefix = entries_[prefix].before;
      while (prefix != string) {
        prefix = entries_[prefix].before;
        string = entries_[string].before;
      }
    }
    if (prefix != 0)
      for (auto &element : *elements) element.string = without(prefix, element.string);
    return prefix;
  }

  // How many strings there are, the empty one not counted.
  size_t size() const { return entries_.size() - 1 - unused_.size(); }

  // Forgets all but these strings and their beginnings.
  void keep_only(const std::vector<int32_t> &strings) {
    std::vector<char> kept(entries_.size(), 0);
    kept[0] = 1;
    for (int32_t string : strings)
      for (; !kept[string]; string = entries_[string].before) kept[string] = 1;
    unused_.clear();
    for (size_t i = entries_.size(); i-- > 0;)
      if (!kept[i]) {
        entries_[i] = {};
        unused_.push_back(static_cast<int32_t>(i));
      }
    fill_table(table_.size());
  }

 private:
  struct Entry {
    int32_t before = 0, label = 0, length = 0;
  };

  size_t slot(int32_t string, int32_t label) const {
    const uint64_t key = static_cast<uint64_t>(static_cast<uint32_t>(string)) << 32 | static_cast<uint32_t>(label);
    const uint64_t product = key * 0x9E3779B97F4A7C15u;
    return (product ^ product >> 32) & (table_.size() - 1);
  }
  void fill_table(size_t size) {
    table_.assign(size, 0);
    for (size_t i = 1; i < entries_.size(); i++) {
      if (entries_[i].length == 0) continue;
      size_t place = slot(entries_[i].before, entries_[i].label);
      while (table_[place] != 0) place = (place + 1) & (size - 1);
      table_[place] = static_cast<int32_t>(i);
    }
  }

  // `string` without its beginning `prefix`. What was found in this round is remembered for strings that share it.
  int32_t without(int32_t prefix, int32_t string) {
    path_.clear();
    int32_t rest = 0;
    for (; string != prefix; string = entries_[string].before) {
      if (seen_[string] == round_) {
        rest = rest_[string];
        break;
      }
      path_.push_back(string);
    }
    for (size_t i = path_.size(); i-- > 0;) {
      rest = append(rest, entries_[path_[i]].label);
      seen_[path_[i]] = round_;
      rest_[path_[i]] = rest;
    }
    return rest;
  }

  std::vector<Entry> entries_;
  std::vector<int32_t> table_, unused_;  // numbers by hash of (before, label), 0 where there is none; numbers to use again
  std::vector<uint32_t> seen_;
  std::vector<int32_t> rest_, path_;
  uint32_t round_ = 0;
};

}  // namespace kaldi_bridge
