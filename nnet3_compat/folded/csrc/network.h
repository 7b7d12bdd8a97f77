// The operations of a network, of which programs are made for any number of layouts.

#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "program.h"

namespace nnet3_compat {

// An operation, and which spec of a layout has the number of rows that it makes.
struct Step {
  std::shared_ptr<Operation> operation;
  int64_t spec;
};

class Network {
 public:
  // ``dims``: of values; ``last_steps``: per value the last step that reads it, or the number of steps where it is to
  // last until the end. Throws std::invalid_argument for other numbers of these, and steps that make no value.
  Network(std::vector<int64_t> dims, std::vector<int64_t> input_dims, std::vector<Step> steps,
          std::vector<int64_t> last_steps, int64_t output);

  // ``carried``: per value the rows that the segment before left; ``kept``: per value the spec of what is left for the
  // next one; both empty: none. Throws std::invalid_argument where something does not fit.
  Program program(const std::vector<std::vector<int64_t>> &layout, const std::vector<int64_t> &carried,
                  const std::vector<std::vector<int64_t>> &kept) const;

 private:
  std::vector<int64_t> dims_, input_dims_;
  std::vector<Step> steps_;
  std::vector<int64_t> last_steps_;
  int64_t output_;
};

// Where things of these sizes begin, so that none overlap that are there at the same time, from ``born`` to ``dies``;
// and the size of all.
std::pair<std::vector<int64_t>, int64_t> places(const std::vector<int64_t> &sizes, const std::vector<int64_t> &born,
                                                const std::vector<int64_t> &dies);

}  // namespace nnet3_compat
