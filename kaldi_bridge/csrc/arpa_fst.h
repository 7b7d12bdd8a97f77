// A backoff language model as an acceptor (lm/arpa-lm-compiler.cc). Each history that n-grams have is a state, and so is
// the empty one. An n-gram is an arc from its history to the longest known ending of history and word; a backoff an arc to
// the history without its first word.

#pragma once

#include <cstdint>

#include "arpa_parser.h"
#include "mutable_fst.h"

namespace kaldi_bridge {

struct ArpaSymbols {
  int32_t begin = 0, end = 0;  // <s> and </s>
  int32_t disambig = 0;        // on the input side of backoffs; then <s> and </s> are on no arc, and states that hold
                               // nothing but a backoff go. 0: none
};

// Throws std::invalid_argument as parse_arpa does, and where the result accepts nothing.
MutableFst compile_arpa(const ArpaOptions &options, const ArpaSymbols &symbols, ReadBlock read, SymbolTable *words,
                        const Message &info, const Message &warn);

}  // namespace kaldi_bridge
