// rand() of the GNU C library, many at once.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace kaldi_bridge {

// r[i] = r[i - 3] + r[i - 31]: the 31 values given, the oldest first, and `count` more.
inline std::vector<uint32_t> additive_feedback(std::vector<uint32_t> values, size_t count) {
  const size_t first = values.size();
  values.resize(first + count);
  for (size_t i = first; i < values.size(); i++) values[i] = values[i - 3] + values[i - 31];
  return values;
}

// One after the other, from the 31 values before, the oldest first.
class CRandom {
 public:
  static constexpr size_t kLag = 31;

  explicit CRandom(const std::array<uint32_t, kLag> &values) : values_(values) {}

  // From 0 to RAND_MAX = 2^31 - 1.
  uint32_t rand() {
    const uint32_t value = values_[at_] += values_[(at_ + kLag - 3) % kLag];
    at_ = (at_ + 1) % kLag;
    return value >> 1;
  }

  // From `low` to `high`, both included (Kaldi's RandInt).
  int32_t rand_int(int32_t low, int32_t high) {
    return low == high ? low : low + static_cast<int32_t>(rand() % static_cast<uint32_t>(high + 1 - low));
  }

  // Between 0 and 1 (Kaldi's RandUniform).
  float uniform() { return static_cast<float>((rand() + 1.0) / (2147483647 + 2.0)); }

  void set_values(const std::array<uint32_t, kLag> &values) {
    values_ = values;
    at_ = 0;
  }

  // What it can go on from.
  std::array<uint32_t, kLag> values() const {
    std::array<uint32_t, kLag> ordered;
    for (size_t i = 0; i < kLag; i++) ordered[i] = values_[(at_ + i) % kLag];
    return ordered;
  }

 private:
  std::array<uint32_t, kLag> values_;
  size_t at_ = 0;
};

}  // namespace kaldi_bridge
