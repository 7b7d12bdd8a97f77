#include "example_module.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <stdexcept>

#include "acceptors.h"
#include "example_merging.h"
#include "examples.h"
#include "fst_properties.h"
#include "fst_views.h"
#include "lattice_arrays.h"
#include "object_form.h"
#include "python_arrays.h"

namespace py = pybind11;

namespace kaldi_bridge {

namespace {

// As the rest of the package decodes names.
py::str text(std::string_view name) {
  PyObject *made = PyUnicode_DecodeUTF8(name.data(), static_cast<py::ssize_t>(name.size()), "surrogateescape");
  if (made == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(made);
}

py::array_t<int32_t> indexes_array(const IndexesView &view) {
  py::array_t<int32_t> array({static_cast<py::ssize_t>(view.count), py::ssize_t{3}});
  unpack_indexes(view, array.mutable_data());
  return array;
}

py::tuple fst_parts(const CompactFstView &view) {
  std::vector<float> finals;
  std::vector<int64_t> offsets{0};
  std::vector<FstArc> arcs;
  finals.reserve(view.states);
  offsets.reserve(view.states + 1);
  arcs.reserve(view.arcs);
  for (int32_t s = 0; s < view.states; s++) {
    float final = INFINITY;
    const uint32_t end = load<uint32_t>(view.positions + 4 * (s + 1));
    for (uint32_t i = load<uint32_t>(view.positions + 4 * s); i < end; i++) {
      const Element element = load<Element>(view.elements + sizeof(Element) * i);
      if (element.label == -1)
        final = element.weight;
      else
        arcs.push_back({element.label, element.label, element.weight, element.nextstate});
    }
    finals.push_back(final);
    offsets.push_back(static_cast<int64_t>(arcs.size()));
  }
  return py::make_tuple(view.start, copied(finals), copied(offsets), copied(arcs), view.properties);
}

py::tuple discriminative_output_parts(const OutputView &view) {
  const py::tuple supervision =
      py::make_tuple(view.weight, view.sequences, view.frames, copied<int32_t>(view.alignment, view.num_aligned),
                     parts_of(lattice_of(view.lattice)), load<uint64_t>(view.lattice.properties));
  py::array_t<float> weights(view.num_deriv_weights);
  for (int32_t i = 0; i < view.num_deriv_weights; i++)
    weights.mutable_at(i) = static_cast<float>(1.0 / 255.0) * static_cast<uint8_t>(view.deriv_weights[i]);
  return py::make_tuple(text(view.name), indexes_array(view.indexes), supervision, weights);
}

py::tuple supervision_parts(const OutputView &view) {
  py::list fsts, pdfs;
  for (const CompactFstView &fst : view.fsts) fsts.append(fst_parts(fst));
  for (int32_t i = 0; i < view.num_aligned; i++) pdfs.append(load<int32_t>(view.alignment + 4 * i));
  return py::make_tuple(view.weight, view.sequences, view.frames, view.label_dim, view.e2e, fsts, pdfs);
}

py::object supervision(Cursor &in) {
  OutputView output{};
  parse_supervision(in, &output);
  return supervision_parts(output);
}

py::tuple output_parts(const OutputView &view) {
  if (view.fsts.empty()) return discriminative_output_parts(view);
  return py::make_tuple(text(view.name), indexes_array(view.indexes), supervision_parts(view),
                        copied<float>(view.deriv_weights, view.num_deriv_weights));
}

py::tuple example_parts(const ExampleView &example) {
  py::list inputs, outputs;
  for (const IoView &io : example.inputs)
    inputs.append(py::make_tuple(text(io.name), indexes_array(io.indexes), matrix_parts(io.features)));
  for (const OutputView &output : example.outputs) outputs.append(output_parts(output));
  return py::make_tuple(inputs, outputs);
}

// (end, parts) of the example at buffer[pos:end]; parts is None unless wanted. end: 0 where it has another form than
// parse_example knows or does not begin with `token`, -n where n bytes are needed at least.
py::tuple parse(const py::buffer &buffer, size_t pos, size_t end, const std::string &token, bool with_parts) {
  const BufferPart part(buffer, pos, end);
  try {
    const ExampleView example = parse_example(part.data(), part.size());
    if (example.token != token + " ") throw OtherForm();
    return py::make_tuple(pos + example.size, with_parts ? py::object(example_parts(example)) : py::none());
  } catch (const Incomplete &incomplete) {
    return py::make_tuple(-static_cast<int64_t>(std::min<uint64_t>(incomplete.needed, INT64_MAX)), py::none());
  } catch (const OtherForm &) {
    return py::make_tuple(0, py::none());
  }
}

// The example that stands at `begin` in some bytes.
ExampleView parsed(const py::bytes &bytes, size_t begin) {
  const std::string_view view = bytes;
  if (begin > view.size()) throw std::invalid_argument("no such part of the bytes");
  try {
    return parse_example(view.data() + begin, view.size() - begin);
  } catch (const Incomplete &) {
    throw std::invalid_argument("this is no example");
  } catch (const OtherForm &) {
    throw std::invalid_argument("this is no example");
  }
}

// (size, what must be equal in examples that are merged): the most rows of any input or output; all names, indexes and
// dimensions of inputs.
py::tuple structure(const py::bytes &bytes, size_t begin) {
  const ExampleView example = parsed(bytes, begin);
  int32_t size = 0;
  std::string same;
  const auto add = [&](std::string_view name, int32_t cols, const IndexesView &indexes) {
    size = std::max(size, indexes.count);
    same.append(name).push_back(' ');
    same.append(std::to_string(cols)).append(" ").append(std::to_string(indexes.size)).append(" ");
    same.append(indexes.data, indexes.size);
  };
  for (const IoView &io : example.inputs) add(io.name, io.features.cols, io.indexes);
  for (const OutputView &output : example.outputs) add(output.name, -1, output.indexes);
  return py::make_tuple(size, py::bytes(same));
}

py::list outputs_of(const py::bytes &bytes, size_t begin) {
  py::list outputs;
  for (const OutputView &output : parsed(bytes, begin).outputs) outputs.append(output_parts(output));
  return outputs;
}

// (name, indexes, features) of each input, rows of all examples one after the other, as matrix_parts has features.
py::list merged_inputs(const std::vector<py::bytes> &examples, size_t begin) {
  std::vector<ExampleView> views;
  std::map<std::string_view, std::vector<MergedPart>> by_name;
  for (const py::bytes &bytes : examples) views.push_back(parsed(bytes, begin));
  for (size_t n = 0; n < views.size(); n++)
    for (const IoView &io : views[n].inputs) by_name[io.name].push_back({static_cast<int32_t>(n), &io});
  if (views.empty()) throw std::invalid_argument("there is none");
  const int32_t sequences = count_sequences(views[0].inputs[0].indexes);
  py::list merged;
  for (const auto &[name, parts] : by_name) {
    int64_t rows = 0;
    for (const MergedPart &part : parts) rows += part.io->features.rows;
    py::array_t<int32_t> indexes({static_cast<py::ssize_t>(rows), py::ssize_t{3}});
    merge_indexes(parts, sequences, indexes.mutable_data());
    py::object features;
    check_dimensions(parts);
    if (all_sparse(parts)) {
      MatrixView view = parts[0].io->features;
      view.sparse.clear();
      for (const MergedPart &part : parts)
        view.sparse.insert(view.sparse.end(), part.io->features.sparse.begin(), part.io->features.sparse.end());
      features = matrix_parts(view);
    } else {
      const py::ssize_t cols = parts[0].io->features.cols;
      py::array_t<float> full({static_cast<py::ssize_t>(rows), cols});
      merge_rows(parts, full.mutable_data());
      features = full;
    }
    merged.append(py::make_tuple(text(name), indexes, features));
  }
  return merged;
}

py::bytes shifted_bytes(const py::bytes &bytes, size_t begin, int32_t shift) {
  const std::string_view view = bytes;
  if (begin > view.size()) throw std::invalid_argument("no such part of the bytes");
  try {
    return shifted(view, begin, shift);
  } catch (const Incomplete &) {
    throw std::invalid_argument("this is no example");
  } catch (const OtherForm &) {
    throw std::invalid_argument("this is no example");
  }
}

// The same bytes, where the headers of lattices tell that these are in topological order; None where one is not, as
// OpenFst's TopSort numbers states.
py::object with_sorted_lattices(const py::bytes &bytes, size_t begin) {
  const ExampleView example = parsed(bytes, begin);
  const std::string_view all = bytes;
  std::string marked(all);
  for (const OutputView &output : example.outputs) {
    const FlatLattice lattice = lattice_of(output.lattice);
    std::vector<int32_t> next;
    next.reserve(lattice.arcs.size());
    for (const FlatArc &arc : lattice.arcs) next.push_back(arc.nextstate);
    const std::vector<int32_t> order =
        topological_order({lattice.start, lattice.num_states(), lattice.offsets.data(), next.data()});
    for (int32_t s = 0; s < lattice.num_states(); s++)
      if (order.empty() || order[s] != s) return py::none();
    const uint64_t known = topologically_sorted(load<uint64_t>(output.lattice.properties));
    std::memcpy(marked.data() + (output.lattice.properties - all.data()), &known, sizeof known);
  }
  return py::bytes(marked);
}

py::bytes packed_indexes(const Array<int32_t> &indexes) {
  if (indexes.ndim() != 2 || indexes.shape(1) != 3) throw std::invalid_argument("indexes have three columns");
  const size_t count = static_cast<size_t>(indexes.shape(0));
  std::vector<char> out(16 * count);
  const char *end = pack_indexes(indexes.data(), count, out.data());
  return py::bytes(out.data(), static_cast<size_t>(end - out.data()));
}

py::tuple concatenated(const std::vector<std::tuple<int32_t, Array<float>, Array<int64_t>, Array<FstArc>>> &fsts) {
  std::vector<FstView> parts;
  for (const auto &[start, finals, offsets, arcs] : fsts) {
    if (start < 0) throw std::invalid_argument("it has no start state");
    parts.push_back(fst_view(start, finals, offsets, arcs));
  }
  if (parts.empty()) throw std::invalid_argument("there is none");
  const PackedFst made = concatenate(parts);
  return py::make_tuple(copied(made.finals), copied(made.offsets), copied(made.arcs));
}

py::tuple compacted(int32_t start, const Array<float> &finals, const Array<int64_t> &offsets, const Array<FstArc> &arcs) {
  const CompactFst made = compact(fst_view(start, finals, offsets, arcs));
  return py::make_tuple(py::bytes(reinterpret_cast<const char *>(made.positions.data()), 4 * made.positions.size()),
                        py::bytes(reinterpret_cast<const char *>(made.elements.data()),
                                  sizeof(Element) * made.elements.size()));
}

// Examples that begin with `token`, as the bytes that they are, marker included.
ObjectForm raw_form(std::string_view token) {
  return ObjectForm([token](Cursor &in) -> py::object {
    const char *begin = in.take(0);
    const ExampleView example = parse_example(begin, in.left());
    if (example.token.substr(0, token.size()) != token) throw OtherForm();
    in.take(example.size);
    return py::bytes(begin - 2, example.size + 2);
  });
}

}  // namespace

void add_examples(py::module_ &m) {
  py::dict forms = m.attr("forms");
  for (const char *token : {"<Nnet3Eg>", "<Nnet3ChainEg>", "<Nnet3DiscriminativeEg>"}) forms[token] = raw_form(token);
  forms["supervision"] = ObjectForm(&supervision);
  m.def("parse_example", &parse, "Where a binary example in a buffer ends, and its parts.");
  m.def(
      "parse_supervision",
      [](const py::handle &buffer, size_t pos, size_t end) { return found_in(buffer, pos, end, &supervision); },
      "The parts of a supervision.");
  m.def("shift_example", &shifted_bytes, "The same bytes, but for the times of the example in them.");
  m.def("example_structure", &structure, "(size, what must be equal in examples that are merged).");
  m.def("example_outputs", &outputs_of, "The parts of the outputs of a chain or discriminative example in bytes.");
  m.def("with_sorted_lattices", &with_sorted_lattices, "The bytes of a discriminative example as Kaldi reads it.");
  m.def("merge_inputs", &merged_inputs, "The parts of the inputs of examples in bytes, one after the other.");
  m.def("pack_indexes", &packed_indexes, "The binary form of indexes [rows, 3].");
  m.def("concatenate_acceptors", &concatenated, "(final costs, offsets, arcs) of acceptors one after the other.");
  m.def(
      "fst_properties",
      [](int32_t start, const Array<float> &finals, const Array<int64_t> &offsets, const Array<FstArc> &arcs) {
        return properties(fst_view(start, finals, offsets, arcs));
      },
      "What OpenFst's headers say about a transducer.");
  m.def("topologically_sorted", &topologically_sorted, "What OpenFst's headers say after the states were sorted so.");
  m.def("compact_acceptor", &compacted, "(positions, elements) of an acceptor in OpenFst's compact form.");
}

}  // namespace kaldi_bridge
