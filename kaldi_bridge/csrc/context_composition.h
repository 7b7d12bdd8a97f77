// Phones in context: a transducer with windows of phones in the place of the phones that it reads, with the states and arcs
// of Kaldi's fstcomposecontext in the same order (fstext/context-fst.h).

#pragma once

#include <cstdint>
#include <vector>

#include "packed_fst.h"

namespace kaldi_bridge {

struct InContext {
  PackedFst fst;
  // What input labels mean: nothing (number 0); {0}, a disambiguation symbol of its own, before there is a phone to say;
  // {-d}, the disambiguation symbol d; or a window of phones, 0 where there is none.
  std::vector<std::vector<int32_t>> labels;
};

// Windows of `width` phones, of which number `central`, less than it, is said. `end_symbol`: larger than all others, and read
// for each phone that does not come any more; 0: it is not in the FST, whose ends read it as often as it takes.
InContext in_context(const FstView &fst, const std::vector<int32_t> &disambig, int32_t width, int32_t central,
                     int32_t end_symbol);

}  // namespace kaldi_bridge
