// Products in float32.

#pragma once

#include <memory>

#include "packed_matrix.h"

namespace nnet3_compat {

// All that there is code for.
constexpr Instructions FLOAT32_INSTRUCTIONS[] = {Instructions::ANY, Instructions::AVX2, Instructions::AVX512};

// weights [outputs, inputs]; bias and offset [outputs].
std::shared_ptr<PackedMatrix> pack_float32(const float *weights, const float *bias, const float *offset,
                                           int64_t outputs, int64_t inputs, Instructions instructions);

}  // namespace nnet3_compat
