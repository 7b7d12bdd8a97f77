// Folded networks for Python: computed without the interpreter's lock.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "program.h"

namespace py = pybind11;
using namespace nnet3_compat;

namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

std::shared_ptr<PackedMatrix> pack(Array<float> weights, Array<float> bias, Array<float> offset) {
  if (weights.ndim() != 2 || weights.size() == 0 || bias.size() != weights.shape(0) || offset.size() != weights.shape(0))
    throw std::invalid_argument("weights must be [outputs, inputs], bias and offset [outputs]");
  return std::make_shared<PackedMatrix>(weights.data(), bias.data(), offset.data(), weights.shape(0), weights.shape(1));
}

Reading make_reading(int64_t source, float scale, Array<int64_t> rows) {
  return {source, scale, {rows.data(), rows.data() + rows.size()}};
}

std::shared_ptr<Operation> make_input(int64_t makes, int64_t slot, Array<int64_t> frames) {
  return take_input(makes, slot, {frames.data(), frames.data() + frames.size()});
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
  py::class_<Value>(m, "Value").def(py::init<int64_t, int64_t, int64_t, int64_t>());
  py::class_<Reading>(m, "Reading").def(py::init(&make_reading));
  py::class_<Part>(m, "Part").def(py::init<int64_t, int64_t, float, std::vector<Reading>, int64_t>());
  py::class_<PackedMatrix, std::shared_ptr<PackedMatrix>>(m, "PackedMatrix").def(py::init(&pack));
  py::class_<Operation, std::shared_ptr<Operation>>(m, "Operation");
  py::enum_<Function>(m, "Function")
      .value("RELU", Function::RELU)
      .value("SIGMOID", Function::SIGMOID)
      .value("TANH", Function::TANH)
      .value("SOFTMAX", Function::SOFTMAX)
      .value("LOG_SOFTMAX", Function::LOG_SOFTMAX)
      .value("SCALE_AND_OFFSET", Function::SCALE_AND_OFFSET)
      .value("NORMALIZE", Function::NORMALIZE)
      .value("PRODUCT", Function::PRODUCT);
  m.def("take_input", &make_input, "Frames that the caller gives.");
  m.def("append", &append, "Sums of other values, side by side.");
  m.def("affine", &affine, "An affine map and what follows it.");
  m.def("apply", &apply, "A function of single rows.");
  py::class_<State>(m, "State").def(py::init<>());
  py::class_<Program>(m, "Program")
      .def(py::init<std::vector<Value>, int64_t, std::vector<int64_t>, std::vector<std::shared_ptr<Operation>>,
                    std::vector<Reading>, int64_t>())
      .def("run", &run, py::arg("inputs"), py::arg("states"), py::arg("num_threads") = 1,
           "Outputs [N, frames, dim]; the states become those for the next segment.");
}
