#include "program.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "cache_lines.h"

namespace nnet3_compat {

namespace {

void expect(bool condition, const char *what) {
  if (!condition) throw std::invalid_argument(what);
}

constexpr int64_t ANY_FRAME = std::numeric_limits<int64_t>::max();

}  // namespace

// Where the values of some sequences are.
class Program::Memory {
 public:
  // ``output``: where the rows of value ``placed`` go.
  Memory(const std::vector<Value> &values, int64_t sequences, float *memory, int64_t placed, float *output)
      : values_(values), memory_(memory), placed_(placed), output_(output), sequences(sequences) {}

  float *row(int64_t value, int64_t row) const {
    float *const begin = value == placed_ ? output_ : memory_ + sequences * values_[value].begin;
    return begin + sequences * row * values_[value].dim;
  }
  float *new_row(int64_t value, int64_t row) const { return this->row(value, values_[value].carried + row); }

  // Where columns of rows are, of all sequences: as many as ``found`` has, zeros where nothing is read.
  void find(const RowsOf &rows, const float *zeros, int64_t count, const float **found) const {
    const int64_t dim = values_[rows.source].dim;
    std::fill_n(found, count, zeros);
    for (const Progression &p : rows.read)
      for (int64_t i = 0; i < p.count; i++) {
        const float *const place = row(rows.source, p.from + p.from_step * i) + rows.first_column;
        const float **to = found + (p.to + p.to_step * i) * sequences;
        for (int64_t n = 0; n < sequences; n++) to[n] = place + n * dim;
      }
  }

 private:
  const std::vector<Value> &values_;
  float *const memory_;
  const int64_t placed_;
  float *const output_;

