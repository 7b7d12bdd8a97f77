#include "example_merging.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "compressed.h"

namespace kaldi_bridge {

namespace {

void write_rows(const MatrixView &view, float *out) {
  const size_t rows = view.rows, cols = view.cols;
  if (view.kind == 'F') {
    std::memcpy(out, view.data, view.size);
  } else if (view.kind == 'S') {
    std::fill(out, out + rows * cols, 0.0f);
    for (size_t r = 0; r < rows; r++)
      for (int32_t k = 0; k < view.sparse[r].count; k++) {
        const char *element = view.sparse[r].data + kSparseElement * k;
        out[r * cols + load<int32_t>(element + 1)] = load<float>(element + 6);
      }
  } else {
    const Compression form = view.kind == '1'   ? Compression::kColumns
                             : view.kind == '2' ? Compression::kTwoBytes
                                                : Compression::kOneByte;
    decompress(form, view.minimum, view.range, rows, cols, reinterpret_cast<const uint8_t *>(view.data), out);
  }
}

}  // namespace

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
    write_rows(features, out);
    out += static_cast<size_t>(features.rows) * features.cols;
  }
}

}  // namespace kaldi_bridge
