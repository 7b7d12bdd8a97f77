// Kaldi's compressed matrices (matrix/compressed-matrix.cc).

#pragma once

#include <cstddef>
#include <cstdint>

namespace kaldi_bridge {

// The three forms. CM: one byte per element, column by column, with steps that differ between the column's quartiles;
// CM2: two bytes, and CM3: one byte per element, row by row, with uniform steps.
enum class Compression { kColumns, kTwoBytes, kOneByte };

// How many bytes follow the header of a matrix of this size.
size_t compressed_size(Compression form, size_t rows, size_t cols);

// Writes [rows, cols] to `out`.
void decompress(Compression form, float minimum, float range, size_t rows, size_t cols, const uint8_t *data, float *out);

// What the header of a compressed matrix says of its values.
struct Limits {
  float minimum, range;
};

// Of the matrix's own values, none of which is NaN. Throws std::invalid_argument for infinite ones.
Limits limits_of(const float *matrix, size_t size);

// Writes compressed_size bytes to `out`; values beyond the limits become the nearest within.
void compress(Compression form, Limits limits, size_t rows, size_t cols, const float *matrix, uint8_t *out);

}  // namespace kaldi_bridge
