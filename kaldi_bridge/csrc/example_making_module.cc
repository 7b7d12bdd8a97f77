#include "example_making_module.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chain_example_making.h"
#include "discriminative_example_making.h"
#include "example_making.h"
#include "lattice_arrays.h"
#include "number_lists.h"
#include "object_form.h"
#include "python_arrays.h"
#include "python_text.h"

namespace py = pybind11;
using namespace std::string_view_literals;

namespace kaldi_bridge {

namespace {

// A context may be negative, as in Kaldi: then inputs are fewer than outputs.
void check(const Chunk &chunk) {
  const int64_t inputs = int64_t{chunk.left_context} + chunk.num_frames + chunk.right_context;
  if (chunk.first_frame < 0 || chunk.num_frames < 0 || inputs <= 0 || inputs > INT32_MAX)
    throw std::invalid_argument("a chunk has " + std::to_string(inputs) + " frames of input");
}

// The first fields of kaldi_bridge.examples.utterance_splitting.Chunk.
Chunk chunk_of(const py::tuple &fields) {
  return {fields[0].cast<int32_t>(), fields[1].cast<int32_t>(), fields[2].cast<int32_t>(), fields[3].cast<int32_t>()};
}

// A matrix in whichever form a file holds it.
class PackedMatrix {
 public:
  explicit PackedMatrix(Cursor &in) {
    const char *begin = in.take(0);
    const size_t before = in.pos();
    parse_matrix(in);
    bytes_.assign(begin, in.pos() - before);
    Cursor own(bytes_.data(), bytes_.size());
    view_ = parse_matrix(own);
  }
  // Of what Python has of it.
  explicit PackedMatrix(const py::object &parts) : parts_(std::make_unique<MatrixOfParts>(parts)), view_(parts_->view()) {}
  PackedMatrix(const PackedMatrix &) = delete;
  PackedMatrix &operator=(const PackedMatrix &) = delete;

  const MatrixView &view() const { return view_; }

  bool has_nan() const {
    if (view_.kind != 'F') return false;
    for (size_t i = 0; i < view_.size; i += sizeof(float))
      if (std::isnan(load<float>(view_.data + i))) return true;
    return false;
  }

 private:
  std::string bytes_;
  std::unique_ptr<MatrixOfParts> parts_;
  MatrixView view_;
};

// The features and i-vectors of an utterance. `period`: frames for each i-vector; `random`: draws one for each chunk.
class Inputs {
 public:
  Inputs(std::shared_ptr<PackedMatrix> features, const std::optional<Array<float>> &ivectors, int32_t period, bool compress,
         std::shared_ptr<CRandom> random)
      : features_(std::move(features)), period_(period), compress_(compress), random_(std::move(random)) {
    if (ivectors) ivectors_.emplace(*ivectors);
    if (period < 1) throw std::invalid_argument("the period of i-vectors is not positive");
  }

  bool compress() const { return compress_; }
  CRandom &random() const { return *random_; }
  int32_t count() const { return ivectors_ ? 2 : 1; }

  // Appends those of a chunk of an utterance of so many frames.
  void append(const Chunk &chunk, int32_t frames, std::string *out) const {
    const int32_t row = ivectors_ ? ivector_row(chunk, frames) : 0;
    check(chunk);
    append_input(features_->view(), chunk, compress_, out);
    if (ivectors_) append_io("ivector", 0, 1, padded_rows(ivectors_->view(), row, 1).view, compress_, out);
  }

 private:
  // That of a random frame, as Kaldi draws it.
  int32_t ivector_row(const Chunk &chunk, int32_t frames) const {
    const int32_t first = chunk.first_frame - chunk.left_context;
    return std::clamp(random_->rand_int(first, first + frames - 1) / period_, 0, std::max(0, ivectors_->view().rows - 1));
  }

