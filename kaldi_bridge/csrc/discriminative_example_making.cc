#include "discriminative_example_making.h"

#include <stdexcept>

#include "example_making.h"
#include "fst_header.h"
#include "vector_fst.h"

namespace kaldi_bridge {

LatticePart DiscriminativeTargets::part(int32_t first, int32_t count, bool normalize) const {
  const int64_t end = int64_t{first} + count;
  if (first < 0 || count <= 0 || end > static_cast<int64_t>(alignment.size()))
    throw std::invalid_argument("the supervision has no frames " + std::to_string(first) + " to " + std::to_string(end - 1));
  return lattice.part(first, static_cast<int32_t>(end), normalize);
}

void append_discriminative_output(const DiscriminativeTargets &targets, const LatticePart &part, int32_t first, int32_t factor,
                                  const std::vector<float> &weights, std::string *out) {
  constexpr double kLevels = 255.0;  // of weights of derivatives, which are bytes on file
  const int32_t count = static_cast<int32_t>(weights.size());
  out->append("<NnetDiscriminativeSup> output ");
  append_indexes(0, factor, count, out);
  out->append("<DiscriminativeSupervision> ");
  append_one_sequence(targets.weight, count, out);
  out->append("<NumAli> ");
  append_basic(count, out);
  for (int32_t i = 0; i < count; i++) append_raw(targets.alignment[first + i], out);
  out->append("<DenLat> ");
  append_header({"vector", "lattice4", part.properties, part.lattice.start, part.lattice.num_states(), 0}, out);
  out->append(vector_bytes(part.lattice));
  out->append("</DiscriminativeSupervision> <DW> ");
  out->push_back(1);  // the size of a weight
  append_raw(count, out);
  for (const float weight : weights) out->push_back(static_cast<char>(static_cast<uint8_t>(kLevels * weight + 0.5)));
  out->append("</NnetDiscriminativeSup> ");
}

}  // namespace kaldi_bridge
