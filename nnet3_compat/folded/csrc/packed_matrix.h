// A matrix that is laid out once for products with few or many rows, so that none of the time goes into laying it out.
//
// Of W [output, input] it keeps panels of 32 rows: for each column of W, the 32 numbers one after the other. A product
// takes up to 8 rows x at a time and goes through a panel once: per column one number of each row times the 32, which
// stay in registers as sums. What follows a product in a network is done there too, before the sums leave for memory.

#pragma once

#include <cstdint>
#include <vector>

namespace nnet3_compat {

constexpr int64_t PANEL = 32;  // what is read of a row may reach so far behind its end, less one

// scale * row is added to a row of the product.
struct AddedRows {
  const float *const *rows;
  float scale;
};

// What becomes of the sums: relu(W x + b) + added + offset.
struct Finish {
  bool rectify = false;
  std::vector<AddedRows> added;
  bool has_offset = false;
};

class PackedMatrix {
 public:
  // weights [outputs, inputs]; bias and offset [outputs].
  PackedMatrix(const float *weights, const float *bias, const float *offset, int64_t outputs, int64_t inputs);

  int64_t outputs() const { return outputs_; }
  int64_t inputs() const { return inputs_; }

  // y [rows, outputs] of rows x_0, x_1, ... that stand side by side: x[t * rows + r] has inputs / taps numbers. So many
  // threads at most, where there is enough to do for them.
  void multiply(const float *const *x, int64_t taps, int64_t rows, const Finish &finish, float *y, int num_threads) const;

 private:
  int64_t outputs_, inputs_;
  std::vector<float> panels_, bias_, offset_;
};

}  // namespace nnet3_compat
