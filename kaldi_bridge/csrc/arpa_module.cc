// Language models in ARPA form, and their symbols, for Python.

#include "arpa_module.h"

#include <pybind11/numpy.h>

#include <string_view>

#include "arpa_fst.h"
#include "const_arpa.h"
#include "lattice_arrays.h"
#include "mutable_fst_module.h"
#include "python_text.h"

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

py::tuple compile(const ArpaSymbols &symbols, const ArpaOptions &options, bool sort_arcs, SymbolTable &words,
                  const py::function &read, const py::function &info, const py::function &warn) {
  MutableFst fst = with_errors(
      [&] { return compile_arpa(options, symbols, read_block(read), &words, message(info), message(warn)); });
  if (sort_arcs) fst.sort_arcs_by_input();
  return py::make_tuple(to_arrays(fst), fst.properties.bits());
}

py::tuple build(const ArpaOptions &options, int64_t farthest, const py::function &read, const py::function &info,
                const py::function &warn) {
  ConstArpaParts parts =
      with_errors([&] { return build_const_arpa(options, read_block(read), farthest, message(info), message(warn)); });
  return py::make_tuple(as_array(std::move(parts.words)), as_array(std::move(parts.unigrams)),
                        as_array(std::move(parts.overflow)), parts.order);
}

}  // namespace

void add_arpa(py::module_ &m) {
  // Words are bytes, which need not be UTF-8.
  py::class_<SymbolTable>(m, "SymbolTable")
      .def(py::init<>())
      .def_static("read_text", [](const py::function &read) {
        return with_errors([&] { return SymbolTable::read_text(read_block(read)); });
      })
      .def("find", [](const SymbolTable &t, const py::bytes &word) { return t.find(std::string_view(word)); })
      .def("add", [](SymbolTable &t, const py::bytes &word) { return t.add(std::string_view(word)); })
      .def("text", [](const SymbolTable &t) { return py::bytes(t.text()); })
      .def("binary", [](const SymbolTable &t, const py::bytes &name) { return py::bytes(t.binary(name)); });

  py::class_<ArpaOptions>(m, "ArpaOptions")
      .def(py::init<>())
      .def_readwrite("add_words", &ArpaOptions::add_words)
      .def_readwrite("need_words", &ArpaOptions::need_words)
      .def_readwrite("max_warnings", &ArpaOptions::max_warnings);

  py::class_<ArpaSymbols>(m, "ArpaSymbols")
      .def(py::init<>())
      .def_readwrite("begin", &ArpaSymbols::begin)
      .def_readwrite("end", &ArpaSymbols::end)
      .def_readwrite("disambig", &ArpaSymbols::disambig);

  m.def("build_const_arpa", &build, "The parts of a model in Kaldi's ConstArpaLm form; see const_arpa.h.");
  m.def("compile_arpa", &compile, "The acceptor of a language model in ARPA form: its arrays, and OpenFst's properties.");
}

}  // namespace kaldi_bridge
