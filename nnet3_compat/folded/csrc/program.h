// Operations in order, and what one segment of a sequence leaves for the next.
//
// A value is [rows, N, dim], time first; its first rows may be those that are carried over from an earlier segment of
// the sequences. All values lie in one piece of memory, at places that were planned beforehand.

#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "operations.h"
#include "rows_read.h"

namespace nnet3_compat {

struct Value {
  int64_t dim;
  int64_t carried;  // rows before those that are computed
  int64_t rows;     // that are computed
  int64_t begin;    // its place, in numbers for one sequence
};

// What a segment leaves: the rows of all carried values, one after the other; nothing before the first segment.
struct State {
  std::vector<float> numbers;
};

// What is read of a value, from a column on.
struct RowsOf {
  int64_t source, first_column;
  RowsRead read;
};

// Rows of a value that are left for the next segment.
struct Kept {
  int64_t source, rows;
  RowsRead read;
};

// Of a call.
struct Input {
  const float *data;  // [N, frames, dim]
  int64_t frames, dim;
};

// A value that the caller gives: input number ``slot``; ``repeated``: its first frame for all.
struct Given {
  int64_t value, slot;
  bool repeated;
  RowsRead frames;
};

// An operation, and where its readings are; ``blocks``: see Spec.
struct Step {
  std::shared_ptr<Operation> operation;
  std::vector<RowsOf> readings;
  std::vector<int64_t> blocks;
};

// What is done for a block before the next one; of all, the same number of blocks.
struct Loop {
  std::vector<Step> steps;
  bool last_first;
};

class Program {
 public:
  // ``size``: of all values' places together, in numbers for one sequence; ``in_place``: whether nothing reads the output,
  // which so may be made where it is wanted. Throws std::invalid_argument where something does not fit.
  Program(std::vector<Value> values, int64_t size, std::vector<int64_t> input_dims, std::vector<Given> given,
          std::vector<Loop> loops, std::vector<Kept> kept, int64_t output, bool in_place);

  int64_t num_outputs() const { return values_[output_].rows; }
  int64_t output_dim() const { return values_[output_].dim; }
  const std::vector<int64_t> &input_dims() const { return input_dims_; }

  // Fills outputs [N, num_outputs, output_dim], N the number of states, which become those for the next segment. Any
  // number of threads may run a program at a time, each with so many for products. Throws std::invalid_argument for
  // inputs or states of other sizes.
  void run(const std::vector<Input> &inputs, const std::vector<State *> &states, float *outputs, int num_threads) const;

 private:
  class Memory;

  void take(const Given &given, const Input &input, const Memory &memory) const;
  void compute(const Loop &loop, const Memory &memory, int num_threads) const;

  std::vector<Value> values_;
  int64_t size_;
  std::vector<int64_t> input_dims_;
  std::vector<Given> given_;
  std::vector<Loop> loops_;
  std::vector<Kept> kept_;
  int64_t output_;
  bool in_place_;
  int64_t carried_size_ = 0, kept_size_ = 0;
  std::vector<float> zeros_;
};

}  // namespace nnet3_compat
