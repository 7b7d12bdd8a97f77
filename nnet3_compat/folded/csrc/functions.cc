#include "functions.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "cache_lines.h"
#include "function_code.h"

namespace nnet3_compat {

namespace {

void expect(bool condition, const char *what) {
  if (!condition) throw std::invalid_argument(what);
}

constexpr float SQUARED_NORM_FLOOR = 0x1p-66f, LEAST_PROBABILITY = 1.0e-20f;  // as in Kaldi

float greatest(const float *x, int64_t dim) { return *std::max_element(x, x + dim); }

class Apply : public Operation {
 public:
  Apply(int64_t makes, int64_t dim, Function function, std::vector<Reading> read, std::vector<float> parameters)
      : Operation(makes, dim, std::move(read)), function_(function), parameters_(std::move(parameters)), code_(function_code()) {
    expect(!readings.empty(), "a function of nothing");
    for (const Reading &reading : readings) expect(reading.scale == 1.0f, "a function of something scaled");
    check();
  }

  void run(const Block &block) const override {
    float *y = block.made;
    for (int64_t r = 0; r < block.count; r++, y += dim) one_row(block.read + r, block.stride, y);
  }

 private:
  bool reads(const std::vector<int64_t> &dims) const {
    const auto has_dim = [](const Reading &reading, int64_t wanted) { return reading.dim == wanted; };
    return std::equal(readings.begin(), readings.end(), dims.begin(), dims.end(), has_dim);
  }

  void check() const {
    const int64_t input_dim = readings[0].dim, count = parameters_.size();
    switch (function_) {
      case Function::PRODUCT: expect(reads(std::vector<int64_t>(readings.size(), dim)), "a product of other blocks"); break;
      case Function::NORMALIZE: {
        expect(count == 3 && parameters_[0] >= 1, "normalization without parameters");
        const int64_t block = static_cast<int64_t>(parameters_[0]), blocks = input_dim / block;
        expect(input_dim % block == 0 && dim == input_dim + (parameters_[2] != 0 ? blocks : 0), "blocks do not fit");
        break;
      }
      case Function::SCALE_AND_OFFSET:
        expect(count == 2 * dim, "scales and offsets do not fit");
        expect(reads({dim}), "a function does not change the dimension");
        break;
      case Function::PERMUTE:
        expect(count == dim, "a column for each is needed");
        for (const float column : parameters_)
          expect(column >= 0 && column < static_cast<float>(input_dim), "a column that is not there");
        break;
      case Function::LSTM: {
        const int64_t cells = dim / 2;
        expect(dim == 2 * cells && count == 3 * cells, "weights of cells do not fit");
        expect(reads({4 * cells, cells}) || reads({4 * cells, cells, 3}), "gates do not fit");
        break;
      }
      case Function::OUTPUT_GRU: {
        const int64_t cells = dim / 2;
        expect(dim == 2 * cells && count == cells && reads({cells, cells, cells}), "gates do not fit");
        break;
      }
      default: expect(reads({dim}), "a function does not change the dimension");
    }
  }

  // Of reading k of it, read[k * stride].
  void one_row(const float *const *read, int64_t stride, float *y) const {
    const float *const x = read[0];
    switch (function_) {
      case Function::RELU:
        for (int64_t i = 0; i < dim; i++) y[i] = x[i] < 0 ? 0 : x[i];
        break;
      case Function::SIGMOID: code_.sigmoids(x, dim, y); break;
      case Function::TANH: code_.tangents(x, dim, y); break;
      case Function::SOFTMAX: {
        const float sum = code_.exponentials(x, greatest(x, dim), dim, y);
        for (int64_t i = 0; i < dim; i++) y[i] = std::max(y[i] / sum, LEAST_PROBABILITY);
        break;
      }
      case Function::LOG_SOFTMAX: {
        const float most = greatest(x, dim), log_sum = most + std::log(code_.exponentials(x, most, dim, y));
        for (int64_t i = 0; i < dim; i++) y[i] = x[i] - log_sum;
        break;
      }
      case Function::SCALE_AND_OFFSET:
        for (int64_t i = 0; i < dim; i++) y[i] = parameters_[i] * x[i] + parameters_[dim + i];
        break;
      case Function::NORMALIZE: normalize(x, readings[0].dim, y); break;
      case Function::PRODUCT:
        std::copy(x, x + dim, y);
        for (size_t k = 1; k < readings.size(); k++)
          for (int64_t i = 0; i < dim; i++) y[i] *= read[k * stride][i];
        break;
      case Function::PERMUTE:
        for (int64_t i = 0; i < dim; i++) y[i] = x[static_cast<int64_t>(parameters_[i])];
        break;
      case Function::LSTM: {
        constexpr float ALL[] = {1, 1, 1};
        code_.lstm(x, read[stride], parameters_.data(), readings.size() == 3 ? read[2 * stride] : ALL, dim / 2, y);
        break;
      }
      case Function::OUTPUT_GRU:
        code_.gated_update(x, read[stride], read[2 * stride], parameters_.data(), nullptr, dim / 2, y);
        break;
    }
  }

