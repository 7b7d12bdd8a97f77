// Numbers for what the states of a composed transducer stand for.

#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace kaldi_bridge {

// Pairs of states, numbered as they are met; of the same pair there may be one after an epsilon of the second side besides.
class PairNumbers {
 public:
  PairNumbers() : table_(size_t{1} << kFirstBits, -1) {}

  int32_t of(int32_t first, int32_t second, int32_t after_epsilon = 0) {
    const uint64_t key = static_cast<uint64_t>(first) << 32 | static_cast<uint64_t>(second) << 1 | after_epsilon;
    size_t place = slot(key);
    for (; table_[place] >= 0; place = (place + 1) & (table_.size() - 1))
      if (keys_[table_[place]] == key) return table_[place];
    if (keys_.size() == INT32_MAX) throw std::length_error("the composed FST has too many states");
    table_[place] = static_cast<int32_t>(keys_.size());
    keys_.push_back(key);
    if (2 * keys_.size() > table_.size()) grow();
    return static_cast<int32_t>(keys_.size()) - 1;
  }
  size_t size() const { return keys_.size(); }
  int32_t first(size_t number) const { return static_cast<int32_t>(keys_[number] >> 32); }
  int32_t second(size_t number) const { return static_cast<int32_t>(keys_[number] >> 1 & INT32_MAX); }
  bool after_epsilon(size_t number) const { return keys_[number] & 1; }

 private:
  static constexpr int kFirstBits = 12;

  size_t slot(uint64_t key) const { return key * 0x9E3779B97F4A7C15u >> shift_; }
  void grow() {
    table_.assign(2 * table_.size(), -1);
    shift_--;
    for (size_t i = 0; i < keys_.size(); i++) {
      size_t place = slot(keys_[i]);
      while (table_[place] >= 0) place = (place + 1) & (table_.size() - 1);
      table_[place] = static_cast<int32_t>(i);
    }
  }

  std::vector<uint64_t> keys_;
  std::vector<int32_t> table_;
  int shift_ = 64 - kFirstBits;  // the highest bits of a product are those that depend on all of the key
};

}  // namespace kaldi_bridge
