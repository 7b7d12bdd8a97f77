#include "chain_example_making.h"

#include "acceptors.h"
#include "example_making.h"
#include "fst_header.h"

namespace kaldi_bridge {

namespace {

PackedFst packed(const Acceptor &a) {
  PackedFst made;
  made.start = a.start;
  for (int32_t s = 0; s < a.num_states(); s++) {
    for (const AcceptorArc &arc : a.arcs[s]) made.arcs.push_back({arc.label, arc.label, static_cast<float>(arc.cost), arc.next});
    made.end_state(static_cast<float>(a.finals[s]));
  }
  return made;
}

// As OpenFst's type compact_acceptor.
void append_fst(const PackedFst &fst, std::string *out) {
  append_header({"compact_acceptor", "standard", properties(fst.view()), fst.start, fst.num_states(),
                 static_cast<int64_t>(fst.arcs.size())},
                out);
  const CompactFst body = compact(fst.view());
  append_all(body.positions, out);
  append_all(body.elements, out);
}

}  // namespace

void append_chain_output(const ChainTargets &targets, const Chunk &chunk, int32_t factor, const std::vector<float> &weights,
                         std::string *out) {
  const int32_t first = chunk.first_frame / factor, count = static_cast<int32_t>(weights.size());
  out->append("<NnetChainSup> output ");
  append_indexes(0, factor, count, out);
  out->append("<Supervision> ");
  append_one_sequence(targets.weight, count, out);
  out->append("<LabelDim> ");
  append_basic(targets.label_dim, out);
  out->append("<End2End> F");
  append_fst(packed(part_in_time(targets.graph, targets.times, first, first + count)), out);
  out->append("</Supervision> <DW2> FV ");
  append_basic(count, out);
  append_all(weights, out);
  out->append("</NnetChainSup> ");
}

}  // namespace kaldi_bridge
