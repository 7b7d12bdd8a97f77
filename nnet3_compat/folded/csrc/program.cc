#include "program.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "cache_lines.h"

namespace nnet3_compat {

namespace {

void expect(bool condition, const char *what) {
  if (!condition) throw std::invalid_argument(what);
}

}  // namespace

Program::Program(std::vector<Value> values, int64_t size, std::vector<int64_t> input_dims,
                 std::vector<std::shared_ptr<Operation>> operations, Layout layout, std::vector<Kept> kept,
                 int64_t output)
    : values_(std::move(values)),
      size_(size),
      input_dims_(std::move(input_dims)),
      operations_(std::move(operations)),
      layout_(std::move(layout)),
      kept_(std::move(kept)),
      output_(output) {
  const int64_t count = values_.size();
  int64_t widest = 0;
  for (const Value &value : values_) {
    expect(value.dim >= 0 && value.carried >= 0 && value.rows >= 0 && value.begin >= 0, "a value of negative size");
    expect(value.begin + value.dim * (value.carried + value.rows) <= size_, "a value has no place");
    carried_size_ += value.dim * value.carried;
    widest = std::max(widest, value.dim);
  }
  for (const auto &operation : operations_) operation->check(values_, layout_, input_dims_);
  expect(output_ >= 0 && output_ < count, "there is no output");
  for (const Kept &kept : kept_) {
    expect(kept.source >= 0 && kept.source < count, "what is kept is not there");
    const Value &value = values_[kept.source];
    check_rows(kept.read, kept.rows, value.carried + value.rows);
    kept_size_ += value.dim * kept.rows;
  }
  zeros_.assign(widest + PANEL, 0.0f);
}

void Program::run(const std::vector<Input> &inputs, const std::vector<State *> &states, float *outputs,
                  int num_threads) const {
  const int64_t sequences = states.size();
  expect(inputs.size() == input_dims_.size(), "another number of inputs");
  for (size_t i = 0; i < inputs.size(); i++) expect(inputs[i].dim == input_dims_[i], "an input of another dimension");
  for (const State *state : states)
    expect(static_cast<int64_t>(state->numbers.size()) == carried_size_, "a state that another segment left");
  thread_local LineVector<float> memory;  // never given back: the next call needs as much
  const size_t needed = sequences * size_ + PANEL;
  if (memory.size() < needed) memory.resize(needed);
  // Of one sequence they are made where they are wanted. (Nothing reads them: what does would be no part of the network.)
  const bool in_place = sequences == 1 && values_[output_].carried == 0;
  const Workspace space(values_, layout_, sequences, memory.data(), zeros_.data(), in_place ? output_ : -1, outputs,
                        inputs, num_threads);

  for (int64_t n = 0; n < sequences; n++) {
    const float *from = states[n]->numbers.data();
    for (size_t v = 0; v < values_.size(); v++)
      for (int64_t row = 0; row < values_[v].carried; row++, from += values_[v].dim)
        std::memcpy(space.row(v, row) + n * values_[v].dim, from, values_[v].dim * sizeof(float));
  }
  for (const auto &operation : operations_) operation->run(space);
  for (int64_t n = 0; n < sequences; n++) {
    states[n]->numbers.assign(kept_size_, 0.0f);
    float *to = states[n]->numbers.data();
    for (const Kept &kept : kept_) {
      const int64_t dim = values_[kept.source].dim;
      for (const Progression &p : kept.read)
        for (int64_t i = 0; i < p.count; i++)
          std::memcpy(to + (p.to + p.to_step * i) * dim, space.row(kept.source, p.from + p.from_step * i) + n * dim,
                      dim * sizeof(float));
      to += kept.rows * dim;
    }
  }
  if (in_place) return;
  const int64_t dim = output_dim();
  for (int64_t n = 0; n < sequences; n++)
    for (int64_t row = 0; row < num_outputs(); row++, outputs += dim)
      std::memcpy(outputs, space.first_new_row(output_) + (row * sequences + n) * dim, dim * sizeof(float));
}

}  // namespace nnet3_compat
