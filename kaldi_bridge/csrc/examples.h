// Training examples in the binary form that Kaldi writes today (nnet3/nnet-example.cc, nnet-chain-example.cc,
// nnet-discriminative-example.cc), read where they lie in a buffer. Whatever has another form (text, older versions, double precision) or is damaged is left
// to the readers in Python, which know all forms and say what is wrong.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cursor.h"
#include "flat_lattice.h"
#include "general_matrix.h"

namespace kaldi_bridge {

// In lists of indexes: what stands before one that is written whole; steps of t smaller than this are one byte.
constexpr int kWholeIndex = 127, kNearStep = 125;

struct IndexesView {
  const char *data;  // steps of t of one byte each, and indexes written whole
  size_t size;
  int32_t count;
};

struct IoView {
  std::string_view name;
  IndexesView indexes;
  MatrixView features;
};

// A compact acceptor: per state the position of its elements (label, cost, next state), that of a final cost first.
struct CompactFstView {
  uint64_t properties;
  int32_t start, states, arcs;
  const char *positions, *elements;
};

// A lattice as OpenFst's type "vector" has it: of each state its final costs, the number of its arcs, and they.
struct LatticeView {
  const char *properties;  // 64 bits
  int32_t start, states;
  int64_t arcs;
  const char *body;
};

struct OutputView {
  std::string_view name;
  IndexesView indexes;
  float weight;
  int32_t sequences, frames, label_dim;
  bool e2e;
  std::vector<CompactFstView> fsts;
  LatticeView lattice;     // for discriminative training
  const char *alignment;   // of pdfs, or transition-ids for discriminative training
  int32_t num_aligned;
  const char *deriv_weights;  // float32, or bytes for discriminative training
  int32_t num_deriv_weights;
};

// `token`: what it begins with. A plain one, "<Nnet3Eg>", has `inputs` only.
struct ExampleView {
  std::string_view token;
  std::vector<IoView> inputs;
  std::vector<OutputView> outputs;
  size_t size;  // in bytes
};

// The example that starts at `data`, after its binary marker. Throws Incomplete or OtherForm; reads nothing at or
// beyond data + size, whatever lengths the bytes claim.
ExampleView parse_example(const char *data, size_t size);

FlatLattice lattice_of(const LatticeView &view);

// The supervision of a chain output, from its own token on. Throws Incomplete or OtherForm.
void parse_supervision(Cursor &in, OutputView *out);

// Indexes (n, t, x), three numbers each, to `out`.
void unpack_indexes(const IndexesView &indexes, int32_t *out);
// Appends the binary form of `count` indexes to `out`, at most 16 bytes each; returns its end.
char *pack_indexes(const int32_t *indexes, size_t count, char *out);

// The same bytes, but for the times of the example that starts at `begin`: inputs other than i-vectors are `shift` frames
// later, outputs by the nearest multiple of the distance of their frames; those of a plain example like inputs. Throws
// std::invalid_argument where that distance is not known.
std::string shifted(std::string_view bytes, size_t begin, int32_t shift);

}  // namespace kaldi_bridge
