#include "compressed.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace kaldi_bridge {

namespace {

constexpr size_t kCodes = 256;   // of a byte
constexpr size_t kFewRows = 32;  // for which a table of all codes takes longer than it saves

uint16_t two_bytes(const uint8_t *data) {
  uint16_t value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

float quartile_value(float minimum, float range, int code) {
  return minimum + range * 1.52590218966964e-05f * static_cast<float>(code);
}

// What a column's codes stand for, from its 16-bit quartiles: 64 steps up to p25, 128 to p75, 63 to p100. Products are in
// single and sums in double precision, as in Kaldi.
class Column {
 public:
  Column(float minimum, float range, const uint8_t *quartiles) {
    for (int i = 0; i < 4; i++) p_[i] = quartile_value(minimum, range, two_bytes(quartiles + 2 * i));
  }

  float value(int code) const {
    return code <= 64    ? between(0, code, 1 / 64.0)
           : code <= 192 ? between(1, code - 64, 1 / 128.0)
                         : between(2, code - 192, 1 / 63.0);
  }

  // The same of all codes.
  void values(float *out) const {
    for (int n = 0; n <= 64; n++) out[n] = between(0, n, 1 / 64.0);
    for (int n = 65; n <= 192; n++) out[n] = between(1, n - 64, 1 / 128.0);
    for (int n = 193; n <= 255; n++) out[n] = between(2, n - 192, 1 / 63.0);
  }

 private:
  float between(int i, int steps, double step) const {
    return static_cast<float>(p_[i] + static_cast<double>((p_[i + 1] - p_[i]) * static_cast<float>(steps)) * step);
  }

  float p_[4];
};

void put_two_bytes(int value, uint8_t *out) {
  const uint16_t code = static_cast<uint16_t>(value);
  std::memcpy(out, &code, sizeof code);
}

// From 0 to `steps`, rounded as Kaldi rounds.
int uniform_code(Limits limits, float value, int steps) {
  const float fraction = std::clamp((value - limits.minimum) / limits.range, 0.0f, 1.0f);
  return static_cast<int>(fraction * static_cast<float>(steps) + 0.499);
}

// The least value of a column, its quartiles and the greatest, strictly ascending. Sorts the column as far as needed.
void quartile_codes(Limits limits, std::vector<float> &column, int *codes) {
  const size_t rows = column.size(), quarter = rows / 4;
  if (rows >= 5) {
    const auto begin = column.begin(), end = column.end();
    std::nth_element(begin, begin + quarter, end);
    std::nth_element(begin + quarter + 1, begin + 3 * quarter, end);
    const float least = *std::min_element(begin, begin + quarter + 1), greatest = *std::max_element(begin + 3 * quarter, end);
    const float ranked[] = {least, column[quarter], column[3 * quarter], greatest};
    for (int i = 0; i < 4; i++) codes[i] = uniform_code(limits, ranked[i], 65535);
  } else {
    std::sort(column.begin(), column.end());
    for (size_t i = 0; i < 4; i++) codes[i] = i < rows ? uniform_code(limits, column[i], 65535) : 0;
  }
  codes[0] = std::min(codes[0], 65532);
  codes[1] = std::min(std::max(codes[1], codes[0] + 1), 65533);
  codes[2] = std::min(std::max(codes[2], codes[1] + 1), 65534);
  codes[3] = std::max(codes[3], codes[2] + 1);
}

// From 0 to `steps`, where a value lies between `low` and `high`, which may be the same. Kaldi adds the half in double
// precision; what no integer can hold becomes the least one.
int code_between(float value, float low, float high, int steps) {
  const double place = (value - low) / (high - low) * static_cast<float>(steps) + 0.5;
  return place >= 0 && place < 2147483648.0 ? std::min(static_cast<int>(place), steps) : 0;
}

void compress_column(Limits limits, const std::vector<float> &values, uint8_t *quartiles, uint8_t *out) {
  std::vector<float> ranked = values;
  int codes[4];
  quartile_codes(limits, ranked, codes);
  float p[4];
  for (int i = 0; i < 4; i++) {
    put_two_bytes(codes[i], quartiles + 2 * i);
    p[i] = quartile_value(limits.minimum, limits.range, codes[i]);
  }
  for (size_t r = 0; r < values.size(); r++) {
    const float value = values[r];
    const int code = value < p[1]   ? code_between(value, p[0], p[1], 64)
                     : value < p[2] ? 64 + code_between(value, p[1], p[2], 128)
                                    : 192 + code_between(value, p[2], p[3], 63);
    out[r] = static_cast<uint8_t>(code);
  }
}

}  // namespace

size_t compressed_size(Compression form, size_t rows, size_t cols) {
  if (form == Compression::kColumns) return cols * (8 + rows);
  return (form == Compression::kTwoBytes ? 2 : 1) * rows * cols;
}

void decompress(Compression form, float minimum, float range, size_t rows, size_t cols, const uint8_t *data,
                float *out) {
  if (form == Compression::kColumns) {
    const uint8_t *codes = data + 8 * cols;
    float values[kCodes];
    for (size_t c = 0; c < cols; c++, codes += rows) {
      const Column column(minimum, range, data + 8 * c);
      if (rows < kFewRows) {
        for (size_t r = 0; r < rows; r++) out[r * cols + c] = column.value(codes[r]);
        continue;
      }
      column.values(values);
      for (size_t r = 0; r < rows; r++) out[r * cols + c] = values[codes[r]];
    }
  } else if (form == Compression::kTwoBytes) {
    const float increment = static_cast<float>(range * (1.0 / 65535));
    for (size_t i = 0; i < rows * cols; i++) out[i] = minimum + static_cast<float>(two_bytes(data + 2 * i)) * increment;
  } else {
    const float increment = static_cast<float>(range * (1.0 / 255));
    for (size_t i = 0; i < rows * cols; i++) out[i] = minimum + static_cast<float>(data[i]) * increment;
  }
}

Limits limits_of(const float *matrix, size_t size) {
  const auto [least, greatest] = std::minmax_element(matrix, matrix + size);
  const float low = *least;
  float high = *greatest;
  if (!std::isfinite(low) || !std::isfinite(high)) throw std::invalid_argument("a matrix with infinite values cannot be compressed");
  if (high == low) high = static_cast<float>(low + (1.0 + std::fabs(static_cast<double>(low))));
  return {low, high - low};
}

void compress(Compression form, Limits limits, size_t rows, size_t cols, const float *matrix, uint8_t *out) {
  if (form == Compression::kColumns) {
    std::vector<float> column(rows);
    uint8_t *codes = out + 8 * cols;
    for (size_t c = 0; c < cols; c++, codes += rows) {
      for (size_t r = 0; r < rows; r++) column[r] = matrix[r * cols + c];
      compress_column(limits, column, out + 8 * c, codes);
    }
  } else if (form == Compression::kTwoBytes) {
    for (size_t i = 0; i < rows * cols; i++) put_two_bytes(uniform_code(limits, matrix[i], 65535), out + 2 * i);
  } else {
    for (size_t i = 0; i < rows * cols; i++) out[i] = static_cast<uint8_t>(uniform_code(limits, matrix[i], 255));
  }
}

}  // namespace kaldi_bridge
