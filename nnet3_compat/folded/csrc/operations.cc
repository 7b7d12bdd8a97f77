#include "operations.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

namespace nnet3_compat {

namespace {

void expect(bool condition, const char *what) {
  if (!condition) throw std::invalid_argument(what);
}

const Value &value_at(const std::vector<Value> &values, int64_t number) {
  expect(number >= 0 && number < static_cast<int64_t>(values.size()), "there is no such value");
  return values[number];
}

const RowsRead &rows_at(const Layout &layout, int64_t spec, int64_t leaf) {
  expect(spec >= 0 && spec < static_cast<int64_t>(layout.size()) && leaf >= 0 &&
             leaf < static_cast<int64_t>(layout[spec].leaves.size()),
         "a reading is not in the layout");
  return layout[spec].leaves[leaf];
}

class TakeInput : public Operation {
 public:
  TakeInput(int64_t makes, int64_t slot, int64_t spec, bool repeated)
      : Operation(makes), slot_(slot), spec_(spec), repeated_(repeated) {}

  void run(const Workspace &space) const override {
    const Input &input = space.inputs[slot_];
    float *const begin = space.first_new_row(makes);
    for (const Progression &p : space.layout[spec_].leaves[0])
      for (int64_t i = 0; i < p.count; i++) {
        const int64_t frame = repeated_ ? 0 : p.from + p.from_step * i;
        if (frame >= input.frames) throw std::invalid_argument("too few frames of input");
        float *to = begin + (p.to + p.to_step * i) * space.sequences * input.dim;
        for (int64_t n = 0; n < space.sequences; n++, to += input.dim)
          std::memcpy(to, input.data + (n * input.frames + frame) * input.dim, input.dim * sizeof(float));
      }
  }

  void check(const std::vector<Value> &values, const Layout &layout,
             const std::vector<int64_t> &input_dims) const override {
    const Value &made = value_at(values, makes);
    expect(slot_ >= 0 && slot_ < static_cast<int64_t>(input_dims.size()), "there is no such input");
    expect(input_dims[slot_] == made.dim, "an input does not fit");
    const RowsRead &read = rows_at(layout, spec_, 0);
    check_rows(read, made.rows, std::numeric_limits<int64_t>::max());
    int64_t given = 0;
    for (const Progression &p : read) given += p.count;
    expect(given == made.rows, "an input does not give all rows");
  }

 private:
  int64_t slot_, spec_;
  bool repeated_;
};

class Append : public Operation {
 public:
  Append(int64_t makes, std::vector<Part> parts) : Operation(makes), parts_(std::move(parts)) {}

  void run(const Workspace &space) const override {
    const Value &made = space.values[makes];
    const int64_t count = made.rows * space.sequences;
    std::vector<const float *> rows;
    for (const Part &part : parts_) {
      float *const begin = space.first_new_row(makes) + part.first;
      bool is_first = part.constant == 0.0f;
      const auto is_read = [&](const Reading &term) { return !space.rows_read(term).empty(); };
      if (!is_first || std::none_of(part.terms.begin(), part.terms.end(), is_read))
        for (int64_t r = 0; r < count; r++) std::fill_n(begin + r * made.dim, part.dim, part.constant);
      for (const Reading &term : part.terms) {
        if (!is_read(term)) continue;
        rows.clear();
        space.find(term, makes, &rows);
        for (int64_t r = 0; r < count; r++) {
          const float *from = rows[r] + part.first_of_source;
          float *to = begin + r * made.dim;
          if (is_first && term.scale == 1.0f)
            std::memcpy(to, from, part.dim * sizeof(float));
          else if (is_first)
            for (int64_t i = 0; i < part.dim; i++) to[i] = term.scale * from[i];
          else
            for (int64_t i = 0; i < part.dim; i++) to[i] += term.scale * from[i];
        }
        is_first = false;
      }
    }
  }

  void check(const std::vector<Value> &values, const Layout &layout, const std::vector<int64_t> &) const override {
    const Value &made = value_at(values, makes);
    int64_t first = 0;
    for (const Part &part : parts_) {
      expect(part.first == first && part.dim >= 0, "parts are not side by side");
      first += part.dim;
      for (const Reading &term : part.terms) {
        check_reading(term, values, layout, made.rows);
        expect(part.first_of_source >= 0 && part.first_of_source + part.dim <= values[term.source].dim,
               "a part reads columns that are not there");
      }
    }
    expect(first == made.dim, "parts have another dimension than their value");
  }

