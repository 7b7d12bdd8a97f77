// What OpenFst's headers say about a transducer that was made step by step (fst/properties.h): each step keeps those of
// its properties that it cannot have changed, so that many end as unknown. Files are only equal to the byte where these
// are.

#pragma once

#include <cstdint>

#include "fst_arc.h"

namespace kaldi_bridge {

class FstProperties {
 public:
  uint64_t bits() const { return bits_; }

  void start_set();
  void final_set(float old_cost, float new_cost);
  void state_added();
  void arc_added(int32_t state, const FstArc &arc, const FstArc *arc_before);  // of the same state; null: the first one
  void arc_changed(const FstArc &old_arc, const FstArc &new_arc);
  void connected();
  void arcs_sorted_by_input();

 private:
  uint64_t bits_ = initial();

  static uint64_t initial();
};

// After the states of any FST were sorted topologically (fst/topsort.h).
uint64_t topologically_sorted(uint64_t bits);

}  // namespace kaldi_bridge
