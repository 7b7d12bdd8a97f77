// Which rows things read, decoded from the integers that structure/layout.py writes.

#pragma once

#include <cstdint>
#include <vector>

namespace nnet3_compat {

// Rows to, to + to_step, ... of the reader are rows from, from + from_step, ... of the source.
struct Progression {
  int64_t to, to_step, from, from_step, count;
};

using RowsRead = std::vector<Progression>;  // what no progression comes to reads zeros

// Of a value: how many rows are made of it, and what each of its leaves reads.
struct Spec {
  int64_t rows;
  std::vector<RowsRead> leaves;
};

// Throws std::invalid_argument where it ends too early.
Spec decode(const std::vector<int64_t> &integers);

// Throws std::invalid_argument for a row that is not among ``rows`` of the reader, or ``source_rows`` of the source.
void check_rows(const RowsRead &read, int64_t rows, int64_t source_rows);

}  // namespace nnet3_compat
