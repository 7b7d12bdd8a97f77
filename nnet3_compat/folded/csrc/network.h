// The operations of a network, of which programs are made for any number of layouts.

#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "program.h"

namespace nnet3_compat {

// A value that the caller gives; see Given.
struct TakenInput {
  int64_t value, slot;
  bool repeated;
};

class Network {
 public:
  // ``groups``: of the graph, as layouts have them; ``dims``: of values; ``operations``: those of one group after the
  // other, each reading what is made before it, or in earlier blocks of its recurrence. Throws std::invalid_argument
  // where something is not there.
  Network(std::vector<Group> groups, std::vector<int64_t> dims, std::vector<int64_t> input_dims,
          std::vector<TakenInput> inputs, std::vector<std::vector<std::shared_ptr<Operation>>> operations, int64_t output);

  // ``carried``: per value the rows that the segment before left; ``kept``: per value the spec of what is left for the
  // next one; both empty: none. Throws std::invalid_argument where something does not fit.
  Program program(const std::vector<std::vector<int64_t>> &layout, std::vector<int64_t> carried,
                  const std::vector<std::vector<int64_t>> &kept) const;

 private:
  std::vector<Group> groups_;
  std::vector<int64_t> dims_, input_dims_;
  std::vector<TakenInput> inputs_;
  std::vector<std::vector<std::shared_ptr<Operation>>> operations_;
  int64_t output_;
};

// Where things of these sizes begin, so that none overlap that are there at the same time, from ``born`` to ``dies``;
// and the size of all.
std::pair<std::vector<int64_t>, int64_t> places(const std::vector<int64_t> &sizes, const std::vector<int64_t> &born,
                                                const std::vector<int64_t> &dies);

}  // namespace nnet3_compat
