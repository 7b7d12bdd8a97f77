// What a network is computed by: operations that make values of others, for several sequences at a time.
//
// A value is [rows, N, dim], time first; its first rows may be those that are carried over from an earlier segment of
// the sequences. All values lie in one piece of memory, at places that were planned beforehand.

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "packed_matrix.h"
#include "rows_read.h"

namespace nnet3_compat {

struct Value {
  int64_t dim;
  int64_t carried;  // rows before those that are computed
  int64_t rows;     // that are computed
  int64_t begin;    // its place, in numbers for one sequence
};

// What an operation reads of another value, for each row that it makes; where that is stands in the layout.
struct Reading {
  int64_t source;
  float scale;
  int64_t spec, leaf;  // of the layout, of that spec
};

using Layout = std::vector<Spec>;

// Of a call.
struct Input {
  const float *data;  // [N, frames, dim]
  int64_t frames, dim;
};

class Workspace {
 public:
  // ``output``: where the rows of value ``placed`` go, which nothing reads.
  Workspace(const std::vector<Value> &values, const Layout &layout, int64_t sequences, float *memory, const float *zeros,
            int64_t placed, float *output, const std::vector<Input> &inputs, int num_threads)
      : values(values),
        layout(layout),
        sequences(sequences),
        inputs(inputs),
        num_threads(num_threads),
        memory_(memory),
        zeros_(zeros),
        placed_(placed),
        output_(output) {}

  float *row(int64_t value, int64_t row) const {
    float *const begin = value == placed_ ? output_ : memory_ + sequences * values[value].begin;
    return begin + sequences * row * values[value].dim;
  }
  float *first_new_row(int64_t value) const { return row(value, values[value].carried); }

  // Appends where the rows are, of all sequences: as many as the value that is made has.
  void find(const Reading &reading, int64_t makes, std::vector<const float *> *rows) const;
  const RowsRead &rows_read(const Reading &reading) const { return layout[reading.spec].leaves[reading.leaf]; }
  const float *zeros() const { return zeros_; }  // as many as the widest value has

  const std::vector<Value> &values;
  const Layout &layout;
  const int64_t sequences;
  const std::vector<Input> &inputs;
  const int num_threads;

 private:
  float *memory_;
  const float *zeros_;
  int64_t placed_;
  float *output_;
};

class Operation {
 public:
  explicit Operation(int64_t makes) : makes(makes) {}
  virtual ~Operation() = default;
  virtual void run(const Workspace &space) const = 0;
  // Throws std::invalid_argument for anything that is not there, or does not fit.
  virtual void check(const std::vector<Value> &values, const Layout &layout,
                     const std::vector<int64_t> &input_dims) const = 0;
  // The rows of another value that are all that this one is, if it is nothing else.
  virtual const Reading *passed_on() const { return nullptr; }

  const int64_t makes;
};

// Throws std::invalid_argument where the reading is not in the layout, or of rows that are not there.
void check_reading(const Reading &reading, const std::vector<Value> &values, const Layout &layout, int64_t rows);

// Frames that the caller gives, of input number ``slot``; ``repeated``: the first one for all.
std::shared_ptr<Operation> take_input(int64_t makes, int64_t slot, int64_t spec, bool repeated);

// Columns from ``first`` on: a sum of columns of other values and a constant. A term of which no row is read is none.
struct Part {
  int64_t first, dim;
  float constant;
  std::vector<Reading> terms;
  int64_t first_of_source;
};
std::shared_ptr<Operation> append(int64_t makes, std::vector<Part> parts);

// relu(W [x_1, x_2, ...] + b) + added + offset.
std::shared_ptr<Operation> affine(int64_t makes, std::shared_ptr<PackedMatrix> matrix, std::vector<Reading> taps,
                                  bool rectify, std::vector<Reading> added, bool add_offset);

enum class Function { RELU, SIGMOID, TANH, SOFTMAX, LOG_SOFTMAX, SCALE_AND_OFFSET, NORMALIZE, PRODUCT, PERMUTE };

// A function of single rows. Parameters: of SCALE_AND_OFFSET all scales and then all offsets; of NORMALIZE the block's
// dimension, the target RMS, and 1 where the logarithm of the standard deviation is appended; of PERMUTE the column of
// the source that each column is.
std::shared_ptr<Operation> apply(int64_t makes, Function function, Reading source, std::vector<float> parameters);

}  // namespace nnet3_compat
