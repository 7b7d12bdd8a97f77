#include "compressed.h"

#include <cstring>

namespace kaldi_bridge {

namespace {

uint16_t two_bytes(const uint8_t *data) {
  uint16_t value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

// The 256 values of a column from its 16-bit quartiles: 64 steps up to p25, 128 to p75, 63 to p100. Products are in
// single and sums in double precision, as in Kaldi.
void column_values(float minimum, float range, const uint8_t *quartiles, float *values) {
  float p[4];
  const float step = range * 1.52590218966964e-05f;
  for (int i = 0; i < 4; i++) p[i] = minimum + step * static_cast<float>(two_bytes(quartiles + 2 * i));
  for (int n = 0; n <= 64; n++) values[n] = static_cast<float>(p[0] + static_cast<double>((p[1] - p[0]) * n) * (1 / 64.0));
  for (int n = 65; n <= 192; n++)
    values[n] = static_cast<float>(p[1] + static_cast<double>((p[2] - p[1]) * (n - 64)) * (1 / 128.0));
  for (int n = 193; n <= 255; n++)
    values[n] = static_cast<float>(p[2] + static_cast<double>((p[3] - p[2]) * (n - 192)) * (1 / 63.0));
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
    float values[256];
    for (size_t c = 0; c < cols; c++, codes += rows) {
      column_values(minimum, range, data + 8 * c, values);
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

}  // namespace kaldi_bridge
