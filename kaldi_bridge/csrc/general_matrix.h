// Matrices in whichever form a file holds them, full, compressed or sparse, in Kaldi's binary form
// (matrix/sparse-matrix.cc, GeneralMatrix).

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "compressed.h"
#include "cursor.h"

namespace kaldi_bridge {

constexpr size_t kSparseElement = 10;  // 4, an index, 4, a value

struct SparseRow {
  const char *data;
  int32_t count;
};

// `kind`: F full, S sparse, and of compressed ones 1, 2, 3 for CM, CM2, CM3.
struct MatrixView {
  char kind;
  int32_t rows, cols;
  const char *data;
  size_t size;
  float minimum, range;          // of compressed ones
  std::vector<SparseRow> sparse;  // of sparse ones
};

// A matrix with what it consists of, unless that belongs to another one.
struct OwnedMatrix {
  MatrixView view;
  std::vector<char> bytes;
};

// Throws Incomplete or OtherForm.
MatrixView parse_matrix(Cursor &in);
// Appends the binary form.
void append_matrix(const MatrixView &matrix, std::string *out);
// The same of a sparse matrix; row i has the elements offsets[i] to offsets[i + 1] - 1.
void pack_sparse(const int64_t *offsets, size_t rows, const int32_t *indexes, const float *values, int32_t dim,
                 std::string *out);

// The form of a compressed matrix of this kind.
Compression compression(char kind);

// Writes [rows, cols] to `out`.
void to_dense(const MatrixView &matrix, float *out);

// `count` rows from row `first`, in the form that they are in; the first or last one for rows that are not there. Sparse
// rows stay where they are. Throws std::invalid_argument for an empty matrix (ExtractRowRangeWithPadding).
OwnedMatrix padded_rows(const MatrixView &matrix, int64_t first, int32_t count);

// A full matrix compressed by the method that Kaldi chooses. Throws std::invalid_argument where there are infinite values.
OwnedMatrix compressed(const MatrixView &full);

}  // namespace kaldi_bridge
