#include "example_making_module.h"

#include <pybind11/stl.h>

#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "example_making.h"
#include "python_arrays.h"

namespace py = pybind11;
using namespace std::string_view_literals;

namespace kaldi_bridge {

namespace {

// The first fields of kaldi_bridge.examples.utterance_splitting.Chunk.
Chunk chunk_of(const py::tuple &fields) {
  const Chunk chunk{fields[0].cast<int32_t>(), fields[1].cast<int32_t>(), fields[2].cast<int32_t>(), fields[3].cast<int32_t>()};
  // A context may be negative, as in Kaldi: then inputs are fewer than outputs.
  const int64_t inputs = int64_t{chunk.left_context} + chunk.num_frames + chunk.right_context;
  if (chunk.first_frame < 0 || chunk.num_frames < 0 || inputs <= 0 || inputs > INT32_MAX)
    throw std::invalid_argument("a chunk has " + std::to_string(inputs) + " frames of input");
  return chunk;
}

// The features and i-vectors of an utterance.
class Inputs {
 public:
  Inputs(const py::object &features, const std::optional<Array<float>> &ivectors, bool compress)
      : features_(features), compress_(compress) {
    if (ivectors) ivectors_.emplace(*ivectors);
  }

  bool compress() const { return compress_; }
  int32_t count() const { return ivectors_ ? 2 : 1; }

  // Appends those of a chunk, with this row of the i-vectors.
  void append(const Chunk &chunk, int32_t row, std::string *out) const {
    append_input(features_.view(), chunk, compress_, out);
    if (ivectors_) append_io("ivector", 0, 1, padded_rows(ivectors_->view(), row, 1).view, compress_, out);
  }

 private:
  MatrixOfParts features_;
  std::optional<MatrixOfParts> ivectors_;
  bool compress_;
};

py::bytes packed_inputs(const Inputs &inputs, const py::tuple &chunk, int32_t row) {
  std::string out;
  inputs.append(chunk_of(chunk), row, &out);
  return out;
}

// Appends the output of a chunk.
class Outputs {
 public:
  Outputs(const py::object &targets, int32_t factor, bool compress) : factor_(factor), compress_(compress) {
    if (factor < 1) throw std::invalid_argument("the subsampling factor is not positive");
    if (!py::isinstance<py::tuple>(targets)) {
      dense_.emplace(targets);
      return;
    }
    std::tie(offsets_, indexes_, weights_, dim_) =
        targets.cast<std::tuple<Array<int64_t>, Array<int32_t>, Array<float>, int32_t>>();
    check_rows(offsets_, indexes_.size(), weights_.size());
  }

  void append(const py::tuple &fields, std::string *out) const {
    const Chunk chunk = chunk_of(fields);
    if (dense_) {
      append_dense_output(dense_->view(), chunk, factor_, compress_, out);
      return;
    }
    const auto weights = fields[4].cast<Array<float>>();
    const SparseTargets targets{offsets_.data(), static_cast<size_t>(offsets_.size() - 1), indexes_.data(), weights_.data(), dim_};
    append_sparse_output(targets, chunk, factor_, weights.data(), weights.size(), out);
  }

 private:
  int32_t factor_;
  bool compress_;
  std::optional<MatrixOfParts> dense_;
  Array<int64_t> offsets_;
  Array<int32_t> indexes_;
  Array<float> weights_;
  int32_t dim_ = 0;
};

// The examples of all chunks, with their binary markers. `rows`: of i-vectors, one for each chunk.
py::list frame_examples(const Inputs &inputs, const py::object &targets, int32_t factor, const py::list &chunks,
                        const std::vector<int32_t> &rows) {
  if (rows.size() != chunks.size()) throw std::invalid_argument("a row of the i-vectors is needed for each chunk");
  const Outputs outputs(targets, factor, inputs.compress());
  py::list made;
  std::string out;
  for (size_t i = 0; i < rows.size(); i++) {
    out = "\0B<Nnet3Eg> <NumIo> "sv;
    const int32_t count = inputs.count() + 1;
    out.push_back(4);
    out.append(reinterpret_cast<const char *>(&count), sizeof count);
    const py::tuple chunk = chunks[i];
    inputs.append(chunk_of(chunk), rows[i], &out);
    outputs.append(chunk, &out);
    out.append("</Nnet3Eg> ");
    made.append(py::bytes(out));
  }
  return made;
}

}  // namespace

void add_example_making(py::module_ &m) {
  py::class_<Inputs>(m, "ChunkInputs")
      .def(py::init<const py::object &, const std::optional<Array<float>> &, bool>())
      .def_property_readonly("count", &Inputs::count)
      .def("pack", &packed_inputs, "The binary form of the inputs of a chunk.");
  m.def("pack_frame_examples", &frame_examples, "Examples of chunks, with a target for each frame.");
}

}  // namespace kaldi_bridge
