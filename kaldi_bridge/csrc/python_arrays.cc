#include "python_arrays.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <tuple>

#include "compressed.h"

namespace py = pybind11;

namespace kaldi_bridge {

py::object matrix_parts(const MatrixView &view) {
  if (view.kind == 'F') return copied<float>(view.data, view.size / 4).reshape({view.rows, view.cols});
  if (view.kind == 'S') {
    std::vector<int64_t> offsets{0};
    std::vector<int32_t> indexes;
    std::vector<float> values;
    for (const SparseRow &row : view.sparse) {
      for (int32_t k = 0; k < row.count; k++) {
        indexes.push_back(load<int32_t>(row.data + kSparseElement * k + 1));
        values.push_back(load<float>(row.data + kSparseElement * k + 6));
      }
      offsets.push_back(static_cast<int64_t>(indexes.size()));
    }
    return py::make_tuple(copied(offsets), copied(indexes), copied(values), view.cols);
  }
  const char *token = view.kind == '1' ? "CM" : view.kind == '2' ? "CM2" : "CM3";
  return py::make_tuple(token, view.minimum, view.range, view.rows, view.cols, py::bytes(view.data, view.size));
}

MatrixOfParts::MatrixOfParts(const py::object &parts) {
  if (!py::isinstance<py::tuple>(parts)) {
    full_ = parts.cast<Array<float>>();
    if (full_.ndim() != 2 || std::max(full_.shape(0), full_.shape(1)) >= INT32_MAX) throw std::invalid_argument("it is no matrix");
    view_.kind = 'F';
    view_.rows = full_.size() > 0 ? static_cast<int32_t>(full_.shape(0)) : 0;
    view_.cols = full_.size() > 0 ? static_cast<int32_t>(full_.shape(1)) : 0;
    view_.data = reinterpret_cast<const char *>(full_.data());
    view_.size = sizeof(float) * full_.size();
    return;
  }
  const py::tuple fields = parts;
  if (fields.size() == 4)
    take_sparse(fields);
  else
    take_compressed(fields);
}

void MatrixOfParts::take_compressed(const py::tuple &parts) {
  const auto [token, minimum, range, rows, cols, data] =
      parts.cast<std::tuple<std::string, float, float, int32_t, int32_t, py::buffer>>();
  const py::buffer_info info = data.request();
  bytes_.assign(static_cast<const char *>(info.ptr), info.size * info.itemsize);
  const char kind = token == "CM" ? '1' : token == "CM2" ? '2' : '3';
  if (rows < 0 || cols < 0 || bytes_.size() != compressed_size(compression(kind), rows, cols))
    throw std::invalid_argument("a compressed matrix and its header differ in size");
  view_ = {kind, rows, cols, bytes_.data(), bytes_.size(), minimum, range, {}};
}

void MatrixOfParts::take_sparse(const py::tuple &parts) {
  const auto [offsets, indexes, values, dim] =
      parts.cast<std::tuple<Array<int64_t>, Array<int32_t>, Array<float>, int32_t>>();
  bytes_ = sparse_bytes(offsets, indexes, values, dim);
  try {
    Cursor in(bytes_.data(), bytes_.size());
    view_ = parse_matrix(in);
    view_.cols = dim;  // also where there are no rows
  } catch (const OtherForm &) {
    throw std::invalid_argument("a sparse matrix with indexes out of order or range");
  }
}

void check_rows(const Array<int64_t> &offsets, py::ssize_t indexes, py::ssize_t values) {
  const py::ssize_t rows = offsets.size() - 1;
  if (rows < 0 || offsets.at(0) != 0 || offsets.at(rows) != indexes || indexes != values)
    throw std::invalid_argument("offsets, indexes and values do not fit together");
  for (py::ssize_t i = 0; i < rows; i++)
    if (offsets.at(i) > offsets.at(i + 1)) throw std::invalid_argument("the offsets decrease");
}

std::string sparse_bytes(const Array<int64_t> &offsets, const Array<int32_t> &indexes, const Array<float> &values,
                         int32_t dim) {
  check_rows(offsets, indexes.size(), values.size());
  std::string out;
  pack_sparse(offsets.data(), static_cast<size_t>(offsets.size() - 1), indexes.data(), values.data(), dim, &out);
  return out;
}

}  // namespace kaldi_bridge
