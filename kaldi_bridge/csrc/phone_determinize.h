// Determinization of what the search leaves behind, in two passes: over phones and words, then over words alone.
//
// Both give what one pass over the words gives, but deep lattices, where many paths share their words, take less time and
// memory. After Kaldi's DeterminizeLatticePhonePrunedWrapper (lat/determinize-lattice-pruned.cc).

#pragma once

#include "determinize.h"

namespace kaldi_bridge {

struct PhoneDeterminizeOptions {
  double beam = 10.0;
  float delta = 1.0f / 1024;
  int32_t max_memory = 50000000;
  bool phones = true;
  bool words = true;  // false: the alternatives of words are kept
  bool minimize = false;
};

// Sorts a lattice topologically, and its arcs by word and transition-id, as the determinizations want it: where it is sorted already and not
// `always`, its states keep their order. Throws std::invalid_argument for a lattice with a cycle.
void prepare(bool always, Lattice *lattice);

// `phone_of` is indexed by transition-id: the phone that begins with it, or 0; empty: there is no pass over phones.
// The result has no useless states.
Determinized determinize_by_phones(Lattice lattice, const std::vector<int32_t> &phone_of,
                                   const PhoneDeterminizeOptions &options);

}  // namespace kaldi_bridge
