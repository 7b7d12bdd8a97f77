#include "operations.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace nnet3_compat {

namespace {

void expect(bool condition, const char *what) {
  if (!condition) throw std::invalid_argument(what);
}

int64_t dim_of(const std::vector<Part> &parts) {
  int64_t dim = 0;
  for (const Part &part : parts) {
    expect(part.dim >= 0, "a part of a negative size");
    dim += part.dim;
  }
  return dim;
}

std::vector<Reading> readings_of(const std::vector<Part> &parts) {
  std::vector<Reading> readings;
  for (const Part &part : parts)
    for (const Reading &term : part.terms) {
      expect(term.dim == part.dim, "a part reads another number of columns");
      readings.push_back(term);
    }
  return readings;
}

class Append : public Operation {
 public:
  Append(int64_t makes, std::vector<Part> parts)
      : Operation(makes, dim_of(parts), readings_of(parts)), parts_(std::move(parts)) {}

  void run(const Block &block) const override {
    const float *const *read = block.read;
    float *begin = block.made;
    for (const Part &part : parts_) {
      bool is_first = part.constant == 0.0f && !part.terms.empty();
      if (!is_first)
        for (int64_t r = 0; r < block.count; r++) std::fill_n(begin + r * dim, part.dim, part.constant);
      for (const Reading &term : part.terms) {
        for (int64_t r = 0; r < block.count; r++) {
          const float *from = read[r];
          float *to = begin + r * dim;
          if (is_first && term.scale == 1.0f)
            std::memcpy(to, from, part.dim * sizeof(float));
          else if (is_first)
            for (int64_t i = 0; i < part.dim; i++) to[i] = term.scale * from[i];
          else
            for (int64_t i = 0; i < part.dim; i++) to[i] += term.scale * from[i];
        }
        is_first = false;
        read += block.stride;
      }
      begin += part.dim;
    }
  }

  std::optional<Reading> passed_on(int64_t first_column, int64_t columns) const override {
    int64_t begin = 0;
    for (const Part &part : parts_) {
      if (begin <= first_column && first_column + columns <= begin + part.dim) {
        if (part.terms.size() != 1 || part.terms[0].scale != 1.0f || part.constant != 0.0f) return std::nullopt;
        Reading some = part.terms[0];
        some.first_column += first_column - begin;
        some.dim = columns;
        return some;
      }
      begin += part.dim;
    }
    return std::nullopt;
  }

 private:
  std::vector<Part> parts_;
};

std::vector<Reading> joined(std::vector<Reading> first, const std::vector<Reading> &second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

class Affine : public Operation {
 public:
  Affine(int64_t makes, std::shared_ptr<PackedMatrix> matrix, const std::vector<Reading> &taps, bool rectify,
         const std::vector<Reading> &added, bool add_offset)
      : Operation(makes, matrix->outputs(), joined(taps, added)),
        matrix_(std::move(matrix)),
        taps_(taps.size()),
        rectify_(rectify),
        add_offset_(add_offset) {
    expect(!taps.empty(), "a matrix of nothing");
    for (const Reading &tap : taps)
      expect(tap.dim * taps_ == matrix_->inputs() && tap.scale == 1.0f,
             "a matrix has another dimension than what it reads");
    for (const Reading &other : added) expect(other.dim == dim, "what is added has another dimension");
  }

  void run(const Block &block) const override {
    Finish finish;
    finish.rectify = rectify_;
    finish.has_offset = add_offset_;
    for (size_t k = taps_; k < readings.size(); k++)
      finish.added.push_back({block.read + k * block.stride, readings[k].scale});
    matrix_->multiply(block.read, taps_, block.stride, block.count, finish, block.made, block.num_threads);
  }

 private:
  std::shared_ptr<PackedMatrix> matrix_;
  int64_t taps_;
  bool rectify_, add_offset_;
};

}  // namespace

std::shared_ptr<Operation> append(int64_t makes, std::vector<Part> parts) {
  return std::make_shared<Append>(makes, std::move(parts));
}

std::shared_ptr<Operation> affine(int64_t makes, std::shared_ptr<PackedMatrix> matrix, const std::vector<Reading> &taps,
                                  bool rectify, const std::vector<Reading> &added, bool add_offset) {
  return std::make_shared<Affine>(makes, std::move(matrix), taps, rectify, added, add_offset);
}

}  // namespace nnet3_compat
