// Folded networks for Python: computed without the interpreter's lock.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "attention.h"
#include "convolution.h"
#include "float_matrix.h"
#include "functions.h"
#include "network.h"
#include "word_matrix.h"

namespace py = pybind11;
using namespace nnet3_compat;

namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

std::vector<Instructions> usable_for(const std::string &precision) {
  std::vector<Instructions> found;
  const auto add = [&](const auto &all) {
    for (const Instructions instructions : all)
      if (usable(instructions)) found.push_back(instructions);
  };
  if (precision == "float32")
    add(FLOAT32_INSTRUCTIONS);
  else if (precision == "bfloat16")
    add(BFLOAT16_INSTRUCTIONS);
  else if (precision == "int8")
    add(INT8_INSTRUCTIONS);
  else
    throw std::invalid_argument("precision must be float32, bfloat16 or int8");
  return found;
}

std::vector<std::string> instructions(const std::string &precision) {
  std::vector<std::string> names;
  for (const Instructions found : usable_for(precision)) names.push_back(name_of(found));
  return names;
}

// Those of that name; without one the fastest.
Instructions choose(const std::string &precision, const std::string &name) {
  const std::vector<Instructions> all = usable_for(precision);
  if (name.empty()) return all.back();
  for (const Instructions found : all)
    if (name == name_of(found)) return found;
  throw std::invalid_argument("this processor computes no " + precision + " with " + name);
}

template <class T>
void check_sizes(const Array<T> &weights, const Array<float> &bias, const Array<float> &offset) {
  if (weights.ndim() != 2 || weights.size() == 0 || bias.size() != weights.shape(0) || offset.size() != weights.shape(0))
    throw std::invalid_argument("weights must be [outputs, inputs], bias and offset [outputs]");
}

std::shared_ptr<PackedMatrix> make_float32(Array<float> weights, Array<float> bias, Array<float> offset,
                                           const std::string &name) {
  check_sizes(weights, bias, offset);
  return pack_float32(weights.data(), bias.data(), offset.data(), weights.shape(0), weights.shape(1),
                      choose("float32", name));
}

std::shared_ptr<PackedMatrix> make_bfloat16(Array<float> weights, Array<float> bias, Array<float> offset,
                                            const std::string &name) {
  check_sizes(weights, bias, offset);
  return pack_bfloat16(weights.data(), bias.data(), offset.data(), weights.shape(0), weights.shape(1),
                       choose("bfloat16", name));
}

std::shared_ptr<PackedMatrix> make_int8(Array<int8_t> weights, Array<float> scales, Array<float> bias,
                                        Array<float> offset, const std::string &name) {
  check_sizes(weights, bias, offset);
  if (scales.size() != weights.shape(0) || weights.shape(1) > MOST_INT8_INPUTS)
    throw std::invalid_argument("scales must be [outputs], and inputs no more than " + std::to_string(MOST_INT8_INPUTS));
  return pack_int8(weights.data(), scales.data(), bias.data(), offset.data(), weights.shape(0), weights.shape(1),
                   choose("int8", name));
}

// For tests: y [rows, outputs] of x [rows, inputs].
py::array_t<float> multiply(const PackedMatrix &matrix, Array<float> x) {
  if (x.ndim() != 2 || x.shape(1) != matrix.inputs()) throw std::invalid_argument("x must be [rows, inputs]");
  std::vector<const float *> rows;
  for (py::ssize_t row = 0; row < x.shape(0); row++) rows.push_back(x.data(row, 0));
  py::array_t<float> y({x.shape(0), static_cast<py::ssize_t>(matrix.outputs())});
  matrix.multiply(rows.data(), 1, x.shape(0), x.shape(0), Finish(), y.mutable_data(), 1);
  return y;
}

py::array_t<float> run(const Program &program, const std::vector<Array<float>> &arrays, std::vector<State *> states,
                       int num_threads) {
  std::vector<Input> inputs;
  for (const Array<float> &array : arrays) {
    if (array.ndim() != 3 || array.shape(0) != static_cast<py::ssize_t>(states.size()))
      throw std::invalid_argument("inputs must be [N, frames, dim], one of the N for each state");
    inputs.push_back({array.data(), array.shape(1), array.shape(2)});
  }
  py::array_t<float> outputs({static_cast<py::ssize_t>(states.size()), static_cast<py::ssize_t>(program.num_outputs()),
                              static_cast<py::ssize_t>(program.output_dim())});
  float *data = outputs.mutable_data();
  {
    py::gil_scoped_release release;
    program.run(inputs, states, data, num_threads);
  }
  return outputs;
}

}  // namespace

