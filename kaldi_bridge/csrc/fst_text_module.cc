// FSTs and symbol tables as text, for Python, without the interpreter's lock.

#include "fst_text_module.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <optional>

#include "fst_text.h"
#include "fst_views.h"

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

// (start, finals, offsets, arcs) of kaldi_bridge.fsts.fst.Fst.
py::tuple compiled(const py::bytes &text, const Symbols *input, const Symbols *output, const Symbols *state, bool acceptor,
                   bool keep_numbers, bool allow_negative) {
  const std::string_view view(text);
  PackedFst fst;
  {
    py::gil_scoped_release release;
    fst = compile_fst(view, {input, output, state}, {acceptor, keep_numbers, allow_negative});
  }
  return py::make_tuple(fst.start, py::array_t<float>(fst.finals.size(), fst.finals.data()),
                        py::array_t<int64_t>(fst.offsets.size(), fst.offsets.data()),
                        py::array_t<FstArc>(fst.arcs.size(), fst.arcs.data()));
}

py::bytes printed(int32_t start, const Array<float> &finals, const Array<int64_t> &offsets, const Array<FstArc> &arcs,
                  const Symbols *input, const Symbols *output, const Symbols *state, bool acceptor, bool show_zero_costs,
                  const std::optional<std::string> &missing) {
  const FstView fst = fst_view(start, finals, offsets, arcs);
  std::string text;
  {
    py::gil_scoped_release release;
    text = print_fst(fst, {input, output, state}, {acceptor, show_zero_costs, missing ? &*missing : nullptr});
  }
  return py::bytes(text);
}

// Symbols need not be UTF-8.
py::list entries(const Symbols &symbols) {
  py::list pairs;
  for (const auto &[symbol, number] : symbols.entries()) pairs.append(py::make_tuple(py::bytes(symbol), number));
  return pairs;
}

py::tuple buffered_entries(const py::buffer &buffer, size_t begin, size_t end, int64_t most) {
  const py::buffer_info info = buffer.request();
  if (begin > end || end > static_cast<size_t>(info.size * info.itemsize))
    throw std::invalid_argument("the range is not in the buffer");
  int64_t count;
  const size_t length = whole_entries({static_cast<const char *>(info.ptr) + begin, end - begin}, most, &count);
  return py::make_tuple(count, length);
}

py::dict by_number(const Symbols &symbols) {
  py::dict found;
  for (const auto &[number, place] : symbols.places()) found[py::int_(number)] = py::bytes(symbols.entries()[place].first);
  return found;
}

}  // namespace

void add_fst_text(py::module_ &m) {
  py::class_<Symbols>(m, "Symbols")
      .def(py::init<std::vector<std::pair<std::string, int64_t>>>())
      .def_static("from_text", [](const py::bytes &text, bool allow_negative) {
        return Symbols::from_text(std::string_view(text), allow_negative);
      })
      .def_static("from_entries",
                  [](const py::bytes &bytes, size_t first) {
                    const std::string_view view(bytes);
                    if (first > view.size()) throw std::invalid_argument("the symbol table is truncated");
                    return Symbols::from_entries(view.substr(first));
                  })
      .def("entries", &entries)
      .def("by_number", &by_number);
  m.def("symbol_entries", &buffered_entries, "(number of whole entries, their bytes) in a buffer.");
  m.def("compile_fst", &compiled, "An FST from OpenFst's text form.");
  m.def("print_fst", &printed, "An FST in OpenFst's text form.");
}

}  // namespace kaldi_bridge
