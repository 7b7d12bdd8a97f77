// Parts of Python's buffers, and arrays and matrices for Python.

#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "cursor.h"
#include "general_matrix.h"

namespace kaldi_bridge {

// Whose data are where they are, or a copy in the right form.
template <class T>
using Array = pybind11::array_t<T, pybind11::array::c_style | pybind11::array::forcecast>;

// Bytes pos to end - 1 of a buffer, as long as this lives.
class BufferPart {
 public:
  BufferPart(const pybind11::handle &buffer, size_t pos, size_t end) : pos_(pos), end_(end) {
    if (PyObject_GetBuffer(buffer.ptr(), &view_, PyBUF_SIMPLE) != 0) throw pybind11::error_already_set();
    if (pos > end || end > static_cast<size_t>(view_.len)) {
      PyBuffer_Release(&view_);
      throw std::invalid_argument("no such part of the buffer");
    }
  }
  ~BufferPart() { PyBuffer_Release(&view_); }
  BufferPart(const BufferPart &) = delete;
  BufferPart &operator=(const BufferPart &) = delete;

  const char *data() const { return static_cast<const char *>(view_.buf) + pos_; }
  size_t size() const { return end_ - pos_; }

 private:
  Py_buffer view_;
  size_t pos_, end_;
};

// (end, object) of what stands at data[pos:size]; (0, None) where it has another form, (-1, None) where it does not end
// there.
template <class Parse>
pybind11::tuple parsed(const char *data, size_t size, size_t pos, Parse parse) {
  Cursor in(data + pos, size - pos);
  try {
    const pybind11::object made = parse(in);
    return pybind11::make_tuple(pos + in.pos(), made);
  } catch (const Incomplete &) {
    return pybind11::make_tuple(-1, pybind11::none());
  } catch (const OtherForm &) {
    return pybind11::make_tuple(0, pybind11::none());
  }
}

// The same of buffer[pos:end].
template <class Parse>
pybind11::tuple found_in(const pybind11::handle &buffer, size_t pos, size_t end, Parse parse) {
  const BufferPart whole(buffer, 0, end);
  if (pos > end) throw std::invalid_argument("no such part of the buffer");
  return parsed(whole.data(), end, pos, parse);
}

template <class T>
pybind11::array_t<T> copied(const char *data, size_t count) {
  pybind11::array_t<T> array(static_cast<pybind11::ssize_t>(count));
  if (count > 0) std::memcpy(array.mutable_data(), data, count * sizeof(T));
  return array;
}

template <class T>
pybind11::array_t<T> copied(const std::vector<T> &values) {
  return copied<T>(reinterpret_cast<const char *>(values.data()), values.size());
}

// A full matrix; (token, minimum, range, rows, columns, bytes) of a compressed one; (offsets, indexes, values, dim) of a
// sparse one.
pybind11::object matrix_parts(const MatrixView &view);

// Throws std::invalid_argument where so many indexes and values are not what the offsets divide into rows.
void check_rows(const Array<int64_t> &offsets, pybind11::ssize_t indexes, pybind11::ssize_t values);

// The binary form of a sparse matrix. Throws std::invalid_argument where its arrays do not fit together.
std::string sparse_bytes(const Array<int64_t> &offsets, const Array<int32_t> &indexes, const Array<float> &values,
                         int32_t dim);

// What matrix_parts makes, as a matrix again. Throws std::invalid_argument where the parts do not fit together.
class MatrixOfParts {
 public:
  explicit MatrixOfParts(const pybind11::object &parts);
  const MatrixView &view() const { return view_; }

 private:
  void take_compressed(const pybind11::tuple &parts);
  void take_sparse(const pybind11::tuple &parts);

  Array<float> full_;
  std::string bytes_;
  MatrixView view_{};
};

}  // namespace kaldi_bridge