  const Reading *passed_on() const override {
    if (parts_.size() != 1 || parts_[0].terms.size() != 1) return nullptr;
    const Part &part = parts_[0];
    return part.constant == 0.0f && part.terms[0].scale == 1.0f ? &part.terms[0] : nullptr;
  }

 private:
  std::vector<Part> parts_;
};

class Affine : public Operation {
 public:
  Affine(int64_t makes, std::shared_ptr<PackedMatrix> matrix, std::vector<Reading> taps, bool rectify,
         std::vector<Reading> added, bool add_offset)
      : Operation(makes),
        matrix_(std::move(matrix)),
        taps_(std::move(taps)),
        added_(std::move(added)),
        rectify_(rectify),
        add_offset_(add_offset) {}

  void run(const Workspace &space) const override {
    const int64_t count = space.values[makes].rows * space.sequences;
    if (count == 0) return;
    std::vector<const float *> rows;
    rows.reserve(count * (taps_.size() + added_.size()));
    for (const Reading &tap : taps_) space.find(tap, makes, &rows);
    for (const Reading &added : added_) space.find(added, makes, &rows);
    Finish finish;
    finish.rectify = rectify_;
    finish.has_offset = add_offset_;
    const float *const *more = rows.data() + count * taps_.size();
    for (const Reading &added : added_) {
      finish.added.push_back({more, added.scale});
      more += count;
    }
    matrix_->multiply(rows.data(), taps_.size(), count, finish, space.first_new_row(makes), space.num_threads);
  }

  void check(const std::vector<Value> &values, const Layout &layout, const std::vector<int64_t> &) const override {
    const Value &made = value_at(values, makes);
    expect(made.dim == matrix_->outputs() && !taps_.empty(), "a matrix has another dimension than its value");
    for (const Reading &tap : taps_) {
      check_reading(tap, values, layout, made.rows);
      expect(values[tap.source].dim * static_cast<int64_t>(taps_.size()) == matrix_->inputs() && tap.scale == 1.0f,
             "a matrix has another dimension than what it reads");
    }
    for (const Reading &added : added_) {
      check_reading(added, values, layout, made.rows);
      expect(values[added.source].dim == made.dim, "what is added has another dimension");
    }
  }

 private:
  std::shared_ptr<PackedMatrix> matrix_;
  std::vector<Reading> taps_, added_;
  bool rectify_, add_offset_;
};

constexpr float SQUARED_NORM_FLOOR = 0x1p-66f, LEAST_PROBABILITY = 1.0e-20f;  // as in Kaldi

float greatest(const float *x, int64_t dim) { return *std::max_element(x, x + dim); }

class Apply : public Operation {
 public:
  Apply(int64_t makes, Function function, Reading source, std::vector<float> parameters)
      : Operation(makes), function_(function), source_(std::move(source)), parameters_(std::move(parameters)) {}

  void run(const Workspace &space) const override {
    std::vector<const float *> rows;
    space.find(source_, makes, &rows);
    const int64_t input_dim = space.values[source_.source].dim, dim = space.values[makes].dim;
    float *y = space.first_new_row(makes);
    for (const float *x : rows) {
      one_row(x, input_dim, y, dim);
      y += dim;
    }
  }

  void check(const std::vector<Value> &values, const Layout &layout, const std::vector<int64_t> &) const override {
    const Value &made = value_at(values, makes);
    check_reading(source_, values, layout, made.rows);
    const int64_t input_dim = values[source_.source].dim;
    switch (function_) {
      case Function::PRODUCT: expect(input_dim % made.dim == 0, "a product of blocks that do not fit"); break;
      case Function::NORMALIZE: {
        expect(parameters_.size() == 3 && parameters_[0] >= 1, "normalization without parameters");
        const int64_t block = static_cast<int64_t>(parameters_[0]), blocks = input_dim / block;
        expect(input_dim % block == 0 && made.dim == input_dim + (parameters_[2] != 0 ? blocks : 0), "blocks do not fit");
        break;
      }
      case Function::SCALE_AND_OFFSET:
        expect(static_cast<int64_t>(parameters_.size()) == 2 * made.dim, "scales and offsets do not fit");
        expect(input_dim == made.dim, "a function does not change the dimension");
        break;
      case Function::PERMUTE:
        expect(static_cast<int64_t>(parameters_.size()) == made.dim, "a column for each is needed");
        for (const float column : parameters_)
          expect(column >= 0 && column < static_cast<float>(input_dim), "a column that is not there");
        break;
      default: expect(input_dim == made.dim, "a function does not change the dimension");
    }
  }

