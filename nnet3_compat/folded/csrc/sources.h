// What is really read where an operation reads columns of a value that are nothing but columns of another one: so that
// values of which nothing is left to read need not be made.

#pragma once

#include <cstdint>
#include <memory>
#include <tuple>
#include <vector>

#include "program.h"

namespace nnet3_compat {

class Sources {
 public:
  // ``values``: their sizes; ``specs``: per value; ``makers``: per value, null where no operation makes it. Those that
  // ``stay`` are read as they are.
  Sources(const std::vector<Value> &values, const std::vector<Spec> &specs,
          const std::vector<std::shared_ptr<Operation>> &makers, const std::vector<bool> &stay)
      : values_(values), specs_(specs), makers_(makers), stay_(stay) {}

  // Throws std::invalid_argument where a reading is not in the layout, or of what is not there.
  RowsOf of(const Reading &reading);

  // Of all of its rows; where it is itself, that is itself.
  RowsOf of(int64_t value);

 private:
  struct Columns {
    int64_t source, first_column;
    std::vector<int64_t> rows;  // per row of the value, that of the source or NO_ROW
  };

  Columns read(const Reading &reading);
  Columns columns(int64_t value, int64_t first_column, int64_t dim);

  const std::vector<Value> &values_;
  const std::vector<Spec> &specs_;
  const std::vector<std::shared_ptr<Operation>> &makers_;
  const std::vector<bool> &stay_;
  std::vector<std::tuple<int64_t, int64_t, int64_t>> open_;  // that others are looked up for
};

}  // namespace nnet3_compat
