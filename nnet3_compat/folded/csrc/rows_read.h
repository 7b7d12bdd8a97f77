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

constexpr int64_t NO_ROW = -1;

// Per row of the reader, the row of the source or NO_ROW. Throws std::invalid_argument for a row that is not among
// ``rows`` of the reader, or ``source_rows`` of the source.
std::vector<int64_t> expand(const RowsRead &read, int64_t rows, int64_t source_rows);
RowsRead compress(const std::vector<int64_t> &source_rows);

// Of a value: how many rows are made of it, what each of its leaves reads, and where blocks of rows begin that are made
// one after the other, first to last or ``last_first``; of a value that is no part of a recurrence they are one.
struct Spec {
  int64_t rows;
  std::vector<RowsRead> leaves;
  std::vector<int64_t> blocks;  // and after the last one, the number of rows
  bool last_first = false;
};

// Throws std::invalid_argument where it ends too early.
Spec decode(const std::vector<int64_t> &integers);

// A value among those of a group of a graph; ``inner``: per leaf the value of its group that it reads, if it is one.
constexpr int64_t NO_VALUE = -1;
struct Member {
  int64_t value;
  std::vector<int64_t> inner;
};

// What is computed at once: a value, or a recurrence.
struct Group {
  std::vector<Member> members;
  bool is_recurrent;
};

// Per value. ``carried``: per value the rows that an earlier segment left. Throws std::invalid_argument for integers that
// are none of such groups.
std::vector<Spec> decode(const std::vector<std::vector<int64_t>> &layout, const std::vector<Group> &groups,
                         const std::vector<int64_t> &carried);

}  // namespace nnet3_compat
