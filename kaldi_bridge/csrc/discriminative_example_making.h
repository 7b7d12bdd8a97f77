// The supervisions of examples for discriminative training cut from utterances, in the binary form that Kaldi writes
// (nnet3bin/nnet3-discriminative-get-egs.cc).

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "discriminative_splitting.h"
#include "utterance_splitting.h"

namespace kaldi_bridge {

// Of an utterance. `alignment`: a transition-id for each frame.
struct DiscriminativeTargets {
  float weight;
  std::vector<int32_t> alignment;
  DiscriminativeSplitter lattice;

  // What a chunk has of the lattice. Throws std::invalid_argument where there is nothing.
  LatticePart part(int32_t first, int32_t count, bool normalize) const;
};

// Appends the output "output" of frames from `first` on, with weights of derivatives, one for each of them.
void append_discriminative_output(const DiscriminativeTargets &targets, const LatticePart &part, int32_t first, int32_t factor,
                                  const std::vector<float> &weights, std::string *out);

}  // namespace kaldi_bridge
