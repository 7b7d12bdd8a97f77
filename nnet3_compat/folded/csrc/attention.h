// Attention to some frames around each (Kaldi: nnet3/attention.h, RestrictedAttentionComponent).

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "operations.h"

namespace nnet3_compat {

struct Heads {
  int64_t count, key_dim, value_dim;
  int64_t centre;      // the tap of the frame itself
  float key_scale;
  bool gives_weights;  // after the values
};

// Of each tap o, a frame, a head reads a key k_o, a value v_o, a query and a bias p [taps], side by side, and makes
//     sum_o c_o v_o and perhaps the c_o,   c = softmax over o of key_scale k_o q + p_o
// with the query and the bias of the frame itself. A frame that is missing takes part with zeros.
std::shared_ptr<Operation> attend(int64_t makes, Heads heads, const std::vector<Reading> &taps);

}  // namespace nnet3_compat
