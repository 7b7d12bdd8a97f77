#include "sources.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>

namespace nnet3_compat {

namespace {

void expect(bool condition, const char *what) {
  if (!condition) throw std::invalid_argument(what);
}

}  // namespace

RowsOf Sources::of(const Reading &reading) {
  Columns found = read(reading);
  return {found.source, found.first_column, compress(found.rows)};
}

RowsOf Sources::of(int64_t value) {
  Columns found = columns(value, 0, values_[value].dim);
  return {found.source, found.first_column, compress(found.rows)};
}

Sources::Columns Sources::read(const Reading &reading) {
  const int64_t count = values_.size();
  expect(reading.source >= 0 && reading.source < count && reading.reader >= 0 && reading.reader < count,
         "there is no such value");
  const Value &source = values_[reading.source];
  expect(reading.first_column >= 0 && reading.dim >= 0 && reading.first_column + reading.dim <= source.dim,
         "a reading of columns that are not there");
  const Spec &spec = specs_[reading.reader];
  expect(reading.leaf >= 0 && reading.leaf < static_cast<int64_t>(spec.leaves.size()), "a reading is not in the layout");
  std::vector<int64_t> rows = expand(spec.leaves[reading.leaf], spec.rows, source.carried + source.rows);
  const Columns below = columns(reading.source, reading.first_column, reading.dim);
  for (int64_t &row : rows)
    if (row != NO_ROW) row = below.rows[row];
  return {below.source, below.first_column, std::move(rows)};
}

Sources::Columns Sources::columns(int64_t value, int64_t first_column, int64_t dim) {
  const Value &made = values_[value];
  const std::tuple<int64_t, int64_t, int64_t> key{value, first_column, dim};
  if (makers_[value] != nullptr && !stay_[value] && std::find(open_.begin(), open_.end(), key) == open_.end()) {
    const std::optional<Reading> passed = makers_[value]->passed_on(first_column, dim);
    if (passed) {
      open_.push_back(key);
      Columns found = read(*passed);
      open_.pop_back();
      return found;
    }
  }
  std::vector<int64_t> rows(made.carried + made.rows);
  std::iota(rows.begin(), rows.end(), 0);
  return {value, first_column, std::move(rows)};
}

}  // namespace nnet3_compat
