#include "lattice_properties.h"

#include "fst_property_bits.h"

namespace kaldi_bridge {

using namespace fst_property;

uint64_t tested_properties(const FlatLattice &lattice) {
  const int32_t states = lattice.num_states();
  bool acceptor = true, epsilons = false, input_epsilons = false, output_epsilons = false;
  bool input_sorted = true, output_sorted = true, weighted = false, is_string = true;
  for (int32_t s = 0; s < states; s++) {
    const FlatArc *before = nullptr;
    for (const FlatArc &arc : arcs_of(lattice, s)) {
      acceptor = acceptor && arc.ilabel == arc.olabel;
      epsilons = epsilons || (arc.ilabel == 0 && arc.olabel == 0);
      input_epsilons = input_epsilons || arc.ilabel == 0;
      output_epsilons = output_epsilons || arc.olabel == 0;
      input_sorted = input_sorted && (before == nullptr || before->ilabel <= arc.ilabel);
      output_sorted = output_sorted && (before == nullptr || before->olabel <= arc.olabel);
      weighted = weighted || arc.graph != 0.0f || arc.acoustic != 0.0f;
      is_string = is_string && before == nullptr && arc.nextstate == s + 1;
      before = &arc;
    }
    const Weight &final = lattice.finals[s];
    weighted = weighted || (is_final(final) && (final.graph != 0.0f || final.acoustic != 0.0f));
    const bool is_last = s == states - 1;
    is_string = is_string && is_final(final) == is_last && (before == nullptr) == is_last;
  }
  const auto bit = [](int property, bool is) { return is ? yes(property) : no(property); };
  return kExpandedAndMutable | yes(kTopSorted) | bit(kAcceptor, acceptor) | bit(kEpsilons, epsilons) |
         bit(kInputEpsilons, input_epsilons) | bit(kOutputEpsilons, output_epsilons) | bit(kInputSorted, input_sorted) |
         bit(kOutputSorted, output_sorted) | bit(kWeighted, weighted) | bit(kString, is_string);
}

}  // namespace kaldi_bridge
