// Objects of tables for Python, found where they lie in the buffer of a stream, and written.

#include "object_module.h"

#include <pybind11/stl.h>

#include <cstring>
#include <string>
#include <vector>

#include "decision_tree.h"
#include "number_lists.h"
#include "object_form.h"
#include "python_arrays.h"
#include "python_text.h"

namespace py = pybind11;

namespace kaldi_bridge {

namespace {

constexpr uint64_t kTrusted = 1 << 20;  // bytes that memory is taken for without a look at the size of the file

// What parses objects in the buffer of a stream.
auto in_buffer(ObjectForm::Parse parse) {
  return [parse](const py::handle &buffer, size_t pos, size_t end) { return found_in(buffer, pos, end, parse); };
}

py::object integers(Cursor &in) { return copied(parse_integers(in)); }

py::object vectors(Cursor &in) { return py::cast(parse_vectors(in)); }

py::object tree(Cursor &in) {
  const TreeNodes made = parse_tree(in);
  py::array_t<int32_t> nodes({static_cast<py::ssize_t>(made.nodes.size()), py::ssize_t{4}});
  static_assert(sizeof(TreeNode) == 4 * sizeof(int32_t));
  if (!made.nodes.empty()) std::memcpy(nodes.mutable_data(), made.nodes.data(), made.nodes.size() * sizeof(TreeNode));
  return py::make_tuple(nodes, copied(made.values));
}

py::object posterior(Cursor &in) {
  const PackedPosterior made = parse_posterior(in);
  return py::make_tuple(copied(made.offsets), copied(made.indexes), copied(made.weights));
}

py::object full_matrix(Cursor &in) {
  const MatrixView view = parse_matrix(in);
  if (view.kind == 'S') throw OtherForm();
  py::array_t<float> made({py::ssize_t{view.rows}, py::ssize_t{view.cols}});
  if (made.size() > 0) to_dense(view, made.mutable_data());
  return made;
}

// A full one goes straight into its array, without being held in between.
py::object full_matrix_of_file(Cursor head, int fd, int64_t position, size_t *size) {
  if (!head.accept("FM ")) return {};
  const int32_t rows = head.basic<int32_t>(), cols = head.basic<int32_t>();
  if (rows <= 0 || cols <= 0) return {};
  const uint64_t bytes = sizeof(float) * static_cast<uint64_t>(rows) * static_cast<uint64_t>(cols);
  const int64_t begin = position + static_cast<int64_t>(head.pos());
  if (bytes <= head.left() || (bytes > kTrusted && !holds(fd, begin, bytes))) return {};
  *size = head.pos() + bytes;
  py::array_t<float> made({py::ssize_t{rows}, py::ssize_t{cols}});
  char *out = reinterpret_cast<char *>(made.mutable_data());
  const size_t have = [&] {
    py::gil_scoped_release release;
    return read_at(fd, begin, bytes, out);
  }();
  return have == bytes ? made : py::object();
}

py::object general_matrix(Cursor &in) { return matrix_parts(parse_matrix(in)); }

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

// What goes over the keys of entries that are to be packed, with the range of each: `offsets` divide so many parts.
template <class Pack>
py::bytes packed_entries(const py::list &keys, const Array<int64_t> &offsets, py::ssize_t parts, Pack pack) {
  check_rows(offsets, parts, parts);
  if (offsets.size() != static_cast<py::ssize_t>(keys.size()) + 1) throw std::invalid_argument("each entry needs a key");
  std::string out;
  for (size_t i = 0; i < keys.size(); i++) {
    out.append(encoded(keys[i])).append(" \0B", 3);
    pack(static_cast<size_t>(offsets.data()[i]), static_cast<size_t>(offsets.data()[i + 1]), &out);
  }
  return out;
}

// Makes room for so many bytes; returns where they are.
char *longer(size_t size, std::string *out) {
  out->resize(out->size() + size);
  return out->data() + out->size() - size;
}

py::bytes integer_entries(const py::list &keys, const Array<int64_t> &offsets, const Array<int32_t> &values) {
  return packed_entries(keys, offsets, values.size(), [&](size_t begin, size_t end, std::string *out) {
    pack_integers(values.data() + begin, end - begin, longer(kCount * (end - begin + 1), out));
  });
}

py::bytes posterior_entries(const py::list &keys, const Array<int64_t> &frames, const Array<int64_t> &offsets,
                            const Array<int32_t> &indexes, const Array<float> &weights) {
  check_rows(offsets, indexes.size(), weights.size());
  return packed_entries(keys, frames, offsets.size() - 1, [&](size_t begin, size_t end, std::string *out) {
    const int64_t *own = offsets.data() + begin;
    const size_t pairs = static_cast<size_t>(own[end - begin] - own[0]);
    char *to = longer(kCount * (end - begin + 1) + kPair * pairs, out);
    pack_posterior(own, end - begin, indexes.data(), weights.data(), to);
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
  add_object_forms(m);
  py::dict forms = m.attr("forms");
  forms["integers"] = ObjectForm(&integers);
  forms["posterior"] = ObjectForm(&posterior);
  forms["matrix"] = ObjectForm(&full_matrix, &full_matrix_of_file);
  forms["general matrix"] = ObjectForm(&general_matrix, &full_matrix_of_file);
  m.def("parse_integers", in_buffer(&integers), "int32 [count], of a vector of integers.");
  m.def("parse_vectors", in_buffer(&vectors), "A list of lists of integers.");
  m.def("parse_tree", in_buffer(&tree), "(nodes, numbers that they refer to) of a decision tree, see decision_tree.h.");
  m.def("parse_posterior", in_buffer(&posterior), "(offsets, indexes, weights).");
  m.def("parse_matrix", in_buffer(&full_matrix), "float32 [rows, columns], also of a compressed matrix.");
  m.def("parse_general_matrix", in_buffer(&general_matrix), "A full matrix, or the fields of a compressed or a sparse one.");
  m.def("pack_integers", &integer_bytes, "The binary form of a vector of integers.");
  m.def("pack_vectors", [](const std::vector<std::vector<int32_t>> &lists) { return py::bytes(packed_vectors(lists)); },
        "The binary form of lists of integers.");
  m.def("pack_integer_entries", &integer_entries, "Vectors of integers, one after the other, as entries of an archive.");
  m.def("pack_posterior_entries", &posterior_entries, "Posteriors as entries of an archive: frames of each, pairs of each frame.");
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
