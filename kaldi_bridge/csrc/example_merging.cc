#include "example_merging.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace kaldi_bridge {

int32_t count_sequences(const IndexesView &indexes) {
  std::vector<int32_t> unpacked(3 * static_cast<size_t>(indexes.count));
  unpack_indexes(indexes, unpacked.data());
  int32_t most = 0;
  for (size_t i = 0; i < unpacked.size(); i += 3) most = std::max(most, unpacked[i]);
  return most + 1;
}

void merge_indexes(const std::vector<MergedPart> &parts, int32_t sequences, int32_t *out) {
  for (const MergedPart &part : parts) {
    const IndexesView &indexes = part.io->indexes;
    unpack_indexes(indexes, out);
    for (int32_t i = 0; i < indexes.count; i++, out += 3) {
      if (out[0] >= sequences)
        throw std::invalid_argument("the inputs of examples for " + std::string(part.io->name) +
                                    " have different numbers of sequences");
      out[0] += part.number * sequences;
    }
  }
}

bool all_sparse(const std::vector<MergedPart> &parts) {
  return std::all_of(parts.begin(), parts.end(), [](const MergedPart &part) { return part.io->features.kind == 'S'; });
}

void check_dimensions(const std::vector<MergedPart> &parts) {
  for (const MergedPart &part : parts)
    if (part.io->features.cols != parts[0].io->features.cols)
      throw std::invalid_argument("the inputs of examples for " + std::string(part.io->name) +
                                  " have different dimensions");
}

void merge_rows(const std::vector<MergedPart> &parts, float *out) {
  for (const MergedPart &part : parts) {
    const MatrixView &features = part.io->features;
    to_dense(features, out);
    out += static_cast<size_t>(features.rows) * features.cols;
  }
}

}  // namespace kaldi_bridge
