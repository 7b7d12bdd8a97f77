#include "example_making.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <utility>
#include <vector>

#include "examples.h"

namespace kaldi_bridge {

namespace {

void begin_io(std::string_view name, int32_t first, int32_t step, int32_t count, std::string *out) {
  out->append("<NnetIo> ").append(name).append(" ");
  append_indexes(first, step, count, out);
}

void end_io(std::string *out) { out->append("</NnetIo> "); }

// Sorted by index, each once, none of them 0 (matrix/sparse-matrix.cc, SparseVector).
void merge(std::vector<std::pair<int32_t, float>> *pairs) {
  const auto before = [](const auto &a, const auto &b) { return a.first < b.first; };
  if (!std::is_sorted(pairs->begin(), pairs->end(), before)) std::stable_sort(pairs->begin(), pairs->end(), before);
  size_t kept = 0;
  for (size_t i = 0; i < pairs->size();) {
    std::pair<int32_t, float> sum = (*pairs)[i++];
    for (; i < pairs->size() && (*pairs)[i].first == sum.first; i++) sum.second += (*pairs)[i].second;
    if (sum.second != 0.0f) (*pairs)[kept++] = sum;
  }
  pairs->resize(kept);
}

}  // namespace

void append_indexes(int32_t first, int32_t step, int32_t count, std::string *out) {
  out->append("<I1V> ");
  append_basic(count, out);
  int32_t before = 0;
  for (int32_t i = 0; i < count; i++) {
    const int32_t t = first + step * i;
    if (std::abs(t - before) < kNearStep) {
      out->push_back(static_cast<char>(t - before));
    } else {
      out->push_back(static_cast<char>(kWholeIndex));
      for (const int32_t value : {0, t, 0}) append_basic(value, out);
    }
    before = t;
  }
}

void append_one_sequence(float weight, int32_t frames, std::string *out) {
  out->append("<Weight> ");
  append_basic(weight, out);
  out->append("<NumSequences> ");
  append_basic(int32_t{1}, out);
  out->append("<FramesPerSeq> ");
  append_basic(frames, out);
}

void append_io(std::string_view name, int32_t first, int32_t step, const MatrixView &rows, bool compress, std::string *out) {
  begin_io(name, first, step, rows.rows, out);
  if (compress && rows.kind == 'F' && rows.size > 0)
    append_matrix(compressed(rows).view, out);
  else
    append_matrix(rows, out);
  end_io(out);
}

void append_input(const MatrixView &features, const Chunk &chunk, bool compress, std::string *out) {
  const int32_t count = chunk.left_context + chunk.num_frames + chunk.right_context;
  const OwnedMatrix rows = padded_rows(features, int64_t{chunk.first_frame} - chunk.left_context, count);
  append_io("input", -chunk.left_context, 1, rows.view, compress, out);
}

void append_sparse_output(const SparseTargets &targets, const Chunk &chunk, int32_t factor, const float *weights, size_t rows,
                          std::string *out) {
  begin_io("output", 0, factor, static_cast<int32_t>(rows), out);
  out->append("SM ");
  append_basic(static_cast<int32_t>(rows), out);
  std::vector<std::pair<int32_t, float>> pairs;
  for (size_t i = 0; i < rows; i++) {
    const size_t t = chunk.first_frame + i * factor;
    pairs.clear();
    if (t < targets.frames)
      for (int64_t k = targets.offsets[t]; k < targets.offsets[t + 1]; k++)
        pairs.emplace_back(targets.indexes[k], targets.weights[k] * weights[i]);
    merge(&pairs);
    out->append("SV ");
    append_basic(targets.dim, out);
    append_basic(static_cast<int32_t>(pairs.size()), out);
    for (const auto &[index, weight] : pairs) {
      if (index < 0 || index >= targets.dim)
        throw std::invalid_argument("a posterior of pdf " + std::to_string(index) + ", but there are " +
                                    std::to_string(targets.dim));
      append_basic(index, out);
      append_basic(weight, out);
    }
  }
  end_io(out);
}

void append_dense_output(const MatrixView &targets, const Chunk &chunk, int32_t factor, bool compress, std::string *out) {
  const OwnedMatrix rows = padded_rows(targets, chunk.first_frame / factor, chunk.num_frames / factor);
  append_io("output", 0, factor, rows.view, compress, out);
}

}  // namespace kaldi_bridge
