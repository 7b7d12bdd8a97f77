// The supervisions of chain examples cut from utterances, in the binary form that Kaldi writes (chainbin/nnet3-chain-get-egs.cc).

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "packed_acceptors.h"
#include "utterance_splitting.h"

namespace kaldi_bridge {

// The supervision of an utterance (chain/chain-supervision.h). `times`: of the states of its graph, see state_times().
struct ChainTargets {
  float weight;
  int32_t label_dim;
  Acceptor graph;
  std::vector<int32_t> times;
};

// Appends the output "output" with what a chunk has of the supervision, and weights of derivatives, one for each of its frames.
void append_chain_output(const ChainTargets &targets, const Chunk &chunk, int32_t factor, const std::vector<float> &weights,
                         std::string *out);

}  // namespace kaldi_bridge
