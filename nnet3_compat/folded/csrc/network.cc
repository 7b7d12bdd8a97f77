#include "network.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "cache_lines.h"

namespace nnet3_compat {

namespace {

void expect(bool condition, const char *what) {
  if (!condition) throw std::invalid_argument(what);
}

constexpr int64_t LINE_NUMBERS = LINE / sizeof(float);  // values begin with a line

// Whether a value that is nothing but rows of another one is all of it, so that it need not be made.
bool is_same(const Reading &passed, const Value &made, const std::vector<Value> &values, const Layout &layout) {
  expect(passed.source >= 0 && passed.source < static_cast<int64_t>(values.size()) && passed.spec >= 0 &&
             passed.spec < static_cast<int64_t>(layout.size()) && passed.leaf >= 0 &&
             passed.leaf < static_cast<int64_t>(layout[passed.spec].leaves.size()),
         "a step reads what is not there");
  const Value &source = values[passed.source];
  const RowsRead &read = layout[passed.spec].leaves[passed.leaf];
  if (made.carried != 0 || source.carried != 0 || source.rows != made.rows || source.dim != made.dim) return false;
  if (read.size() != 1 || read[0].count != made.rows) return false;
  const Progression &all = read[0];
  return all.to == 0 && all.from == 0 && (all.count == 1 || (all.to_step == 1 && all.from_step == 1));
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
  std::vector<int64_t> born(count, -1), dies = last_steps_, sizes(count), owners(count);
  for (size_t i = 0; i < count; i++) values[i] = {dims_[i], carried.empty() ? 0 : carried[i], 0, 0};
  std::vector<Kept> left;
  for (size_t i = 0; i < kept.size(); i++) {
    Spec spec = decode(kept[i]);
    if (spec.rows == 0) continue;
    expect(spec.leaves.size() == 1, "what is kept is read by one leaf");
    left.push_back({static_cast<int64_t>(i), spec.rows, std::move(spec.leaves[0])});
    dies[i] = steps_.size();
  }
  std::iota(owners.begin(), owners.end(), 0);
  std::vector<std::shared_ptr<Operation>> operations;
  for (size_t step = 0; step < steps_.size(); step++) {
    const auto &[operation, spec] = steps_[step];
    expect(spec < static_cast<int64_t>(specs.size()), "a step is not in the layout");
    Value &made = values[operation->makes];
    made.rows = specs[spec].rows;
    const bool is_kept = !kept.empty() && decode(kept[operation->makes]).rows != 0;
    const Reading *const passed = operation->passed_on();
    if (passed != nullptr && !is_kept && is_same(*passed, made, values, specs)) {
      owners[operation->makes] = owners[passed->source];
      continue;
    }
    if (made.carried == 0) born[operation->makes] = step;
    operations.push_back(operation);
  }
  for (size_t i = 0; i < count; i++) {
    expect(values[i].carried >= 0, "a negative number of carried rows");
    dies[owners[i]] = std::max(dies[owners[i]], dies[i]);
    const int64_t size = values[i].dim * (values[i].carried + values[i].rows);
    sizes[i] = owners[i] == static_cast<int64_t>(i) ? (size + LINE_NUMBERS - 1) / LINE_NUMBERS * LINE_NUMBERS : 0;
  }
  const auto [begins, size] = places(sizes, born, dies);
  for (size_t i = 0; i < count; i++) values[i].begin = begins[owners[i]];
  expect(output_ >= 0 && output_ < static_cast<int64_t>(count), "there is no output");
  return Program(std::move(values), size, input_dims_, std::move(operations), std::move(specs), std::move(left),
                 owners[output_]);
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
