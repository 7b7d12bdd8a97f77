// What a network is computed by: operations that make rows of one value of rows of others, for several sequences at a
// time.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "packed_matrix.h"

namespace nnet3_compat {

// Columns of another value, of which an operation reads a row for each that it makes: which one, says a leaf of a value's
// spec in the layout.
struct Reading {
  int64_t source, first_column, dim;
  float scale;
  int64_t reader, leaf;
};

// Some rows, of all sequences, that are made at once: row i of them reads read[k * stride + i], of its reading k.
struct Block {
  const float *const *read;
  int64_t stride;
  int64_t count;
  float *made;         // one after the other
  const float *zeros;  // as many as the widest value has
  int num_threads;
};

class Operation {
 public:
  Operation(int64_t makes, int64_t dim, std::vector<Reading> readings)
      : makes(makes), dim(dim), readings(std::move(readings)) {}
  virtual ~Operation() = default;
  virtual void run(const Block &block) const = 0;
  // What these columns of the value are nothing but, if they are columns of another one.
  virtual std::optional<Reading> passed_on(int64_t /*first_column*/, int64_t /*columns*/) const { return std::nullopt; }

  const int64_t makes, dim;
  const std::vector<Reading> readings;
};

// Throws std::invalid_argument where something does not fit; so do all below.

// Columns: a sum of columns of other values and a constant.
struct Part {
  int64_t dim;
  float constant;
  std::vector<Reading> terms;
};
std::shared_ptr<Operation> append(int64_t makes, std::vector<Part> parts);

// relu(W [x_1, x_2, ...] + b) + added + offset.
std::shared_ptr<Operation> affine(int64_t makes, std::shared_ptr<PackedMatrix> matrix, const std::vector<Reading> &taps,
                                  bool rectify, const std::vector<Reading> &added, bool add_offset);

}  // namespace nnet3_compat
