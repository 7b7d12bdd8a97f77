// Products of numbers of eight or sixteen bits, as many of them at once as fit into a word of 32 bits.
//
// int8: y_o = s_o sum_k q_ok x_k, the weights q within -127 .. 127 with a scale s_o for each output. A row x is rounded,
// when it is multiplied, to 256 steps between its own least and greatest number: x_k = low + step u_k, u_k in 0 .. 255.
// So y_o = s_o step sum_k q_ok u_k + low s_o sum_k q_ok, where the first sum is of integers, and exact. Nothing need be
// known of the rows beforehand.
//
// bfloat16: weights and rows are rounded to the upper half of a float32; products are summed in float32.

#pragma once

#include <memory>

#include "packed_matrix.h"

namespace nnet3_compat {

// All that there is code for. Without AVX512_BF16 only the weights are rounded, and float32 is multiplied.
constexpr Instructions INT8_INSTRUCTIONS[] = {Instructions::ANY,    Instructions::AVX2,        Instructions::AVX512,
                                              Instructions::AVX_VNNI, Instructions::AVX512_VNNI, Instructions::AMX};
constexpr Instructions BFLOAT16_INSTRUCTIONS[] = {Instructions::ANY, Instructions::AVX2, Instructions::AVX512,
                                                  Instructions::AVX512_BF16, Instructions::AMX};

constexpr int64_t MOST_INT8_INPUTS = int64_t{1} << 16;  // so that sums fit into 32 bits

// weights [outputs, inputs], no more than so many inputs; scales, bias and offset [outputs].
std::shared_ptr<PackedMatrix> pack_int8(const int8_t *weights, const float *scales, const float *bias,
                                        const float *offset, int64_t outputs, int64_t inputs, Instructions instructions);

// weights [outputs, inputs]; bias and offset [outputs].
std::shared_ptr<PackedMatrix> pack_bfloat16(const float *weights, const float *bias, const float *offset,
                                            int64_t outputs, int64_t inputs, Instructions instructions);

}  // namespace nnet3_compat