  // To the RMS value r of each block: x / sqrt(p), p = max(mean(x^2) / r^2, 2^-66); perhaps then log(r sqrt(p)).
  void normalize(const float *x, int64_t input_dim, float *y) const {
    const int64_t block = static_cast<int64_t>(parameters_[0]);
    const float target = parameters_[1];
    for (int64_t begin = 0; begin < input_dim; begin += block) {
      float power = 0;
      for (int64_t i = begin; i < begin + block; i++) power += x[i] * x[i];
      power = std::max(power / (static_cast<float>(block) * target * target), SQUARED_NORM_FLOOR);
      const float scale = 1 / std::sqrt(power);
      for (int64_t i = begin; i < begin + block; i++) *y++ = x[i] * scale;
      if (parameters_[2] != 0) *y++ = 0.5f * std::log(power) + std::log(target);
    }
  }

  Function function_;
  std::vector<float> parameters_;
  const FunctionCode &code_;
};

class GatedUnit : public Operation {
 public:
  GatedUnit(int64_t makes, std::shared_ptr<PackedMatrix> matrix, std::vector<Reading> read)
      : Operation(makes, 2 * matrix->outputs(), std::move(read)), matrix_(std::move(matrix)), code_(function_code()) {
    const std::vector<int64_t> dims{cells(), states(), cells(), cells(), states()};
    const auto fits = [](const Reading &reading, int64_t wanted) { return reading.dim == wanted && reading.scale == 1.0f; };
    expect(std::equal(readings.begin(), readings.end(), dims.begin(), dims.end(), fits), "gates do not fit");
  }

  void run(const Block &block) const override {
    LineVector<float> gated(block.count * states() + PANEL), products(block.count * cells());
    std::vector<const float *> rows(block.count);
    for (int64_t r = 0; r < block.count; r++) {
      const float *const gate = block.read[block.stride + r], *const state = block.read[4 * block.stride + r];
      float *const row = gated.data() + r * states();
      for (int64_t i = 0; i < states(); i++) row[i] = gate[i] * state[i];
      rows[r] = row;
    }
    matrix_->multiply(rows.data(), 1, block.count, block.count, Finish(), products.data(), block.num_threads);
    for (int64_t r = 0; r < block.count; r++) {
      const auto read = [&](int64_t reading) { return block.read[reading * block.stride + r]; };
      code_.gated_update(read(0), read(2), read(3), nullptr, products.data() + r * cells(), cells(), block.made + r * dim);
    }
  }

 private:
  int64_t cells() const { return matrix_->outputs(); }
  int64_t states() const { return matrix_->inputs(); }

  std::shared_ptr<PackedMatrix> matrix_;
  const FunctionCode &code_;
};

}  // namespace

std::shared_ptr<Operation> apply(int64_t makes, int64_t dim, Function function, std::vector<Reading> read,
                                 std::vector<float> parameters) {
  return std::make_shared<Apply>(makes, dim, function, std::move(read), std::move(parameters));
}

std::shared_ptr<Operation> gated_unit(int64_t makes, std::shared_ptr<PackedMatrix> matrix, std::vector<Reading> read) {
  return std::make_shared<GatedUnit>(makes, std::move(matrix), std::move(read));
}

}  // namespace nnet3_compat
