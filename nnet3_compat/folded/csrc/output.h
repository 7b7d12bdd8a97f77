// Where the sums of a panel go.

#pragma once

#include <algorithm>
#include <cstdint>

#include "packed_matrix.h"

namespace nnet3_compat {

// Of one panel, whose first output is ``column``. There is no vector in it: its functions would be compiled for one kind
// of processor.
struct Output {
  const float *bias, *offset;
  bool rectify, has_offset;
  ScaleAndOffset scaled;
  const AddedRows *added, *added_end;
  int64_t column, width;
  float *y;  // of row 0
  int64_t stride;

  Output(const Finish &finish, const float *bias, const float *offset, int64_t column, int64_t outputs, float *y)
      : bias(bias),
        offset(offset),
        rectify(finish.rectify),
        has_offset(finish.has_offset),
        scaled(finish.scaled),
        added(finish.added.data()),
        added_end(finish.added.data() + finish.added.size()),
        column(column),
        width(std::min(PANEL, outputs - column)),
        y(y + column),
        stride(outputs) {}
};

}  // namespace nnet3_compat
