#include "rows_read.h"

#include <stdexcept>

namespace nnet3_compat {

namespace {

void expect(bool condition, const char *what) {
  if (!condition) throw std::invalid_argument(what);
}

bool within(int64_t first, int64_t step, int64_t count, int64_t rows) {
  if (first < 0 || first >= rows || step < 0) return false;
  return count == 1 || step <= (rows - 1 - first) / (count - 1);
}

}  // namespace

Spec decode(const std::vector<int64_t> &integers) {
  constexpr int64_t SIZE = 5;  // of a progression
  const int64_t size = integers.size();
  expect(size > 0 && integers[0] >= 0, "a layout of a negative number of rows");
  Spec spec{integers[0], {}};
  for (int64_t at = 1; at < size;) {
    RowsRead read;
    if (integers[at] < 0) {  // row by row
      expect(at + 1 < size, "a layout ends too early");
      const int64_t count = integers[at + 1];
      at += 2;
      expect(count >= 0 && count <= (size - at) / 2, "a layout ends too early");
      for (int64_t i = at; i < at + count; i++) read.push_back({integers[i], 1, integers[i + count], 1, 1});
      at += 2 * count;
    } else {
      const int64_t count = integers[at++];
      expect(count <= (size - at) / SIZE, "a layout ends too early");
      for (const int64_t end = at + SIZE * count; at < end; at += SIZE)
        read.push_back({integers[at], integers[at + 1], integers[at + 2], integers[at + 3], integers[at + 4]});
    }
    spec.leaves.push_back(std::move(read));
  }
  return spec;
}

void check_rows(const RowsRead &read, int64_t rows, int64_t source_rows) {
  for (const Progression &p : read) {
    expect(p.count >= 0, "a progression of a negative number of rows");
    expect(p.count == 0 || (within(p.to, p.to_step, p.count, rows) && within(p.from, p.from_step, p.count, source_rows)),
           "a reading is of a row that is not there");
  }
}

}  // namespace nnet3_compat
