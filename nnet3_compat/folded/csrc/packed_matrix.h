// A matrix that is laid out once for products with few or many rows, so that none of the time goes into laying it out.
//
// Of W [output, input] it keeps panels of 32 rows: for each column of W, the 32 numbers one after the other. A product
// takes some rows x at a time and goes through a panel once: per column one number of each row times the 32, which stay
// in registers as sums. What follows a product in a network is done there too, before the sums leave for memory.
//
// Numbers are float32 (float_matrix.h), or of fewer bits, several of which are multiplied at once (word_matrix.h).

#pragma once

#include <cstdint>
#include <vector>

#include "instructions.h"

namespace nnet3_compat {

constexpr int64_t PANEL = 32;  // what is read of a row may reach so far behind its end, less one

// scale * row is added to a row of the product.
struct AddedRows {
  const float *const *rows;
  float scale;
};

// Row r of a product is multiplied by row r % period of scales [period][outputs], then that of offsets is added. What is
// read of them may reach PANEL - 1 numbers behind their end.
struct ScaleAndOffset {
  const float *scales, *offsets;
  int64_t period;
};

// What becomes of the sums: scales * relu(W x + b) + offsets + added + offset, scales and offsets where there are any.
struct Finish {
  bool rectify = false;
  ScaleAndOffset scaled{nullptr, nullptr, 1};
  std::vector<AddedRows> added;
  bool has_offset = false;
};

// What is multiplied: row r is x[r], x[stride + r], ..., so many taps of dim numbers, side by side.
struct Rows {
  const float *const *x;
  int64_t taps, dim, stride;
};

class PackedMatrix {
 public:
  // bias and offset [outputs].
  PackedMatrix(const float *bias, const float *offset, int64_t outputs, int64_t inputs);
  virtual ~PackedMatrix() = default;

  int64_t outputs() const { return outputs_; }
  int64_t inputs() const { return inputs_; }

  // y [rows, outputs] of rows x_0, x_1, ... that stand side by side: x[t * stride + r] has inputs / taps numbers. So many
  // threads at most, where there is enough to do for them.
  void multiply(const float *const *x, int64_t taps, int64_t stride, int64_t rows, const Finish &finish, float *y,
                int num_threads) const;

 protected:
  // How many rows of so many numbers per tap are best computed together.
  virtual int64_t rows_of_block(int64_t dim) const = 0;
  // Rows begin to end - 1 of the product.
  virtual void compute_rows(const Rows &rows, int64_t begin, int64_t end, const Finish &finish, float *y) const = 0;

  const float *bias(int64_t column) const { return &bias_[column]; }
  const float *offset(int64_t column) const { return &offset_[column]; }

 private:
  int64_t outputs_, inputs_;
  std::vector<float> bias_, offset_;
};

}  // namespace nnet3_compat
