#include "general_matrix.h"

#include <algorithm>
#include <stdexcept>

namespace kaldi_bridge {

namespace {

constexpr int32_t kMostRows = 10000000;  // Kaldi's own bound
constexpr int32_t kFewRows = 8;          // for which steps of each column would take more space than they save

template <class T>
void append_raw(T value, std::string *out) {
  out->append(reinterpret_cast<const char *>(&value), sizeof value);
}

template <class T>
void append_basic(T value, std::string *out) {
  out->push_back(static_cast<char>(sizeof value));
  append_raw(value, out);
}

// An empty one like `matrix`, with so many rows.
OwnedMatrix with_rows(const MatrixView &matrix, int32_t rows, size_t size) {
  OwnedMatrix made{{matrix.kind, rows, matrix.cols, nullptr, size, matrix.minimum, matrix.range, {}}, std::vector<char>(size)};
  made.view.data = made.bytes.data();
  return made;
}

void parse_sparse(Cursor &in, MatrixView &view) {
  view.rows = in.basic<int32_t>();
  if (view.rows < 0 || view.rows >= kMostRows) throw OtherForm();
  for (int32_t i = 0; i < view.rows; i++) {
    in.expect("SV ");
    const int32_t dim = in.basic<int32_t>(), count = in.basic<int32_t>();
    if (count < 0 || count > dim || (i > 0 && dim != view.cols)) throw OtherForm();
    view.cols = dim;
    const char *pairs = in.take(kSparseElement * static_cast<uint64_t>(count));
    int64_t before = -1;
    for (int32_t k = 0; k < count; k++) {
      const char *pair = pairs + kSparseElement * k;
      const int32_t index = load<int32_t>(pair + 1);
      if (pair[0] != 4 || pair[5] != 4 || index <= before || index >= dim) throw OtherForm();
      before = index;
    }
    view.sparse.push_back({pairs, count});
  }
}

}  // namespace

Compression compression(char kind) {
  return kind == '1' ? Compression::kColumns : kind == '2' ? Compression::kTwoBytes : Compression::kOneByte;
}

MatrixView parse_matrix(Cursor &in) {
  MatrixView view{};
  if (in.accept("SM ")) {
    view.kind = 'S';
    parse_sparse(in, view);
    return view;
  }
  if (in.accept("FM ")) {
    view.kind = 'F';
    view.rows = in.basic<int32_t>();
    view.cols = in.basic<int32_t>();
    if (view.rows < 0 || view.cols < 0 || (view.rows == 0) != (view.cols == 0)) throw OtherForm();
  } else {
    view.kind = in.accept("CM ") ? '1' : in.accept("CM2 ") ? '2' : in.accept("CM3 ") ? '3' : '\0';
    if (view.kind == '\0') throw OtherForm();
    view.minimum = in.raw<float>();
    view.range = in.raw<float>();
    view.rows = in.raw<int32_t>();
    view.cols = in.raw<int32_t>();
    if (view.rows <= 0 || view.cols <= 0) throw OtherForm();
  }
  const uint64_t rows = view.rows, cols = view.cols;
  const uint64_t size = view.kind == 'F'   ? 4 * rows * cols
                        : view.kind == '1' ? cols * (8 + rows)
                        : view.kind == '2' ? 2 * rows * cols
                                           : rows * cols;
  view.data = in.take(size);
  view.size = size;
  return view;
}

void append_matrix(const MatrixView &matrix, std::string *out) {
  if (matrix.kind == 'S') {
    out->append("SM ");
    append_basic(matrix.rows, out);
    for (const SparseRow &row : matrix.sparse) {
      out->append("SV ");
      append_basic(matrix.cols, out);
      append_basic(row.count, out);
      out->append(row.data, kSparseElement * row.count);
    }
    return;
  }
  if (matrix.kind == 'F') {
    out->append("FM ");
    append_basic(matrix.rows, out);
    append_basic(matrix.cols, out);
  } else {
    out->append(matrix.kind == '1' ? "CM " : matrix.kind == '2' ? "CM2 " : "CM3 ");
    append_raw(matrix.minimum, out);
    append_raw(matrix.range, out);
    append_raw(matrix.rows, out);
    append_raw(matrix.cols, out);
  }
  out->append(matrix.data, matrix.size);
}

void pack_sparse(const int64_t *offsets, size_t rows, const int32_t *indexes, const float *values, int32_t dim,
                 std::string *out) {
  out->append("SM ");
  append_basic(static_cast<int32_t>(rows), out);
  for (size_t i = 0; i < rows; i++) {
    out->append("SV ");
    append_basic(dim, out);
    append_basic(static_cast<int32_t>(offsets[i + 1] - offsets[i]), out);
    for (int64_t k = offsets[i]; k < offsets[i + 1]; k++) {
      append_basic(indexes[k], out);
      append_basic(values[k], out);
    }
  }
}

void to_dense(const MatrixView &matrix, float *out) {
  const size_t rows = matrix.rows, cols = matrix.cols;
  if (matrix.kind == 'F') {
    std::memcpy(out, matrix.data, matrix.size);
  } else if (matrix.kind == 'S') {
    std::fill(out, out + rows * cols, 0.0f);
    for (size_t r = 0; r < rows; r++)
      for (int32_t k = 0; k < matrix.sparse[r].count; k++) {
        const char *element = matrix.sparse[r].data + kSparseElement * k;
        out[r * cols + load<int32_t>(element + 1)] = load<float>(element + 6);
      }
  } else {
    const uint8_t *data = reinterpret_cast<const uint8_t *>(matrix.data);
    decompress(compression(matrix.kind), matrix.minimum, matrix.range, rows, cols, data, out);
  }
}

OwnedMatrix padded_rows(const MatrixView &matrix, int64_t first, int32_t count) {
  if (count > 0 && matrix.rows == 0) throw std::invalid_argument("there are no rows to take some from");
  const auto source = [&](int32_t row) {
    return static_cast<size_t>(std::clamp<int64_t>(first + row, 0, matrix.rows - 1));
  };
  const size_t cols = matrix.cols;
  if (matrix.kind == 'S') {
    OwnedMatrix made = with_rows(matrix, count, 0);
    for (int32_t r = 0; r < count; r++) made.view.sparse.push_back(matrix.sparse[source(r)]);
    return made;
  }
  if (matrix.kind == '1') {
    const size_t heads = 8 * cols;
    OwnedMatrix made = with_rows(matrix, count, heads + cols * count);
    std::memcpy(made.bytes.data(), matrix.data, heads);
    const char *from = matrix.data + heads;
    char *to = made.bytes.data() + heads;
    const bool all_there = first >= 0 && first + count <= matrix.rows;
    for (size_t c = 0; c < cols; c++, from += matrix.rows, to += count)
      if (all_there)
        std::memcpy(to, from + first, count);
      else
        for (int32_t r = 0; r < count; r++) to[r] = from[source(r)];
    if (count == 0 || count >= kFewRows) return made;
    OwnedMatrix full = with_rows({'F', count, matrix.cols, nullptr, 0, 0, 0, {}}, count, 4 * cols * count);
    to_dense(made.view, reinterpret_cast<float *>(full.bytes.data()));
    return compressed(full.view);
  }
  const size_t width = cols * (matrix.kind == 'F' ? 4 : matrix.kind == '2' ? 2 : 1);
  OwnedMatrix made = with_rows(matrix, count, width * count);
  for (int32_t r = 0; r < count; r++) std::memcpy(made.bytes.data() + width * r, matrix.data + width * source(r), width);
  return made;
}

OwnedMatrix compressed(const MatrixView &full) {
  const size_t rows = full.rows, cols = full.cols;
  const float *values = reinterpret_cast<const float *>(full.data);
  const Compression form = rows > kFewRows ? Compression::kColumns : Compression::kTwoBytes;
  const Limits limits = limits_of(values, rows * cols);
  OwnedMatrix made = with_rows({rows > kFewRows ? '1' : '2', full.rows, full.cols, nullptr, 0, limits.minimum, limits.range, {}},
                               full.rows, compressed_size(form, rows, cols));
  compress(form, limits, rows, cols, values, reinterpret_cast<uint8_t *>(made.bytes.data()));
  return made;
}

}  // namespace kaldi_bridge
