#include "packed_matrix.h"

#include <algorithm>
#include <cstring>

#include "parallel.h"

namespace nnet3_compat {

namespace {

constexpr int64_t MANY_ROWS = 256;  // through all panels before the next ones, so that they stay in the cache
constexpr int64_t WORTH_A_THREAD = int64_t{1} << 24;  // multiplications: a good part of a millisecond

// Rows of a product, of one panel's columns.
struct Tile {
  const float *panel, *bias, *offset;
  const float *const *x;
  int64_t taps, dim, stride;  // from a tap's row to the same row of the next tap
  bool rectify, has_offset;
  const AddedRows *added, *added_end;  // no vector: its functions would be compiled for one kind of processor
  int64_t row, column, width;
  float *y;  // the tile's first number
  int64_t outputs;

  void advance(int64_t rows) {
    x += rows;
    row += rows;
    y += rows * outputs;
  }
};

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC target("arch=skylake-avx512")
namespace avx512 {
constexpr int WIDTH = 16, ROWS = 8;
#include "tile_kernel.h"
}  // namespace avx512
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("arch=haswell")
namespace avx2 {
constexpr int WIDTH = 8, ROWS = 3;
#include "tile_kernel.h"
}  // namespace avx2
#pragma GCC pop_options
#endif

namespace any_processor {
#ifdef __aarch64__
constexpr int WIDTH = 4, ROWS = 3;
#else
constexpr int WIDTH = 4, ROWS = 1;
#endif
#include "tile_kernel.h"
}  // namespace any_processor

using ComputePanel = void (*)(Tile, int64_t);

ComputePanel for_this_processor() {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw"))
    return avx512::compute_panel;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2::compute_panel;
#endif
  return any_processor::compute_panel;
}

const ComputePanel compute_panel = for_this_processor();

}  // namespace

PackedMatrix::PackedMatrix(const float *weights, const float *bias, const float *offset, int64_t outputs, int64_t inputs)
    : outputs_(outputs), inputs_(inputs) {
  const int64_t panels = (outputs + PANEL - 1) / PANEL;
  panels_.assign(panels * inputs * PANEL, 0.0f);
  for (int64_t row = 0; row < outputs; row++) {
    float *to = &panels_[row / PANEL * inputs * PANEL + row % PANEL];
    for (int64_t k = 0; k < inputs; k++) to[k * PANEL] = weights[row * inputs + k];
  }
  bias_.assign(panels * PANEL, 0.0f);
  std::copy(bias, bias + outputs, bias_.begin());
  offset_.assign(panels * PANEL, 0.0f);
  std::copy(offset, offset + outputs, offset_.begin());
}

void PackedMatrix::multiply(const float *const *x, int64_t taps, int64_t rows, const Finish &finish, float *y,
                            int num_threads) const {
  const AddedRows *const added = finish.added.data();
  const auto compute_rows = [&](int64_t begin, int64_t end) {
    for (int64_t column = 0; column < outputs_; column += PANEL) {
      const Tile tile{&panels_[column * inputs_], &bias_[column], &offset_[column], x + begin, taps, inputs_ / taps, rows,
                      finish.rectify, finish.has_offset, added, added + finish.added.size(),
                      begin, column, std::min(PANEL, outputs_ - column), y + begin * outputs_ + column, outputs_};
      compute_panel(tile, end - begin);
    }
  };
  const int64_t threads = std::min<int64_t>(num_threads, rows * outputs_ * inputs_ / WORTH_A_THREAD);
  const int64_t block = std::min(MANY_ROWS, (rows + std::max<int64_t>(threads, 1) - 1) / std::max<int64_t>(threads, 1));
  const int64_t blocks = (rows + block - 1) / block;
  const auto compute_block = [&](int64_t number) {
    compute_rows(number * block, std::min((number + 1) * block, rows));
  };
  if (threads > 1)
    in_parallel(blocks, threads, [&] { return compute_block; });
  else
    for (int64_t number = 0; number < blocks; number++) compute_block(number);
}

}  // namespace nnet3_compat
