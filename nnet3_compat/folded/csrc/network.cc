#include "network.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "cache_lines.h"
#include "sources.h"

namespace nnet3_compat {

namespace {

void expect(bool condition, const char *what) {
  if (!condition) throw std::invalid_argument(what);
}

constexpr int64_t LINE_NUMBERS = LINE / sizeof(float);  // values begin with a line

// Whether it is all of the value, row for row.
bool is_whole(const RowsOf &rows, const Value &reader, const Value &source) {
  if (source.carried != 0 || source.dim != reader.dim || source.rows != reader.rows || rows.first_column != 0) return false;
  if (rows.read.size() != 1) return source.rows == 0;
  const Progression &all = rows.read[0];
  return all.to == 0 && all.from == 0 && all.count == source.rows && (all.count == 1 || all.from_step == 1);
}

// Marks what is needed of the values that are made, from those that are marked already.
void mark_needed(const std::vector<Loop> &loops, std::vector<bool> *needed) {
  for (auto loop = loops.rbegin(); loop != loops.rend(); ++loop)
    for (bool changed = true; changed;) {
      changed = false;
      for (auto step = loop->steps.rbegin(); step != loop->steps.rend(); ++step) {
        if (!(*needed)[step->operation->makes]) continue;
        for (const RowsOf &read : step->readings) {
          changed = changed || !(*needed)[read.source];
          (*needed)[read.source] = true;
        }
      }
    }
}

}  // namespace

Network::Network(std::vector<Group> groups, std::vector<int64_t> dims, std::vector<int64_t> input_dims,
                 std::vector<TakenInput> inputs, std::vector<std::vector<std::shared_ptr<Operation>>> operations,
                 int64_t output)
    : groups_(std::move(groups)),
      dims_(std::move(dims)),
      input_dims_(std::move(input_dims)),
      inputs_(std::move(inputs)),
      operations_(std::move(operations)),
      output_(output) {
  const auto expect_value = [&](int64_t value) {
    expect(value >= 0 && value < static_cast<int64_t>(dims_.size()), "there is no such value");
  };
  for (const Group &group : groups_) {
    expect(!group.members.empty(), "a group of no value");
    for (const Member &member : group.members) expect_value(member.value);
  }
  for (const TakenInput &input : inputs_) expect_value(input.value);
  for (const auto &of_group : operations_) {
    expect(!of_group.empty(), "a group of no operation");
    for (const auto &operation : of_group) expect_value(operation->makes);
  }
  expect_value(output_);
}

Program Network::program(const std::vector<std::vector<int64_t>> &layout, std::vector<int64_t> carried,
                         const std::vector<std::vector<int64_t>> &kept) const {
  const size_t count = dims_.size();
  if (carried.empty()) carried.assign(count, 0);
  expect(carried.size() == count, "another number of carried rows than of values");
  expect(kept.empty() || kept.size() == count, "another number of kept rows than of values");
  for (const int64_t rows : carried) expect(rows >= 0, "a negative number of carried rows");
  const std::vector<Spec> specs = decode(layout, groups_, carried);
  std::vector<Value> values(count);
  std::vector<bool> stay(count);
  for (size_t i = 0; i < count; i++) {
    values[i] = {dims_[i], carried[i], specs[i].rows, 0};
    stay[i] = carried[i] != 0;
  }
  std::vector<Kept> left;
  for (size_t i = 0; i < kept.size(); i++) {
    Spec spec = decode(kept[i]);
    if (spec.rows == 0) continue;
    expect(spec.leaves.size() == 1, "what is kept is read by one leaf");
    left.push_back({static_cast<int64_t>(i), spec.rows, std::move(spec.leaves[0])});
    stay[i] = true;
  }
  std::vector<Given> given;
  for (const TakenInput &input : inputs_) {
    const Spec &spec = specs[input.value];
    expect(!spec.leaves.empty(), "an input is not in the layout");
    given.push_back({input.value, input.slot, input.repeated, spec.leaves[0]});
  }
  std::vector<std::shared_ptr<Operation>> makers(count);
  for (const auto &of_group : operations_)
    for (const auto &operation : of_group) makers[operation->makes] = operation;
  Sources sources(values, specs, makers, stay);
  std::vector<Loop> loops;
  for (const auto &of_group : operations_) {
    Loop loop{{}, specs[of_group[0]->makes].last_first};
    for (const auto &operation : of_group) {
      std::vector<RowsOf> readings;
      for (const Reading &reading : operation->readings) readings.push_back(sources.of(reading));
      loop.steps.push_back({operation, std::move(readings), specs[operation->makes].blocks});
    }
    loops.push_back(std::move(loop));
  }
  const RowsOf shown = sources.of(output_);
  const int64_t output = is_whole(shown, values[output_], values[shown.source]) ? shown.source : output_;

  std::vector<bool> needed(count, false);
  needed[output] = true;
  for (const Kept &each : left) needed[each.source] = true;
  mark_needed(loops, &needed);
  std::vector<Loop> wanted;
  std::vector<int64_t> born(count, -1), dies(count, -1);
  bool in_place = true;
  for (Loop &loop : loops) {
    const auto is_superfluous = [&](const Step &step) { return !needed[step.operation->makes]; };
    loop.steps.erase(std::remove_if(loop.steps.begin(), loop.steps.end(), is_superfluous), loop.steps.end());
    if (loop.steps.empty()) continue;
    const int64_t now = wanted.size();
    for (const Step &step : loop.steps) {
      const int64_t made = step.operation->makes;
      if (carried[made] == 0) born[made] = now;
      dies[made] = std::max(dies[made], now);
      for (const RowsOf &read : step.readings) {
        dies[read.source] = now;
        in_place = in_place && read.source != output;
      }
    }
    wanted.push_back(std::move(loop));
  }
  const int64_t end = wanted.size();
  dies[output] = end;
  for (const Kept &each : left) dies[each.source] = end;
  std::vector<int64_t> sizes(count);
  for (size_t i = 0; i < count; i++) {
    const bool is_made = needed[i] || carried[i] != 0;
    const int64_t size = is_made ? values[i].dim * (values[i].carried + values[i].rows) : 0;
    sizes[i] = (size + LINE_NUMBERS - 1) / LINE_NUMBERS * LINE_NUMBERS;
  }
  for (const Given &each : given) {
    const Value &value = values[each.value];
    sizes[each.value] = (value.dim * (value.carried + value.rows) + LINE_NUMBERS - 1) / LINE_NUMBERS * LINE_NUMBERS;
  }
  const auto [begins, size] = places(sizes, born, dies);
  for (size_t i = 0; i < count; i++) values[i].begin = begins[i];
  return Program(std::move(values), size, input_dims_, std::move(given), std::move(wanted), std::move(left), output,
                 in_place);
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
