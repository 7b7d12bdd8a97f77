// rand() of the GNU C library, many at once.

#pragma once

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

}  // namespace kaldi_bridge
