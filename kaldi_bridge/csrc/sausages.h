// Minimum Bayes risk decoding (lat/sausages.cc; Xu, Povey, Mangu and Zhu, "Minimum Bayes Risk decoding and system
// combination based on a recursion for edit distance", 2011: the line numbers and names there are those below).
//
// R is a word sequence with an empty word (0) before, between and behind its words: r_1 ... r_Q. L(n, q) is the expected
// edit distance of the paths to state n from r_1 ... r_q; alpha' in the paper. Its derivatives, beta', say how probable
// it is that word s stands where r_q is: gamma(q, s). The best s of each q is the next R, until nothing changes.

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "flat_lattice.h"

namespace kaldi_bridge {

struct SausageOptions {
  bool decode = true;         // false: R stays, only confidences and times are made
  bool print_silence = false;  // keep empty words in the result
};

struct Sausages {
  using Times = std::pair<float, float>;  // in frames

  std::vector<int32_t> words;
  std::vector<Times> word_times;
  std::vector<float> confidences;
  std::vector<std::vector<std::pair<int32_t, float>>> bins;  // of each position: words and their probabilities
  std::vector<Times> bin_times;
  double risk = 0.0;  // the expected number of word errors
  std::vector<std::string> warnings;
};

// `lattice`: topologically numbered, with one final state, of no cost, the last one. `words`: R to begin with.
// Throws std::invalid_argument.
Sausages minimum_bayes_risk(const FlatCompactLattice &lattice, std::vector<int32_t> words, const SausageOptions &options);

}  // namespace kaldi_bridge
