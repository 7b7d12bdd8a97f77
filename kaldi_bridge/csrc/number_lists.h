// Lists of integers and posteriors in the binary form of tables (util/kaldi-holder-inl.h, hmm/posterior.cc).

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cursor.h"

namespace kaldi_bridge {

// Integers with their sizes before them, after their number. Throws Incomplete or OtherForm.
std::vector<int32_t> parse_integers(Cursor &in);
// Writes 5 (count + 1) bytes.
void pack_integers(const int32_t *values, size_t count, char *out);

// Vectors without a size before each number, after their count (base/io-funcs.h). Throws Incomplete or OtherForm.
std::vector<std::vector<int32_t>> parse_vectors(Cursor &in);
std::string packed_vectors(const std::vector<std::vector<int32_t>> &vectors);

// Of each frame pairs of an index and a weight: those of frame t are offsets[t] to offsets[t + 1] - 1.
struct PackedPosterior {
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> indexes;
  std::vector<float> weights;
};

// Throws Incomplete or OtherForm.
PackedPosterior parse_posterior(Cursor &in);
constexpr size_t kCount = 5, kPair = 10;  // bytes
// Writes kCount (frames + 1) + kPair pairs bytes.
void pack_posterior(const int64_t *offsets, size_t frames, const int32_t *indexes, const float *weights, char *out);

}  // namespace kaldi_bridge
