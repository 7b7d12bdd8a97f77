#include "packed_matrix.h"

#include <algorithm>

#include "parallel.h"

namespace nnet3_compat {

namespace {

constexpr int64_t WORTH_A_THREAD = int64_t{1} << 24;  // multiplications: a good part of a millisecond

}  // namespace

PackedMatrix::PackedMatrix(const float *bias, const float *offset, int64_t outputs, int64_t inputs)
    : outputs_(outputs), inputs_(inputs) {
  const int64_t panels = (outputs + PANEL - 1) / PANEL;
  bias_.assign(panels * PANEL, 0.0f);
  std::copy(bias, bias + outputs, bias_.begin());
  offset_.assign(panels * PANEL, 0.0f);
  std::copy(offset, offset + outputs, offset_.begin());
}

void PackedMatrix::multiply(const float *const *x, int64_t taps, int64_t stride, int64_t rows, const Finish &finish,
                            float *y, int num_threads) const {
  const Rows all{x, taps, inputs_ / taps, stride};
  const int64_t threads =
      std::max<int64_t>(1, std::min<int64_t>(num_threads, rows * outputs_ * inputs_ / WORTH_A_THREAD));
  const int64_t many = rows_of_block(all.dim);
  const int64_t blocks = std::min(rows, ((rows + many - 1) / many + threads - 1) / threads * threads);
  const auto compute_block = [&](int64_t number) {
    compute_rows(all, number * rows / blocks, (number + 1) * rows / blocks, finish, y);
  };
  if (threads > 1)
    in_parallel(blocks, threads, [&] { return compute_block; });
  else
    for (int64_t number = 0; number < blocks; number++) compute_block(number);
}

}  // namespace nnet3_compat
