#include "utterance_splitting.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>

namespace kaldi_bridge {

namespace {

// `total` in whole parts about proportional to the magnitudes.
std::vector<int32_t> distributed(int32_t total, const std::vector<int32_t> &magnitudes) {
  const double sum = std::accumulate(magnitudes.begin(), magnitudes.end(), int64_t{0});
  std::vector<int32_t> parts;
  int32_t rest = total;
  for (const int32_t magnitude : magnitudes) {
    parts.push_back(static_cast<int32_t>(static_cast<double>(int64_t{total} * magnitude) / sum));
    rest -= parts.back();
  }
  for (size_t i = 0; i < parts.size() && rest > 0; i++, rest--) parts[i]++;
  return parts;
}

int32_t rounded_up(int32_t length, int32_t factor) { return (length + factor - 1) / factor; }

}  // namespace

uint32_t PythonRandom::word() {
  constexpr size_t kShift = 397;
  if (at_ >= kWords) {
    for (size_t i = 0; i < kWords; i++) {
      const uint32_t y = (words_[i] & 0x80000000u) | (words_[(i + 1) % kWords] & 0x7fffffffu);
      words_[i] = words_[(i + kShift) % kWords] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0u);
    }
    at_ = 0;
  }
  uint32_t y = words_[at_++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

uint32_t PythonRandom::below(uint32_t n) {
  int bits = 0;
  while (n >> bits != 0) bits++;
  for (;;)
    if (const uint32_t drawn = word() >> (32 - bits); drawn < n) return drawn;
}

void PythonRandom::shuffle(std::vector<int32_t> *values) {
  for (size_t i = values->size(); i-- > 1;) std::swap((*values)[i], (*values)[below(static_cast<uint32_t>(i + 1))]);
}

Chunks UtteranceSplitter::split(int32_t length) {
  const int32_t factor = options_.factor;
  const Sizes sizes = sizes_.empty() ? Sizes{length} : chunk_sizes(length);
  const Sizes before = gaps(length, sizes);
  Chunks made{factor, {}, {}};
  int32_t t = 0;
  for (size_t i = 0; i < sizes.size(); i++) {
    t += before[i];
    if (t < 0) throw std::invalid_argument("The chunks of an utterance of " + std::to_string(length) + " frames overlap too much");
    const bool initial = i == 0 && options_.left_context_initial >= 0;
    const bool final = i + 1 == sizes.size() && options_.right_context_final >= 0;
    made.chunks.push_back({t, sizes[i], initial ? options_.left_context_initial : options_.left_context,
                           final ? options_.right_context_final : options_.right_context});
    t += sizes[i];
  }
  for (const Chunk &chunk : made.chunks) {
    const auto [begin, end] = made.outputs(chunk);
    if (static_cast<int32_t>(made.counts.size()) < end) made.counts.resize(end);
    for (int32_t i = begin; i < end; i++) made.counts[i]++;
  }
  count(length, made);
  return made;
}

UtteranceSplitter::Sizes UtteranceSplitter::chunk_sizes(int32_t length) {
  const int32_t principal = sizes_[0];
  size_t repeats = 0;
  for (; length >= static_cast<int32_t>(splits_.size()); repeats++) length -= principal - options_.overlap;
  const std::vector<Sizes> &possible = splits_[length];
  if (possible.empty()) return {};
  Sizes sizes = possible[random_->rand_int(0, static_cast<int32_t>(possible.size()) - 1)];
  sizes.insert(sizes.end(), repeats, principal);
  std::sort(sizes.begin(), sizes.end());
  if (random_->rand_int(0, 1) == 0) std::reverse(sizes.begin(), sizes.end());
  return sizes;
}

// Frames before each chunk, multiples of the subsampling factor; negative where chunks overlap.
UtteranceSplitter::Sizes UtteranceSplitter::gaps(int32_t length, const Sizes &sizes) {
  if (sizes_.empty() || sizes.empty()) return Sizes(sizes.size());
  const int32_t factor = options_.factor, count = static_cast<int32_t>(sizes.size());
  int32_t rest = rounded_up(length, factor);
  for (const int32_t size : sizes) rest -= size / factor;
  Sizes made;
  if (rest >= 0) {
    for (int32_t i = 0; i <= count; i++) made.push_back((rest / (count + 1) + (i < rest % (count + 1))) * factor);
    gap_order_.shuffle(&made);
    return made;  // the last one is behind all chunks
  }
  if (count == 1)
    throw std::invalid_argument("Chunk size is " + std::to_string(sizes[0]) + " but utterance length is only " +
                                std::to_string(length));
  Sizes smaller;
  for (int32_t i = 0; i + 1 < count; i++) smaller.push_back(std::min(sizes[i], sizes[i + 1]) / factor);
  made.push_back(0);
  for (const int32_t part : distributed(-rest, smaller)) made.push_back(-part * factor);
  return made;
}

void UtteranceSplitter::count(int32_t length, const Chunks &made) {
  utterances++;
  frames += length;
  int32_t end = 0;
  for (const Chunk &chunk : made.chunks) {
    overlap += std::max(0, end - chunk.first_frame);
    end = chunk.first_frame + chunk.num_frames;
    chunks[chunk.num_frames]++;
  }
}

}  // namespace kaldi_bridge
