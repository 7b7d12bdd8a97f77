// The body of OpenFst's binary files of type "vector": of FSTs and of both kinds of lattice, read piece by piece as the bytes
// come, and written.
//
// A state is its final weight, the number of its arcs (64 bits), and they. An arc is input label, output label, weight, next
// state. A weight is one number (a cost), two (graph and acoustic cost), or three (cost, begin, end), of 32 or 64 bits; in compact lattices a string
// of transition-ids follows it: their number, then they.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "flat_lattice.h"
#include "packed_fst.h"

namespace kaldi_bridge {

struct VectorLayout {
  int numbers;       // in a weight
  bool doubles;      // of 64 bits
  bool has_strings;  // compact lattices, which are acceptors: one label is kept of each arc
};

class VectorReader {
 public:
  // `num_states` is -1 where the file does not tell: they end with the input.
  VectorReader(VectorLayout layout, int64_t num_states) : layout_(layout), num_states_(num_states) {}

  // Takes what it can of the bytes; returns how many. Throws std::invalid_argument for a number that makes no sense.
  // Memory grows with the bytes that come, whatever the counts among them say.
  size_t feed(const char *data, size_t size);

  bool done() const { return arcs_left_ == 0 && num_states_ >= 0 && static_cast<int64_t>(offsets.size()) - 1 == num_states_; }
  bool between_states() const { return arcs_left_ == 0; }
  // Bytes that the next piece needs, as far as known.
  size_t wanted() const { return wanted_; }

  // Arcs as words of 32 bits: the labels (one in compact lattices), the numbers of the weight as float32, the next state.
  std::vector<uint32_t> arcs;
  std::vector<int64_t> offsets = {0};
  std::vector<float> finals;  // `layout.numbers` of each state
  std::vector<int64_t> arc_string_ends, final_string_ends;
  std::vector<int32_t> arc_strings, final_strings;

 private:
  size_t weight_size() const { return layout_.numbers * (layout_.doubles ? 8 : 4); }
  size_t arc_words() const { return layout_.has_strings ? 4 : 3 + layout_.numbers; }
  size_t take_state(const char *data, size_t size);
  size_t take_arcs(const char *data, size_t size);
  int64_t string_length(const char *data) const;

  VectorLayout layout_;
  int64_t num_states_, arcs_left_ = 0;
  size_t wanted_ = 0;
};

// Also of some states: offsets may begin anywhere among the arcs.
template <class Weight>
std::string vector_bytes(const WeightedFstView<Weight> &fst);
std::string vector_bytes(const FlatLattice &lattice);
std::string vector_bytes(const FlatCompactLattice &lattice);

}  // namespace kaldi_bridge
