// The same input of several examples as one (nnet3/nnet-example-utils.cc, MergeExamples).

#pragma once

#include <cstdint>
#include <vector>

#include "examples.h"

namespace kaldi_bridge {

// An input of example `number` among those that are merged.
struct MergedPart {
  int32_t number;
  const IoView *io;
};

// One more than the greatest n.
int32_t count_sequences(const IndexesView &indexes);

// Writes the indexes of all parts to `out`, three numbers each, n going on from one example, of so many sequences, to the
// next. Throws std::invalid_argument for an example of more sequences.
void merge_indexes(const std::vector<MergedPart> &parts, int32_t sequences, int32_t *out);

// Throws std::invalid_argument where features differ in dimension.
void check_dimensions(const std::vector<MergedPart> &parts);

bool all_sparse(const std::vector<MergedPart> &parts);

// Writes the rows of all parts, which have the same dimension, to `out`, full and decompressed.
void merge_rows(const std::vector<MergedPart> &parts, float *out);

}  // namespace kaldi_bridge
