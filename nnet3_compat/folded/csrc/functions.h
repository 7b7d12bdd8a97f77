// Functions of single rows.

#pragma once

#include <memory>
#include <vector>

#include "operations.h"

namespace nnet3_compat {

enum class Function {
  RELU,
  SIGMOID,
  TANH,
  SOFTMAX,
  LOG_SOFTMAX,
  SCALE_AND_OFFSET,
  NORMALIZE,
  PRODUCT,
  PERMUTE,
  LSTM,
  OUTPUT_GRU,
};

// Of what is read side by side. Parameters: of SCALE_AND_OFFSET all scales and then all offsets; of NORMALIZE the block's
// dimension, the target RMS, and 1 where the logarithm of the standard deviation is appended; of PERMUTE the column of
// the source that each column is.
//
// PRODUCT is of all that is read, each of ``dim``. With C cells,
// LSTM reads the gates i, f, the update c and the gate o [4 C], the cells before c' [C] and perhaps scales of i, f and o
// [3]; it makes the cells and what they give out [2 C], with weights of the cells in the gates w_i, w_f, w_o as parameters:
//     c = f' sigmoid(f + w_f c') c' + i' sigmoid(i + w_i c') tanh(c),   m = o' sigmoid(o + w_o c) tanh(c)
// OUTPUT_GRU reads z, the input's part h [2 C] and the cells before [C]; it makes the new state and the cells [2 C], with
// the weights of the cells in the state w as parameters:  h = tanh(h + w c'),  c = (1 - z) h + z c'
// (Kaldi: nnet3/nnet-combined-component.cc).
std::shared_ptr<Operation> apply(int64_t makes, int64_t dim, Function function, std::vector<Reading> read,
                                 std::vector<float> parameters);

// GRU of Kaldi's GruNonlinearityComponent: reads z [C], r [R], the input's part h [C], the cells before c' [C] and the
// state before s' [R]; the matrix [C, R] is multiplied by r s':  h = tanh(h + W (r s')),  c = (1 - z) h + z c'. Makes
// both [2 C].
std::shared_ptr<Operation> gated_unit(int64_t makes, std::shared_ptr<PackedMatrix> matrix, std::vector<Reading> read);

}  // namespace nnet3_compat
