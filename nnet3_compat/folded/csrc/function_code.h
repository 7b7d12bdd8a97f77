// Functions of rows that take long, in code for each kind of processor; see function_kernel.h.

#pragma once

#include <cstdint>

namespace nnet3_compat {

struct FunctionCode {
  // Fill y [dim].
  void (*sigmoids)(const float *x, int64_t dim, float *y);
  void (*tangents)(const float *x, int64_t dim, float *y);
  float (*exponentials)(const float *x, float most, int64_t dim, float *y);  // of x - most; gives their sum
  float (*product)(const float *x, const float *y, int64_t dim);
  void (*add)(const float *x, float scale, int64_t dim, float *y);
  // See functions.h; both fill y [2 cells]. The state of a gated update has weights or what is given added to it.
  void (*lstm)(const float *gates, const float *before, const float *weights, const float *scales, int64_t cells,
               float *y);
  void (*gated_update)(const float *z, const float *x, const float *before, const float *weights, const float *given,
                       int64_t cells, float *y);
};

// For this processor.
const FunctionCode &function_code();

}  // namespace nnet3_compat