 public:
  const int64_t sequences;
};

Program::Program(std::vector<Value> values, int64_t size, std::vector<int64_t> input_dims, std::vector<Given> given,
                 std::vector<Loop> loops, std::vector<Kept> kept, int64_t output, bool in_place)
    : values_(std::move(values)),
      size_(size),
      input_dims_(std::move(input_dims)),
      given_(std::move(given)),
      loops_(std::move(loops)),
      kept_(std::move(kept)),
      output_(output),
      in_place_(in_place) {
  const auto value_at = [&](int64_t number) -> const Value & {
    expect(number >= 0 && number < static_cast<int64_t>(values_.size()), "there is no such value");
    return values_[number];
  };
  int64_t widest = 0;
  for (const Value &value : values_) {
    expect(value.dim >= 0 && value.carried >= 0 && value.rows >= 0 && value.begin >= 0, "a value of negative size");
    carried_size_ += value.dim * value.carried;
    widest = std::max(widest, value.dim);
  }
  const auto has_place = [&](const Value &value) {
    return value.begin + value.dim * (value.carried + value.rows) <= size_;
  };
  for (const Given &each : given_) {
    const Value &made = value_at(each.value);
    expect(each.slot >= 0 && each.slot < static_cast<int64_t>(input_dims_.size()), "there is no such input");
    expect(input_dims_[each.slot] == made.dim && has_place(made), "an input does not fit");
    const std::vector<int64_t> frames = expand(each.frames, made.rows, ANY_FRAME);
    expect(std::find(frames.begin(), frames.end(), NO_ROW) == frames.end(), "an input does not give all rows");
  }
  for (const Loop &loop : loops_)
    for (const Step &step : loop.steps) {
      const Value &made = value_at(step.operation->makes);
      expect(made.dim == step.operation->dim && has_place(made), "an operation makes a value of another size");
      expect(step.readings.size() == step.operation->readings.size(), "an operation has other readings");
      expect(step.blocks.size() == loop.steps[0].blocks.size() && !step.blocks.empty() && step.blocks[0] == 0 &&
                 step.blocks.back() == made.rows && std::is_sorted(step.blocks.begin(), step.blocks.end()),
             "blocks of other rows");
      for (size_t k = 0; k < step.readings.size(); k++) {
        const RowsOf &read = step.readings[k];
        const Value &source = value_at(read.source);
        expect(read.first_column >= 0 && read.first_column + step.operation->readings[k].dim <= source.dim &&
                   has_place(source),
               "an operation reads columns that are not there");
        expand(read.read, made.rows, source.carried + source.rows);
      }
    }
  value_at(output_);
  for (const Kept &each : kept_) {
    const Value &value = value_at(each.source);
    expect(has_place(value), "what is kept has no place");
    expand(each.read, each.rows, value.carried + value.rows);
    kept_size_ += value.dim * each.rows;
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
  thread_local LineVector<float> numbers;  // never given back: the next call needs as much
  const size_t needed = sequences * size_ + PANEL;
  if (numbers.size() < needed) numbers.resize(needed);
  const bool in_place = in_place_ && sequences == 1 && values_[output_].carried == 0;
  const Memory memory(values_, sequences, numbers.data(), in_place ? output_ : NO_VALUE, outputs);

  for (int64_t n = 0; n < sequences; n++) {
    const float *from = states[n]->numbers.data();
    for (size_t v = 0; v < values_.size(); v++)
      for (int64_t row = 0; row < values_[v].carried; row++, from += values_[v].dim)
        std::memcpy(memory.row(v, row) + n * values_[v].dim, from, values_[v].dim * sizeof(float));
  }
  for (const Given &given : given_) take(given, inputs[given.slot], memory);
  for (const Loop &loop : loops_) compute(loop, memory, num_threads);
  for (int64_t n = 0; n < sequences; n++) {
    states[n]->numbers.assign(kept_size_, 0.0f);
    float *to = states[n]->numbers.data();
    for (const Kept &kept : kept_) {
      const int64_t dim = values_[kept.source].dim;
      for (const Progression &p : kept.read)
        for (int64_t i = 0; i < p.count; i++)
          std::memcpy(to + (p.to + p.to_step * i) * dim, memory.row(kept.source, p.from + p.from_step * i) + n * dim,
                      dim * sizeof(float));
      to += kept.rows * dim;
    }
  }
  if (in_place) return;
  const int64_t dim = output_dim();
  for (int64_t n = 0; n < sequences; n++)
    for (int64_t row = 0; row < num_outputs(); row++, outputs += dim)
      std::memcpy(outputs, memory.new_row(output_, row) + n * dim, dim * sizeof(float));
}

void Program::take(const Given &given, const Input &input, const Memory &memory) const {
  for (const Progression &p : given.frames)
    for (int64_t i = 0; i < p.count; i++) {
      const int64_t frame = given.repeated ? 0 : p.from + p.from_step * i;
      if (frame >= input.frames) throw std::invalid_argument("too few frames of input");
      float *to = memory.new_row(given.value, p.to + p.to_step * i);
      for (int64_t n = 0; n < memory.sequences; n++, to += input.dim)
        std::memcpy(to, input.data + (n * input.frames + frame) * input.dim, input.dim * sizeof(float));
    }
}

void Program::compute(const Loop &loop, const Memory &memory, int num_threads) const {
  const int64_t sequences = memory.sequences;
  std::vector<std::vector<const float *>> read(loop.steps.size());
  for (size_t s = 0; s < loop.steps.size(); s++) {
    const Step &step = loop.steps[s];
    const int64_t count = step.blocks.back() * sequences;
    read[s].resize(count * step.readings.size());
    for (size_t k = 0; k < step.readings.size(); k++)
      memory.find(step.readings[k], zeros_.data(), count, read[s].data() + k * count);
  }
  const int64_t blocks = loop.steps[0].blocks.size() - 1;
  for (int64_t number = 0; number < blocks; number++) {
    const int64_t block = loop.last_first ? blocks - 1 - number : number;
    for (size_t s = 0; s < loop.steps.size(); s++) {
      const Step &step = loop.steps[s];
      const int64_t begin = step.blocks[block], count = (step.blocks[block + 1] - begin) * sequences;
      if (count == 0) continue;
      step.operation->run({read[s].data() + begin * sequences, step.blocks.back() * sequences, count,
                           memory.new_row(step.operation->makes, begin), zeros_.data(), num_threads});
    }
  }
}

}  // namespace nnet3_compat
