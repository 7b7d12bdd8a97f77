// Kaldi's compressed matrices, decompressed (matrix/compressed-matrix.cc).

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

}  // namespace kaldi_bridge
