// Objects of tables for Python, found where they lie in the buffer of a stream, and written.

#include "object_module.h"

#include <pybind11/stl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "decision_tree.h"
#include "number_lists.h"
#include "python_arrays.h"

namespace py = pybind11;

namespace kaldi_bridge {

namespace {

py::tuple integers(const py::handle &buffer, size_t pos, size_t end) {
  return found_in(buffer, pos, end, [](Cursor &in) { return copied(parse_integers(in)); });
}

py::tuple vectors(const py::handle &buffer, size_t pos, size_t end) {
  return found_in(buffer, pos, end, [](Cursor &in) { return py::cast(parse_vectors(in)); });
}

py::tuple tree(const py::handle &buffer, size_t pos, size_t end) {
  return found_in(buffer, pos, end, [](Cursor &in) {
    const TreeNodes made = parse_tree(in);
    py::array_t<int32_t> nodes({static_cast<py::ssize_t>(made.nodes.size()), py::ssize_t{4}});
    static_assert(sizeof(TreeNode) == 4 * sizeof(int32_t));
    if (!made.nodes.empty()) std::memcpy(nodes.mutable_data(), made.nodes.data(), made.nodes.size() * sizeof(TreeNode));
    return py::make_tuple(nodes, copied(made.values));
  });
}

py::tuple posterior(const py::handle &buffer, size_t pos, size_t end) {
  return found_in(buffer, pos, end, [](Cursor &in) {
    const PackedPosterior made = parse_posterior(in);
    return py::make_tuple(copied(made.offsets), copied(made.indexes), copied(made.weights));
  });
}

py::array_t<float> full_matrix(Cursor &in) {
  const MatrixView view = parse_matrix(in);
  if (view.kind == 'S') throw OtherForm();
  py::array_t<float> made({py::ssize_t{view.rows}, py::ssize_t{view.cols}});
  if (made.size() > 0) to_dense(view, made.mutable_data());
  return made;
}

py::tuple matrix(const py::handle &buffer, size_t pos, size_t end) {
  return found_in(buffer, pos, end, &full_matrix);
}

// Of a matrix that begins in a file with "\0B", up to this size: (its size, the matrix), or as parsed() without. About
// `expected` bytes are read at first.
constexpr size_t kMostBuffered = 1 << 16;

py::tuple matrix_at(int fd, int64_t position, size_t expected) {
  thread_local std::vector<char> buffer(kMostBuffered);
  size_t have = 0, wanted = std::clamp<size_t>(expected, 64, kMostBuffered);
  while (wanted <= kMostBuffered) {
    const ssize_t got = pread(fd, buffer.data() + have, wanted - have, position + static_cast<int64_t>(have));
    if (got <= 0) break;
    have += static_cast<size_t>(got);
    if (have < 2) continue;
    if (buffer[0] != '\0' || buffer[1] != 'B') return py::make_tuple(0, py::none());
    try {
      Cursor in(buffer.data() + 2, have - 2);
      const py::object made = full_matrix(in);
      return py::make_tuple(2 + in.pos(), made);
    } catch (const Incomplete &incomplete) {
      wanted = std::max<uint64_t>(2 + incomplete.needed, have + 1);
    } catch (const OtherForm &) {
      return py::make_tuple(0, py::none());
    }
  }
  return py::make_tuple(-1, py::none());
}

py::tuple general_matrix(const py::handle &buffer, size_t pos, size_t end) {
  return found_in(buffer, pos, end, [](Cursor &in) { return matrix_parts(parse_matrix(in)); });
}

// Bytes of a known number, which `write` writes.
template <class Write>
py::bytes written(size_t size, Write write) {
  py::bytes made(nullptr, size);
  write(PyBytes_AS_STRING(made.ptr()));
  return made;
}

py::bytes integer_bytes(const Array<int32_t> &values) {
  const size_t count = values.size();
  return written(kCount * (count + 1), [&](char *out) { pack_integers(values.data(), count, out); });
}

py::bytes posterior_bytes(const Array<int64_t> &offsets, const Array<int32_t> &indexes, const Array<float> &weights) {
  check_rows(offsets, indexes.size(), weights.size());
  const size_t frames = offsets.size() - 1;
  return written(kCount * (frames + 1) + kPair * indexes.size(), [&](char *out) {
    pack_posterior(offsets.data(), frames, indexes.data(), weights.data(), out);
  });
}

Compression form_of(const std::string &token) {
  return token == "CM" ? Compression::kColumns : token == "CM2" ? Compression::kTwoBytes : Compression::kOneByte;
}

py::bytes compressed_bytes(const std::string &token, float minimum, float range, const Array<float> &values) {
  if (values.ndim() != 2) throw std::invalid_argument("it is no matrix");
  const size_t rows = values.shape(0), cols = values.shape(1);
  return written(compressed_size(form_of(token), rows, cols), [&](char *out) {
    compress(form_of(token), {minimum, range}, rows, cols, values.data(), reinterpret_cast<uint8_t *>(out));
  });
}

py::tuple limits(const Array<float> &values) {
  if (values.size() == 0) throw std::invalid_argument("it is empty");
  const Limits found = limits_of(values.data(), values.size());
  return py::make_tuple(found.minimum, found.range);
}

py::array_t<float> decompressed(const std::string &token, float minimum, float range, size_t rows, size_t cols,
                                const py::buffer &data) {
  const py::buffer_info info = data.request();
  const Compression form = token == "CM"    ? Compression::kColumns
                           : token == "CM2" ? Compression::kTwoBytes
                                            : Compression::kOneByte;
  if (rows > (1u << 31) || cols > (1u << 31) ||
      static_cast<size_t>(info.size * info.itemsize) != compressed_size(form, rows, cols))
    throw std::invalid_argument("a compressed matrix and its header differ in size");
  py::array_t<float> out({rows, cols});
  decompress(form, minimum, range, rows, cols, static_cast<const uint8_t *>(info.ptr), out.mutable_data());
  return out;
}


py::object rows_of(const py::object &parts, int64_t first, int32_t count) {
  if (count < 0) throw std::invalid_argument("a negative number of rows");
  const MatrixOfParts matrix(parts);
  return matrix_parts(padded_rows(matrix.view(), first, count).view);
}

}  // namespace

void add_objects(py::module_ &m) {
  m.def("parse_integers", &integers, "int32 [count], of a vector of integers.");
  m.def("parse_vectors", &vectors, "A list of lists of integers.");
  m.def("parse_tree", &tree, "(nodes, numbers that they refer to) of a decision tree, see decision_tree.h.");
  m.def("parse_posterior", &posterior, "(offsets, indexes, weights).");
  m.def("parse_matrix", &matrix, "float32 [rows, columns], also of a compressed matrix.");
  m.def("parse_matrix_at", &matrix_at, "(size with its marker, matrix) of one that begins at a position of a file.");
  m.def("parse_general_matrix", &general_matrix, "A full matrix, or the fields of a compressed or a sparse one.");
  m.def("pack_integers", &integer_bytes, "The binary form of a vector of integers.");
  m.def("pack_vectors", [](const std::vector<std::vector<int32_t>> &lists) { return py::bytes(packed_vectors(lists)); },
        "The binary form of lists of integers.");
  m.def("pack_posterior", &posterior_bytes, "The binary form of a posterior.");
  m.def("pack_sparse", [](const Array<int64_t> &offsets, const Array<int32_t> &indexes, const Array<float> &values,
                          int32_t dim) { return py::bytes(sparse_bytes(offsets, indexes, values, dim)); },
        "The binary form of a sparse matrix.");
  m.def("compress", &compressed_bytes, "What follows the header of a compressed matrix.");
  m.def("compression_limits", &limits, "(minimum, range) of a matrix that is to be compressed.");
  m.def("decompress", &decompressed, "float32 [rows, columns] of a compressed matrix.");
  m.def("padded_rows", &rows_of, "Some rows of a matrix; the first or last one for those that are not there.");
}

}  // namespace kaldi_bridge
