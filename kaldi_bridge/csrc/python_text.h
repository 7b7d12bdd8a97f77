// Text from and to Python.

#pragma once

#include <pybind11/pybind11.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "arpa_parser.h"
#include "line_reader.h"

namespace kaldi_bridge {

// Of a function that returns bytes.
inline ReadBlock read_block(const pybind11::function &read) {
  return [read, block = pybind11::bytes()]() mutable -> std::string_view {
    block = read();
    return block;
  };
}

// What of a text is not UTF-8 goes into Python as it does everywhere in kaldi_bridge.
inline pybind11::str decoded(std::string_view text) {
  return pybind11::reinterpret_steal<pybind11::str>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<pybind11::ssize_t>(text.size()), "surrogateescape"));
}

// The bytes of a text, those included that are not UTF-8.
inline std::string encoded(const pybind11::str &text) {
  Py_ssize_t size = 0;
  if (const char *data = PyUnicode_AsUTF8AndSize(text.ptr(), &size)) return std::string(data, static_cast<size_t>(size));
  PyErr_Clear();
  PyObject *bytes = PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogateescape");
  if (bytes == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::bytes>(bytes);
}

inline Message message(const pybind11::function &log) {
  return [log](const std::string &text) { log(decoded(text)); };
}

// Calls `f`, with the messages of its errors decoded.
template <class F>
auto with_errors(F f) {
  try {
    return f();
  } catch (const std::invalid_argument &error) {
    PyErr_SetObject(PyExc_ValueError, decoded(error.what()).ptr());
    throw pybind11::error_already_set();
  }
}

}  // namespace kaldi_bridge
