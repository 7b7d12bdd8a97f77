// The C++ part of LF-MMI, for Python: without the interpreter's lock.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "denominator.h"

namespace py = pybind11;
using nnet3_compat::DenominatorGraph;

namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

std::unique_ptr<DenominatorGraph> make_graph(Array<int64_t> source, Array<int64_t> target, Array<int64_t> pdf,
                                             Array<float> probability, Array<float> initial, int64_t num_pdfs) {
  if (source.size() != target.size() || source.size() != pdf.size() || source.size() != probability.size())
    throw std::invalid_argument("the denominator graph's arrays have different sizes");
  return std::make_unique<DenominatorGraph>(source.data(), target.data(), pdf.data(), probability.data(), source.size(),
                                            initial.data(), initial.size(), num_pdfs);
}

py::tuple forward_backward(const DenominatorGraph &graph, Array<float> likelihoods, float leaky_hmm_coefficient,
                           int num_threads) {
  if (likelihoods.ndim() != 3 || likelihoods.shape(0) < 1 || likelihoods.shape(1) < 1 || likelihoods.shape(2) != graph.num_pdfs())
    throw std::invalid_argument("the likelihoods must be [frames, sequences, pdfs] with the graph's number of pdfs");
  const int64_t frames = likelihoods.shape(0), sequences = likelihoods.shape(1);
  py::array_t<double> log_probs(sequences);
  py::array_t<float> posteriors({frames, sequences, graph.num_pdfs()});
  const float *from = likelihoods.data();
  double *log_prob_data = log_probs.mutable_data();
  float *posterior_data = posteriors.mutable_data();
  {
    py::gil_scoped_release release;
    graph.forward_backward(from, frames, sequences, leaky_hmm_coefficient, num_threads, log_prob_data, posterior_data);
  }
  return py::make_tuple(log_probs, posteriors);
}

}  // namespace

PYBIND11_MODULE(_csrc, m) {
  py::class_<DenominatorGraph>(m, "DenominatorGraph")
      .def(py::init(&make_graph), py::arg("source"), py::arg("target"), py::arg("pdf"), py::arg("probability"),
           py::arg("initial"), py::arg("num_pdfs"))
      .def("forward_backward", &forward_backward, py::arg("likelihoods"), py::arg("leaky_hmm_coefficient"),
           py::arg("num_threads"));
}
