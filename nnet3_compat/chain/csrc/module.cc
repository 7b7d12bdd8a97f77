// The C++ part of LF-MMI, for Python: without the interpreter's lock.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "denominator.h"
#include "numerator.h"

namespace py = pybind11;
using nnet3_compat::DenominatorGraph;
using nnet3_compat::Numerator;

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

py::tuple forward_backward(const DenominatorGraph &graph, Array<float> likelihoods, Array<int64_t> lengths,
                           float leaky_hmm_coefficient, int num_threads) {
  if (likelihoods.ndim() != 3 || likelihoods.shape(0) < 1 || likelihoods.shape(1) < 1 || likelihoods.shape(2) != graph.num_pdfs())
    throw std::invalid_argument("the likelihoods must be [frames, sequences, pdfs] with the graph's number of pdfs");
  const int64_t frames = likelihoods.shape(0), sequences = likelihoods.shape(1);
  for (int64_t s = 0; s < sequences; s++)
    if (lengths.size() != sequences || lengths.data()[s] < 1 || lengths.data()[s] > frames)
      throw std::invalid_argument("each sequence must have a length of at least 1 and at most the number of frames");
  py::array_t<double> log_probs(sequences);
  py::array_t<float> posteriors({frames, sequences, graph.num_pdfs()});
  const float *from = likelihoods.data();
  double *log_prob_data = log_probs.mutable_data();
  float *posterior_data = posteriors.mutable_data();
  {
    py::gil_scoped_release release;
    graph.forward_backward(from, frames, sequences, lengths.data(), leaky_hmm_coefficient, num_threads, log_prob_data,
                           posterior_data);
  }
  return py::make_tuple(log_probs, posteriors);
}

void add(Numerator &numerator, Array<int64_t> offsets, Array<int32_t> labels, Array<int32_t> next_states,
         Array<float> costs, Array<float> final_costs, int64_t start, int64_t first, int64_t count, int64_t length,
         bool flat_start) {
  const int64_t num_states = final_costs.size(), num_arcs = labels.size();
  if (offsets.size() != num_states + 1 || next_states.size() != num_arcs || costs.size() != num_arcs)
    throw std::invalid_argument("the supervision's arrays do not fit together");
  for (int64_t s = 0; s <= num_states; s++) {
    const int64_t low = s == 0 ? 0 : offsets.data()[s - 1];
    if (offsets.data()[s] < low || offsets.data()[s] > num_arcs) throw std::invalid_argument("offsets out of order");
  }
  for (int64_t a = 0; a < num_arcs; a++)
    if (next_states.data()[a] < 0 || next_states.data()[a] >= num_states)
      throw std::invalid_argument("the supervision has an arc to a state that does not exist");
  const nnet3_compat::Acceptor acceptor{offsets.data(), labels.data(),      next_states.data(), costs.data(),
                                        final_costs.data(), num_states, start};
  const py::gil_scoped_release release;
  numerator.add(acceptor, first, count, length, flat_start);
}

py::array_t<int64_t> cells(const Numerator &numerator) {
  return py::array_t<int64_t>(static_cast<py::ssize_t>(numerator.cells().size()), numerator.cells().data());
}

py::tuple occupations(const Numerator &numerator, Array<float> scores, int num_threads) {
  if (scores.size() != static_cast<py::ssize_t>(numerator.cells().size()))
    throw std::invalid_argument("there must be one score for each cell");
  py::array_t<float> occupied(scores.size());
  const float *from = scores.data();
  float *to = occupied.mutable_data();
  double log_prob = 0.0;
  {
    const py::gil_scoped_release release;
    log_prob = numerator.forward_backward(from, num_threads, to);
  }
  return py::make_tuple(log_prob, occupied);
}

}  // namespace

PYBIND11_MODULE(_csrc, m) {
  py::class_<DenominatorGraph>(m, "DenominatorGraph")
      .def(py::init(&make_graph), py::arg("source"), py::arg("target"), py::arg("pdf"), py::arg("probability"),
           py::arg("initial"), py::arg("num_pdfs"))
      .def("forward_backward", &forward_backward, py::arg("likelihoods"), py::arg("lengths"),
           py::arg("leaky_hmm_coefficient"), py::arg("num_threads"));
  py::class_<Numerator>(m, "Numerator")
      .def(py::init<int64_t, int64_t, int64_t>(), py::arg("frames"), py::arg("sequences"), py::arg("pdfs"))
      .def("add", &add, py::arg("offsets"), py::arg("labels"), py::arg("next_states"), py::arg("costs"),
           py::arg("final_costs"), py::arg("start"), py::arg("first"), py::arg("count"), py::arg("length"),
           py::arg("flat_start"))
      .def_property_readonly("cells", &cells)
      .def("forward_backward", &occupations, py::arg("scores"), py::arg("num_threads"));
}
