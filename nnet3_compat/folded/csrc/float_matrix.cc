#include "float_matrix.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "cache_lines.h"
#include "output.h"
#include "weights_memory.h"

namespace nnet3_compat {

namespace {

// Of rows that go through all panels before the next ones, and of their numbers that do so: as many as stay in the second
// cache beside some panels.
constexpr int64_t BLOCK_ROWS = 504, BLOCK_NUMBERS = int64_t{1} << 17;

// Columns begin to end - 1 of some taps, whose products are summed at a time.
struct Piece {
  int64_t first_tap, last_tap, begin, end;
  bool is_first, is_last;
  int64_t size() const { return (last_tap - first_tap) * (end - begin); }
};

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

using ComputePiece = void (*)(const Rows &, const Piece &, int64_t, int64_t, const float *, const float *,
                              const Output &, float *);

struct Code {
  ComputePiece compute_piece;
  int64_t depth;  // columns of a panel that rows go through together: as many as the first cache has room for
};

Code code_for(Instructions instructions) {
#ifdef NNET3_COMPAT_X86
  if (instructions == Instructions::AVX512) return {avx512::compute_piece, 320};
  if (instructions == Instructions::AVX2) return {avx2::compute_piece, 192};
#endif
  return {any_processor::compute_piece, 192};
}

// Those of a product of rows, in parts that a block of rows goes through before the next one: all taps of some columns,
// since taps may be of the same rows.
std::vector<std::vector<Piece>> parts_of(int64_t taps, int64_t dim, int64_t rows, int64_t depth) {
  const int64_t taps_at_once = std::max<int64_t>(1, std::min(taps, depth / dim));
  const int64_t groups = (taps + taps_at_once - 1) / taps_at_once, slices = (dim + depth - 1) / depth;
  const int64_t count = (rows * dim + BLOCK_NUMBERS - 1) / BLOCK_NUMBERS, parts = std::min(slices, count);
  std::vector<std::vector<Piece>> made(parts);
  for (int64_t slice = 0; slice < slices; slice++)
    for (int64_t group = 0; group < groups; group++)
      made[slice * parts / slices].push_back({group * taps / groups, (group + 1) * taps / groups, slice * dim / slices,
                                              (slice + 1) * dim / slices, slice + group == 0,
                                              slice == slices - 1 && group == groups - 1});
  return made;
}

class FloatMatrix : public PackedMatrix {
 public:
  FloatMatrix(const float *weights, const float *bias, const float *offset, int64_t outputs, int64_t inputs,
              Instructions instructions)
      : PackedMatrix(bias, offset, outputs, inputs),
        code_(code_for(instructions)),
        panels_(weights_of<float>((outputs + PANEL - 1) / PANEL * inputs * PANEL)) {
    for (int64_t row = 0; row < outputs; row++) {
      float *to = panels_.get() + row / PANEL * inputs * PANEL + row % PANEL;
      for (int64_t k = 0; k < inputs; k++) to[k * PANEL] = weights[row * inputs + k];
    }
  }

 private:
  int64_t rows_of_block(int64_t) const override { return BLOCK_ROWS; }

  void compute_rows(const Rows &rows, int64_t begin, int64_t end, const Finish &finish, float *y) const override {
    thread_local LineVector<float> sums;
    const auto parts = parts_of(rows.taps, rows.dim, end - begin, code_.depth);
    const int64_t panels = (outputs() + PANEL - 1) / PANEL, size = (end - begin) * PANEL;
    const int64_t apart = parts.size() == 1 ? 0 : size;  // of panels, which last until the next part
    if (const size_t needed = size + (panels - 1) * apart; sums.size() < needed) sums.resize(needed);
    for (const std::vector<Piece> &part : parts)
      for (int64_t panel = 0; panel < panels; panel++) {
        const int64_t column = panel * PANEL;
        const float *const weights = panels_.get() + column * inputs();
        const Output output(finish, bias(column), offset(column), column, outputs(), y);
        const auto place = [&](const Piece &piece) {
          return weights + (piece.first_tap * rows.dim + (piece.last_tap - piece.first_tap) * piece.begin) * PANEL;
        };
        for (auto piece = part.begin(); piece != part.end(); ++piece) {
          const bool is_last = piece + 1 == part.end();
          const float *const next = is_last ? place(part.front()) + inputs() * PANEL : place(piece[1]);
          code_.compute_piece(rows, *piece, begin, end, place(*piece), next, output, sums.data() + panel * apart);
        }
      }
  }

  Code code_;
  std::shared_ptr<float> panels_;
};

}  // namespace

std::shared_ptr<PackedMatrix> pack_float32(const float *weights, const float *bias, const float *offset,
                                           int64_t outputs, int64_t inputs, Instructions instructions) {
  return std::make_shared<FloatMatrix>(weights, bias, offset, outputs, inputs, instructions);
}

}  // namespace nnet3_compat