  std::shared_ptr<PackedMatrix> features_;
  std::optional<MatrixOfParts> ivectors_;
  int32_t period_;
  bool compress_;
  std::shared_ptr<CRandom> random_;
};

py::bytes packed_inputs(const Inputs &inputs, const py::tuple &chunk, int32_t frames) {
  std::string out;
  inputs.append(chunk_of(chunk), frames, &out);
  return out;
}

// Appends the output of a chunk, with targets for every frame, which are a posterior of so many pdfs.
void append_targets(const std::pair<std::shared_ptr<PackedPosterior>, int32_t> &targets, const Chunks &chunks, const Chunk &chunk,
                    bool, std::string *out) {
  const auto &[posterior, dim] = targets;
  const std::vector<float> weights = chunks.weights(chunk);
  const SparseTargets view{posterior->offsets.data(), posterior->offsets.size() - 1, posterior->indexes.data(),
                           posterior->weights.data(), dim};
  append_sparse_output(view, chunk, chunks.factor, weights.data(), weights.size(), out);
}

// The same with a row for each label.
void append_targets(const std::shared_ptr<PackedMatrix> &targets, const Chunks &chunks, const Chunk &chunk, bool compress,
                    std::string *out) {
  append_dense_output(targets->view(), chunk, chunks.factor, compress, out);
}

// The examples of all chunks of an utterance of so many frames, as entries of an archive.
template <class Targets>
py::bytes frame_examples(const py::str &utterance, const Inputs &inputs, const Targets &targets, const Chunks &chunks,
                         int32_t frames) {
  const std::string key = encoded(utterance);
  std::string out;
  for (const Chunk &chunk : chunks.chunks) {
    out.append(key).append("-").append(std::to_string(chunk.first_frame)).append(" \0B<Nnet3Eg> <NumIo> "sv);
    const int32_t count = inputs.count() + 1;
    append_basic(count, &out);
    inputs.append(chunk, frames, &out);
    append_targets(targets, chunks, chunk, inputs.compress(), &out);
    out.append("</Nnet3Eg> ");
  }
  return out;
}

// One over how many chunks have each output frame of a chunk, times `given`, which may end before.
std::vector<float> deriv_weights(const Chunks &chunks, const Chunk &chunk, const std::optional<Array<float>> &given) {
  std::vector<float> weights = chunks.weights(chunk);
  if (!given) return weights;
  const py::ssize_t first = chunks.outputs(chunk).first;
  for (size_t i = 0; i < weights.size(); i++) {
    const py::ssize_t frame = first + static_cast<py::ssize_t>(i);
    weights[i] *= frame < given->size() ? given->data()[frame] : 0.0f;
  }
  return weights;
}

// The same, of chain examples. `long_keys`: with the contexts; `given`: weights of derivatives of the utterance.
py::bytes chain_examples(const py::str &utterance, const Inputs &inputs, const ChainTargets &targets, const Chunks &chunks,
                         int32_t frames, const std::optional<Array<float>> &given, bool long_keys) {
  const std::string key = encoded(utterance);
  std::string out;
  for (const Chunk &chunk : chunks.chunks) {
    inputs.random().rand();  // by which Kaldi chooses some supervisions to be checked
    out.append(key).append("-").append(std::to_string(chunk.first_frame));
    if (long_keys) {
      for (const int32_t length : {chunk.left_context, chunk.num_frames, chunk.right_context})
        out.append("-").append(std::to_string(length));
      out.append("-v1");
    }
    out.append(" \0B<Nnet3ChainEg> <NumInputs> "sv);
    append_basic(inputs.count(), &out);
    inputs.append(chunk, frames, &out);
    out.append("<NumOutputs> ");
    append_basic(int32_t{1}, &out);
    append_chain_output(targets, chunk, chunks.factor, deriv_weights(chunks, chunk, given), &out);
    out.append("</Nnet3ChainEg> ");
  }
  return out;
}

// The same, of examples for discriminative training.
py::bytes discriminative_examples(const py::str &utterance, const Inputs &inputs, const DiscriminativeTargets &targets,
                                  const Chunks &chunks, int32_t frames) {
  const std::string key = encoded(utterance);
  std::string out;
  for (const Chunk &chunk : chunks.chunks) {
    const int32_t first = chunks.outputs(chunk).first;
    const std::vector<float> weights = chunks.weights(chunk);
    const bool normalize = &chunk != &chunks.chunks.front();  // as Kaldi, which leaves out the first one
    const LatticePart part = targets.part(first, static_cast<int32_t>(weights.size()), normalize);
    inputs.random().rand();  // by which Kaldi chooses some supervisions to be checked
    out.append(key).append("-").append(std::to_string(chunk.first_frame)).append(" \0B<Nnet3DiscriminativeEg> <NumInputs> "sv);
    append_basic(inputs.count(), &out);
    inputs.append(chunk, frames, &out);
    out.append("<NumOutputs> ");
    append_basic(int32_t{1}, &out);
    append_discriminative_output(targets, part, first, chunks.factor, weights, &out);
    out.append("</Nnet3DiscriminativeEg> ");
  }
  return out;
}

}  // namespace

void add_example_making(py::module_ &m) {
  py::class_<PackedMatrix, std::shared_ptr<PackedMatrix>>(m, "PackedMatrix")
      .def(py::init<const py::object &>())
      .def_property_readonly("rows", [](const PackedMatrix &matrix) { return matrix.view().rows; })
      .def_property_readonly("cols", [](const PackedMatrix &matrix) { return matrix.view().cols; })
      .def_property_readonly("has_nan", &PackedMatrix::has_nan)
      .def("parts", [](const PackedMatrix &matrix) { return matrix_parts(matrix.view()); });
  py::class_<PackedPosterior, std::shared_ptr<PackedPosterior>>(m, "PackedPosterior")
      .def(py::init([](const Array<int64_t> &offsets, const Array<int32_t> &indexes, const Array<float> &weights) {
        check_rows(offsets, indexes.size(), weights.size());
        return PackedPosterior{{offsets.data(), offsets.data() + offsets.size()},
                               {indexes.data(), indexes.data() + indexes.size()},
                               {weights.data(), weights.data() + weights.size()}};
      }))
      .def_property_readonly("rows", [](const PackedPosterior &posterior) { return posterior.offsets.size() - 1; });
  py::dict forms = m.attr("forms");
  forms["packed matrix"] = ObjectForm([](Cursor &in) { return py::cast(std::make_shared<PackedMatrix>(in)); });
  forms["packed posterior"] =
      ObjectForm([](Cursor &in) { return py::cast(std::make_shared<PackedPosterior>(parse_posterior(in))); });

  py::class_<Inputs>(m, "ChunkInputs")
      .def(py::init<std::shared_ptr<PackedMatrix>, const std::optional<Array<float>> &, int32_t, bool,
                    std::shared_ptr<CRandom>>(),
           py::arg("features").none(false), py::arg("ivectors"), py::arg("period"), py::arg("compress"),
           py::arg("random").none(false))
      .def_property_readonly("count", &Inputs::count)
      .def("pack", &packed_inputs, "The binary form of the inputs of a chunk.");
  using SparseTargetsOfPdfs = std::pair<std::shared_ptr<PackedPosterior>, int32_t>;
  m.def("pack_frame_examples", &frame_examples<std::shared_ptr<PackedMatrix>>, "Examples of chunks, with targets for each frame.");
  m.def("pack_frame_examples", &frame_examples<SparseTargetsOfPdfs>, "The same of a posterior and the number of its pdfs.");
  py::class_<ChainTargets>(m, "ChainTargets")
      .def(py::init([](float weight, int32_t label_dim, const Acceptor &graph, std::vector<int32_t> times) {
        if (times.size() != graph.arcs.size()) throw std::invalid_argument("one time for each state is needed");
        return ChainTargets{weight, label_dim, graph, std::move(times)};
      }));
  m.def("pack_chain_examples", &chain_examples, "Examples of chunks, with what they have of a supervision.");
  py::class_<DiscriminativeTargets>(m, "DiscriminativeTargets")
      .def(py::init([](float weight, std::vector<int32_t> alignment, const py::tuple &lattice, std::vector<int32_t> id_to_pdf,
                       int32_t num_pdfs, double acoustic_scale, bool collapse, bool determinize, bool minimize) {
        const DiscriminativeSplittingOptions options{acoustic_scale, collapse, determinize, minimize};
        return DiscriminativeTargets{weight, std::move(alignment),
                                     DiscriminativeSplitter(flat_lattice(lattice), std::move(id_to_pdf), num_pdfs, options)};
      }))
      .def("part", [](const DiscriminativeTargets &targets, int32_t first, int32_t count, bool normalize) {
        LatticePart part = targets.part(first, count, normalize);
        return py::make_tuple(parts_of(std::move(part.lattice)), part.properties);
      });
  m.def("pack_discriminative_examples", &discriminative_examples, "The same of lattices for discriminative training.");
}

}  // namespace kaldi_bridge
