#include "float_matrix.h"

#include <cstring>
#include <utility>

#include "cache_lines.h"
#include "output.h"
#include "weights_memory.h"

namespace nnet3_compat {

namespace {

constexpr int64_t DEPTH = 192;  // columns of a panel that stay in the first cache while rows go through them

#ifdef NNET3_COMPAT_X86
#pragma GCC push_options
#pragma GCC target("arch=skylake-avx512")
namespace avx512 {
constexpr int WIDTH = 16, ROWS = 12;
#include "finish_kernel.h"
#include "float_kernel.h"
}  // namespace avx512
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("arch=haswell")
namespace avx2 {
constexpr int WIDTH = 8, ROWS = 3;
#include "finish_kernel.h"
#include "float_kernel.h"
}  // namespace avx2
#pragma GCC pop_options
#endif

namespace any_processor {
#ifdef __aarch64__
constexpr int WIDTH = 4, ROWS = 3;
#else
constexpr int WIDTH = 4, ROWS = 1;
#endif
#include "finish_kernel.h"
#include "float_kernel.h"
}  // namespace any_processor

using ComputePanel = void (*)(const Rows &, int64_t, int64_t, const float *, const Output &, float *);

ComputePanel code_for(Instructions instructions) {
#ifdef NNET3_COMPAT_X86
  if (instructions == Instructions::AVX512) return avx512::compute_panel;
  if (instructions == Instructions::AVX2) return avx2::compute_panel;
#endif
  return any_processor::compute_panel;
}

class FloatMatrix : public PackedMatrix {
 public:
  FloatMatrix(const float *weights, const float *bias, const float *offset, int64_t outputs, int64_t inputs,
              Instructions instructions)
      : PackedMatrix(bias, offset, outputs, inputs),
        compute_panel_(code_for(instructions)),
        panels_(weights_of<float>((outputs + PANEL - 1) / PANEL * inputs * PANEL)) {
    for (int64_t row = 0; row < outputs; row++) {
      float *to = panels_.get() + row / PANEL * inputs * PANEL + row % PANEL;
      for (int64_t k = 0; k < inputs; k++) to[k * PANEL] = weights[row * inputs + k];
    }
  }

 private:
  void compute_rows(const Rows &rows, int64_t begin, int64_t end, const Finish &finish, float *y) const override {
    thread_local LineVector<float> sums;
    if (static_cast<int64_t>(sums.size()) < (end - begin) * PANEL) sums.resize((end - begin) * PANEL);
    for (int64_t column = 0; column < outputs(); column += PANEL) {
      const Output output(finish, bias(column), offset(column), column, outputs(), y);
      compute_panel_(rows, begin, end, panels_.get() + column * inputs(), output, sums.data());
    }
  }

  ComputePanel compute_panel_;
  std::shared_ptr<float> panels_;
};

}  // namespace

std::shared_ptr<PackedMatrix> pack_float32(const float *weights, const float *bias, const float *offset,
                                           int64_t outputs, int64_t inputs, Instructions instructions) {
  return std::make_shared<FloatMatrix>(weights, bias, offset, outputs, inputs, instructions);
}

}  // namespace nnet3_compat
