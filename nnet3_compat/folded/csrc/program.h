// Operations in order, and what one segment of a sequence leaves for the next.

#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "operations.h"

namespace nnet3_compat {

// What a segment leaves: the rows of all carried values, one after the other; nothing before the first segment.
struct State {
  std::vector<float> numbers;
};

// Rows of a value that are left for the next segment.
struct Kept {
  int64_t source, rows;
  RowsRead read;
};

class Program {
 public:
  // ``size``: of all values' places together, in numbers for one sequence. Throws std::invalid_argument where something
  // does not fit.
  Program(std::vector<Value> values, int64_t size, std::vector<int64_t> input_dims,
          std::vector<std::shared_ptr<Operation>> operations, Layout layout, std::vector<Kept> kept, int64_t output);

  int64_t num_outputs() const { return values_[output_].rows; }
  int64_t output_dim() const { return values_[output_].dim; }
  const std::vector<int64_t> &input_dims() const { return input_dims_; }

  // Fills outputs [N, num_outputs, output_dim], N the number of states, which become those for the next segment. Any
  // number of threads may run a program at a time, each with so many for products. Throws std::invalid_argument for
  // inputs or states of other sizes.
  void run(const std::vector<Input> &inputs, const std::vector<State *> &states, float *outputs, int num_threads) const;

 private:
  std::vector<Value> values_;
  int64_t size_;
  std::vector<int64_t> input_dims_;
  std::vector<std::shared_ptr<Operation>> operations_;
  Layout layout_;
  std::vector<Kept> kept_;
  int64_t output_;
  int64_t carried_size_ = 0, kept_size_ = 0;
  std::vector<float> zeros_;
};

}  // namespace nnet3_compat