PYBIND11_MODULE(_csrc, m) {
  py::class_<Reading>(m, "Reading").def(py::init<int64_t, int64_t, int64_t, float, int64_t, int64_t>());
  py::class_<Part>(m, "Part").def(py::init<int64_t, float, std::vector<Reading>>());
  py::class_<PackedMatrix, std::shared_ptr<PackedMatrix>>(m, "PackedMatrix").def("multiply", &multiply);
  m.def("instructions", &instructions, "Those that products of a precision can use here, the fastest last.");
  m.def("float32_matrix", &make_float32, py::arg("weights"), py::arg("bias"), py::arg("offset"),
        py::arg("instructions") = "", "A PackedMatrix of weights [outputs, inputs].");
  m.def("bfloat16_matrix", &make_bfloat16, py::arg("weights"), py::arg("bias"), py::arg("offset"),
        py::arg("instructions") = "", "The same, multiplied in bfloat16.");
  m.def("int8_matrix", &make_int8, py::arg("weights"), py::arg("scales"), py::arg("bias"), py::arg("offset"),
        py::arg("instructions") = "", "The same of integers, each row to be multiplied by its scale.");
  py::class_<Operation, std::shared_ptr<Operation>>(m, "Operation");
  py::enum_<Function>(m, "Function")
      .value("RELU", Function::RELU)
      .value("SIGMOID", Function::SIGMOID)
      .value("TANH", Function::TANH)
      .value("SOFTMAX", Function::SOFTMAX)
      .value("LOG_SOFTMAX", Function::LOG_SOFTMAX)
      .value("SCALE_AND_OFFSET", Function::SCALE_AND_OFFSET)
      .value("NORMALIZE", Function::NORMALIZE)
      .value("PRODUCT", Function::PRODUCT)
      .value("PERMUTE", Function::PERMUTE)
      .value("LSTM", Function::LSTM)
      .value("OUTPUT_GRU", Function::OUTPUT_GRU);
  m.def("append", &append, "Sums of other values, side by side.");
  m.def("affine", &affine, "An affine map and what follows it.");
  m.def("apply", &apply, "A function of single rows.");
  m.def("gated_unit", &gated_unit, "A gated recurrent unit, with the product within it.");
  py::class_<State>(m, "State").def(py::init<>());
  py::class_<Image>(m, "Image").def(py::init<int64_t, int64_t, int64_t, int64_t>());
  py::class_<HeightOffset>(m, "HeightOffset").def(py::init<int64_t, int64_t>());
  py::class_<Following>(m, "Following").def(py::init<bool, std::vector<float>, std::vector<float>>());
  py::class_<Heads>(m, "Heads").def(py::init<int64_t, int64_t, int64_t, int64_t, float, bool>());
  m.def("attend", &attend, "Attention to some frames around each.");
  m.def("convolve", &convolve, "A convolution over time and height, and what follows it.");
  py::class_<Member>(m, "Member").def(py::init<int64_t, std::vector<int64_t>>());
  py::class_<Group>(m, "Group").def(py::init<std::vector<Member>, bool>());
  py::class_<TakenInput>(m, "TakenInput").def(py::init<int64_t, int64_t, bool>());
  m.attr("NO_VALUE") = NO_VALUE;
  m.def("places", &places, "Where things begin that are there from a time to a time, and the size of all.");
  py::class_<Program>(m, "Program")
      .def("run", &run, py::arg("inputs"), py::arg("states"), py::arg("num_threads") = 1,
           "Outputs [N, frames, dim]; the states become those for the next segment.");
  py::class_<Network>(m, "Network")
      .def(py::init<std::vector<Group>, std::vector<int64_t>, std::vector<int64_t>, std::vector<TakenInput>,
                    std::vector<std::vector<std::shared_ptr<Operation>>>, int64_t>())
      .def("program", &Network::program, py::call_guard<py::gil_scoped_release>(), py::arg("layout"),
           py::arg("carried") = std::vector<int64_t>(), py::arg("kept") = std::vector<std::vector<int64_t>>(),
           "A Program of a layout, for a segment that others come before and after or for the whole.");
}
