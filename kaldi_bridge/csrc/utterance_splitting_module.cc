// Utterances cut into chunks, for Python.

#include "utterance_splitting_module.h"

#include <pybind11/stl.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "python_arrays.h"
#include "utterance_splitting.h"

namespace py = pybind11;

namespace kaldi_bridge {

namespace {

using RandomState = std::vector<uint32_t>;  // of Python: words, and the place in them

PythonRandom python_random(const RandomState &state) {
  std::array<uint32_t, PythonRandom::kWords> words;
  if (state.size() != words.size() + 1) throw std::invalid_argument("this is no state of a Mersenne Twister");
  std::copy(state.begin(), state.end() - 1, words.begin());
  return {words, state.back()};
}

std::shared_ptr<UtteranceSplitter> make_splitter(const std::array<int32_t, 6> &options, UtteranceSplitter::Sizes sizes,
                                                 std::vector<std::vector<UtteranceSplitter::Sizes>> splits,
                                                 std::shared_ptr<CRandom> random, const RandomState &gap_order) {
  const auto [left, right, initial, final, overlap, factor] = options;
  if (factor < 1 || (!sizes.empty() && overlap >= sizes[0]) || sizes.empty() != splits.empty())
    throw std::invalid_argument("options of a splitter do not go together");
  return std::make_shared<UtteranceSplitter>(SplittingOptions{left, right, initial, final, overlap, factor}, std::move(sizes),
                                             std::move(splits), std::move(random), python_random(gap_order));
}

// (first frame, frames, left context, right context, weights) of each chunk.
py::list fields(const Chunks &chunks) {
  py::list made;
  for (const Chunk &chunk : chunks.chunks)
    made.append(py::make_tuple(chunk.first_frame, chunk.num_frames, chunk.left_context, chunk.right_context,
                               copied(chunks.weights(chunk))));
  return made;
}

// The chunks of many utterances: of each its utterance, first frame and frames; and one after the other, how many chunks
// have each output frame of them.
py::tuple split_many(UtteranceSplitter &splitter, const Array<int32_t> &lengths) {
  std::vector<int32_t> utterances, firsts, sizes;
  std::vector<uint8_t> counts;
  for (py::ssize_t i = 0; i < lengths.size(); i++) {
    const Chunks made = splitter.split(lengths.at(i));
    for (const Chunk &chunk : made.chunks) {
      utterances.push_back(static_cast<int32_t>(i));
      firsts.push_back(chunk.first_frame);
      sizes.push_back(chunk.num_frames);
      const auto [begin, end] = made.outputs(chunk);
      counts.insert(counts.end(), made.counts.begin() + begin, made.counts.begin() + end);
    }
  }
  return py::make_tuple(copied(utterances), copied(firsts), copied(sizes), copied(counts));
}

}  // namespace

void add_utterance_splitting(py::module_ &m) {
  py::class_<CRandom, std::shared_ptr<CRandom>>(m, "CRandom")
      .def(py::init<const std::array<uint32_t, CRandom::kLag> &>())
      .def("rand", &CRandom::rand)
      .def("rand_int", &CRandom::rand_int)
      .def_property("values", &CRandom::values, &CRandom::set_values);
  py::class_<Chunks>(m, "Chunks").def("fields", &fields).def("__len__", [](const Chunks &made) { return made.chunks.size(); });
  py::class_<UtteranceSplitter, std::shared_ptr<UtteranceSplitter>>(m, "UtteranceSplitter")
      .def(py::init(&make_splitter))
      .def("split", &UtteranceSplitter::split)
      .def("split_many", &split_many)
      .def_readonly("utterances", &UtteranceSplitter::utterances)
      .def_readonly("frames", &UtteranceSplitter::frames)
      .def_readonly("overlap", &UtteranceSplitter::overlap)
      .def_readonly("chunks", &UtteranceSplitter::chunks);
}

}  // namespace kaldi_bridge
