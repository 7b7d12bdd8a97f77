// Training examples cut from utterances, in the binary form that Kaldi writes (nnet3bin/nnet3-get-egs.cc).

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "general_matrix.h"
#include "utterance_splitting.h"

namespace kaldi_bridge {

// Of each frame of an utterance pairs of an index and a weight, in any order: those of frame t are offsets[t] to
// offsets[t + 1] - 1.
struct SparseTargets {
  const int64_t *offsets;
  size_t frames;
  const int32_t *indexes;
  const float *weights;
  int32_t dim;
};

// Appends a number in Kaldi's binary form: its size, and it.
template <class T>
void append_basic(T value, std::string *out) {
  out->push_back(static_cast<char>(sizeof value));
  out->append(reinterpret_cast<const char *>(&value), sizeof value);
}

// Appends the indexes of `count` rows with the times first, first + step, ...
void append_indexes(int32_t first, int32_t step, int32_t count, std::string *out);

// Appends what the supervision of one sequence begins with: its weight, that it is one sequence, and its frames.
void append_one_sequence(float weight, int32_t frames, std::string *out);

// Appends an input or output: rows with the times first, first + step, ... Throws std::invalid_argument where they are to
// be compressed and are infinite; only full ones are compressed.
void append_io(std::string_view name, int32_t first, int32_t step, const MatrixView &rows, bool compress, std::string *out);

// Appends the input "input" of a chunk whose first frame is at time 0, with its context.
void append_input(const MatrixView &features, const Chunk &chunk, bool compress, std::string *out);

// Appends the output "output" with the targets of every `factor`th frame of a chunk, `rows` of them, times their weights.
// Targets of the same index are added up, those that are 0 left out. Throws std::invalid_argument for an index beyond dim.
void append_sparse_output(const SparseTargets &targets, const Chunk &chunk, int32_t factor, const float *weights, size_t rows,
                          std::string *out);

// The same of targets that are a row of numbers for each frame, after subsampling.
void append_dense_output(const MatrixView &targets, const Chunk &chunk, int32_t factor, bool compress, std::string *out);

}  // namespace kaldi_bridge
