// How utterances are cut into chunks (nnet3/nnet-example-utils.cc, UtteranceSplitter): the part that is done for each
// utterance. kaldi_bridge/examples/utterance_splitting.py says what is chosen from.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "c_random.h"

namespace kaldi_bridge {

struct Chunk {
  int32_t first_frame, num_frames, left_context, right_context;
};

// The chunks of an utterance. `counts`: how many of them have each output frame.
struct Chunks {
  int32_t factor;
  std::vector<Chunk> chunks;
  std::vector<int32_t> counts;

  // From which output frame up to which one a chunk goes.
  std::pair<int32_t, int32_t> outputs(const Chunk &chunk) const {
    return {chunk.first_frame / factor, (chunk.first_frame + chunk.num_frames) / factor};
  }
  // One over the counts of a chunk.
  std::vector<float> weights(const Chunk &chunk) const {
    const auto [begin, end] = outputs(chunk);
    std::vector<float> made;
    for (int32_t i = begin; i < end; i++) made.push_back(1.0f / static_cast<float>(counts[i]));
    return made;
  }
};

// The numbers of Python's random.Random, a Mersenne Twister, from its 624 words and the place in them on.
class PythonRandom {
 public:
  static constexpr size_t kWords = 624;

  PythonRandom(const std::array<uint32_t, kWords> &words, size_t at) : words_(words), at_(at) {}

  // As random.shuffle does it.
  void shuffle(std::vector<int32_t> *values);

 private:
  uint32_t word();
  uint32_t below(uint32_t n);

  std::array<uint32_t, kWords> words_;
  size_t at_;
};

struct SplittingOptions {
  int32_t left_context, right_context, left_context_initial, right_context_final, overlap, factor;
};

class UtteranceSplitter {
 public:
  using Sizes = std::vector<int32_t>;

  // `sizes`: those of chunks, the principal one first; empty: utterances stay whole. `splits`: for each length up to that
  // of a few chunks, the combinations to choose from.
  UtteranceSplitter(const SplittingOptions &options, Sizes sizes, std::vector<std::vector<Sizes>> splits,
                    std::shared_ptr<CRandom> random, const PythonRandom &gap_order)
      : options_(options), sizes_(std::move(sizes)), splits_(std::move(splits)), random_(std::move(random)), gap_order_(gap_order) {}

  // The chunks of an utterance of so many frames; none where it is too short. Throws std::invalid_argument for a chunk
  // that is longer than its utterance.
  Chunks split(int32_t length);

  // What was cut so far.
  int64_t utterances = 0, frames = 0, overlap = 0;
  std::map<int32_t, int64_t> chunks;  // by their sizes

 private:
  Sizes chunk_sizes(int32_t length);
  Sizes gaps(int32_t length, const Sizes &sizes);
  void count(int32_t length, const Chunks &made);

  SplittingOptions options_;
  Sizes sizes_;
  std::vector<std::vector<Sizes>> splits_;
  std::shared_ptr<CRandom> random_;
  PythonRandom gap_order_;
};

}  // namespace kaldi_bridge
