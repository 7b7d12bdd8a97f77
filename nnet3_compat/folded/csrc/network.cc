#include "network.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace nnet3_compat {

namespace {

void expect(bool condition, const char *what) {
  if (!condition) throw std::invalid_argument(what);
}

}  // namespace

Network::Network(std::vector<int64_t> dims, std::vector<int64_t> input_dims, std::vector<Step> steps,
                 std::vector<int64_t> last_steps, int64_t output)
    : dims_(std::move(dims)),
      input_dims_(std::move(input_dims)),
      steps_(std::move(steps)),
      last_steps_(std::move(last_steps)),
      output_(output) {
  expect(last_steps_.size() == dims_.size(), "another number of last steps than of values");
  for (const Step &step : steps_)
    expect(step.spec >= 0 && step.operation->makes >= 0 && step.operation->makes < static_cast<int64_t>(dims_.size()),
           "a step makes no value");
}

Program Network::program(const std::vector<std::vector<int64_t>> &layout, const std::vector<int64_t> &carried,
                         const std::vector<std::vector<int64_t>> &kept) const {
  const size_t count = dims_.size();
  expect(carried.empty() || carried.size() == count, "another number of carried rows than of values");
  expect(kept.empty() || kept.size() == count, "another number of kept rows than of values");
  Layout specs;
  for (const std::vector<int64_t> &integers : layout) specs.push_back(decode(integers));
  std::vector<Value> values(count);
  std::vector<int64_t> born(count, -1), dies = last_steps_, sizes(count);
  for (size_t i = 0; i < count; i++) values[i] = {dims_[i], carried.empty() ? 0 : carried[i], 0, 0};
  std::vector<std::shared_ptr<Operation>> operations;
  for (const Step &step : steps_) {
    expect(step.spec < static_cast<int64_t>(specs.size()), "a step is not in the layout");
    Value &made = values[step.operation->makes];
    made.rows = specs[step.spec].rows;
    if (made.carried == 0) born[step.operation->makes] = operations.size();
    operations.push_back(step.operation);
  }
  std::vector<Kept> left;
  for (size_t i = 0; i < kept.size(); i++) {
    Spec spec = decode(kept[i]);
    if (spec.rows == 0) continue;
    expect(spec.leaves.size() == 1, "what is kept is read by one leaf");
    left.push_back({static_cast<int64_t>(i), spec.rows, std::move(spec.leaves[0])});
    dies[i] = steps_.size();
  }
  for (size_t i = 0; i < count; i++) {
    expect(values[i].carried >= 0, "a negative number of carried rows");
    sizes[i] = values[i].dim * (values[i].carried + values[i].rows);
  }
  const auto [begins, size] = places(sizes, born, dies);
  for (size_t i = 0; i < count; i++) values[i].begin = begins[i];
  return Program(std::move(values), size, input_dims_, std::move(operations), std::move(specs), std::move(left), output_);
}

std::pair<std::vector<int64_t>, int64_t> places(const std::vector<int64_t> &sizes, const std::vector<int64_t> &born,
                                                const std::vector<int64_t> &dies) {
  std::vector<int64_t> begins(sizes.size(), 0), order(sizes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return born[a] < born[b]; });
  std::vector<int64_t> there;  // in the order of their places
  int64_t total = 0;
  for (const int64_t i : order) {
    if (sizes[i] == 0) continue;
    there.erase(std::remove_if(there.begin(), there.end(), [&](int64_t j) { return dies[j] < born[i]; }), there.end());
    int64_t begin = 0;
    size_t at = 0;
    for (; at < there.size(); at++) {
      const int64_t j = there[at];
      if (begin + sizes[i] <= begins[j]) break;
      begin = std::max(begin, begins[j] + sizes[j]);
    }
    begins[i] = begin;
    there.insert(there.begin() + at, i);
    total = std::max(total, begin + sizes[i]);
  }
  return {begins, total};
}

}  // namespace nnet3_compat