 private:
  void one_row(const float *x, int64_t input_dim, float *y, int64_t dim) const {
    switch (function_) {
      case Function::RELU:
        for (int64_t i = 0; i < dim; i++) y[i] = x[i] < 0 ? 0 : x[i];
        break;
      case Function::SIGMOID:
        for (int64_t i = 0; i < dim; i++) y[i] = 1 / (1 + std::exp(-x[i]));
        break;
      case Function::TANH:
        for (int64_t i = 0; i < dim; i++) y[i] = std::tanh(x[i]);
        break;
      case Function::SOFTMAX: {
        const float most = greatest(x, dim);
        float sum = 0;
        for (int64_t i = 0; i < dim; i++) sum += y[i] = std::exp(x[i] - most);
        for (int64_t i = 0; i < dim; i++) y[i] = std::max(y[i] / sum, LEAST_PROBABILITY);
        break;
      }
      case Function::LOG_SOFTMAX: {
        const float most = greatest(x, dim);
        double sum = 0;
        for (int64_t i = 0; i < dim; i++) sum += std::exp(x[i] - most);
        const float log_sum = most + static_cast<float>(std::log(sum));
        for (int64_t i = 0; i < dim; i++) y[i] = x[i] - log_sum;
        break;
      }
      case Function::SCALE_AND_OFFSET:
        for (int64_t i = 0; i < dim; i++) y[i] = parameters_[i] * x[i] + parameters_[dim + i];
        break;
      case Function::NORMALIZE: normalize(x, input_dim, y); break;
      case Function::PRODUCT:
        std::copy(x, x + dim, y);
        for (int64_t block = dim; block < input_dim; block += dim)
          for (int64_t i = 0; i < dim; i++) y[i] *= x[block + i];
        break;
      case Function::PERMUTE:
        for (int64_t i = 0; i < dim; i++) y[i] = x[static_cast<int64_t>(parameters_[i])];
        break;
    }
  }

  // To the RMS value r of each block: x / sqrt(p), p = max(mean(x^2) / r^2, 2^-66); perhaps then log(r sqrt(p)).
  void normalize(const float *x, int64_t dim, float *y) const {
    const int64_t block = static_cast<int64_t>(parameters_[0]);
    const float target = parameters_[1];
    for (int64_t begin = 0; begin < dim; begin += block) {
      float power = 0;
      for (int64_t i = begin; i < begin + block; i++) power += x[i] * x[i];
      power = std::max(power / (static_cast<float>(block) * target * target), SQUARED_NORM_FLOOR);
      const float scale = 1 / std::sqrt(power);
      for (int64_t i = begin; i < begin + block; i++) *y++ = x[i] * scale;
      if (parameters_[2] != 0) *y++ = 0.5f * std::log(power) + std::log(target);
    }
  }

  Function function_;
  Reading source_;
  std::vector<float> parameters_;
};

}  // namespace

void check_reading(const Reading &reading, const std::vector<Value> &values, const Layout &layout, int64_t rows) {
  const Value &source = value_at(values, reading.source);
  check_rows(rows_at(layout, reading.spec, reading.leaf), rows, source.carried + source.rows);
}

void Workspace::find(const Reading &reading, int64_t makes, std::vector<const float *> *rows) const {
  const int64_t dim = values[reading.source].dim;
  const size_t begin = rows->size();
  rows->resize(begin + values[makes].rows * sequences, zeros_);
  for (const Progression &p : rows_read(reading))
    for (int64_t i = 0; i < p.count; i++) {
      const float *place = row(reading.source, p.from + p.from_step * i);
      const float **to = rows->data() + begin + (p.to + p.to_step * i) * sequences;
      for (int64_t n = 0; n < sequences; n++) to[n] = place + n * dim;
    }
}

std::shared_ptr<Operation> take_input(int64_t makes, int64_t slot, int64_t spec, bool repeated) {
  return std::make_shared<TakeInput>(makes, slot, spec, repeated);
}

std::shared_ptr<Operation> append(int64_t makes, std::vector<Part> parts) {
  return std::make_shared<Append>(makes, std::move(parts));
}

std::shared_ptr<Operation> affine(int64_t makes, std::shared_ptr<PackedMatrix> matrix, std::vector<Reading> taps,
                                  bool rectify, std::vector<Reading> added, bool add_offset) {
  return std::make_shared<Affine>(makes, std::move(matrix), std::move(taps), rectify, std::move(added), add_offset);
}

std::shared_ptr<Operation> apply(int64_t makes, Function function, Reading source, std::vector<float> parameters) {
  return std::make_shared<Apply>(makes, function, std::move(source), std::move(parameters));
}

}  // namespace nnet3_compat
