// Token passing that keeps a lattice.
//
// For each frame there is a token for each graph state reached with a cost near the best; links join tokens along the arcs
// that were taken. A token's `extra` is how much worse than the best path the best path through it is, as far as is known
// (tokens of the newest frame count as the ends of best paths). Links whose extra cost exceeds the lattice beam cannot be in
// the lattice; every `prune_interval` frames they are dropped, and tokens without links with them. What is left at the end
// is the lattice.
//
// The search follows Kaldi's LatticeFasterDecoder: the same beams and limits mean the same here.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lattice.h"

namespace kaldi_bridge {

struct SearchOptions {
  float beam = 16.0f;
  int32_t max_active = std::numeric_limits<int32_t>::max();
  int32_t min_active = 200;
  float lattice_beam = 10.0f;
  int32_t prune_interval = 25;
  float beam_delta = 0.5f;
  float prune_scale = 0.1f;
};

// A decoding graph; per state first the arcs without input label, then the others, each with the pdf that it emits.
class Graph {
 public:
  struct Arc {
    int32_t tid, word, pdf;
    float cost;
    int32_t next;
  };

  // CSR arrays: arcs of state s are [offsets[s], offsets[s + 1]). `tid_to_pdf` is indexed by input label.
  // Throws std::invalid_argument when something is out of range or there is a cycle of arcs without input labels.
  Graph(int32_t start, const float *finals, const int64_t *offsets, size_t num_states, const int32_t *ilabels,
        const int32_t *olabels, const float *weights, const int32_t *nextstates, const std::vector<int32_t> &tid_to_pdf);

  int32_t start() const { return start_; }
  float final(int32_t state) const { return finals_[state]; }
  const Arc *begin(int32_t state) const { return arcs_.data() + offsets_[state].first; }
  const Arc *emitting(int32_t state) const { return arcs_.data() + offsets_[state].emitting; }
  const Arc *end(int32_t state) const { return arcs_.data() + offsets_[state + 1].first; }
  bool has_epsilons(int32_t state) const { return offsets_[state].first != offsets_[state].emitting; }
  int32_t num_pdfs() const { return num_pdfs_; }

 private:
  struct Offset {
    int64_t first, emitting;
  };
  void check_epsilon_cycles() const;

  int32_t start_, num_pdfs_ = 0;
  std::vector<float> finals_;
  std::vector<Offset> offsets_;
  std::vector<Arc> arcs_;
};

struct SearchResult {
  Lattice lattice;             // in topological order; empty when no token survived
  bool reached_final = false;  // otherwise every token of the last frame counts as final
};

// Searches the best paths for scaled log-likelihoods [frames, pdfs], row after row. Needs at least one frame.
SearchResult search(const Graph &graph, const SearchOptions &options, const float *log_likelihoods, int64_t frames,
                    int64_t pdfs, float scale);

// The same, a piece of the log-likelihoods after the other.
class Search;
class OnlineSearch {
 public:
  OnlineSearch(const Graph &graph, const SearchOptions &options, float scale);
  ~OnlineSearch();
  void advance(const float *log_likelihoods, int64_t frames, int64_t pdfs);
  int64_t num_frames() const;
  // How much more the best path to a final state costs than the best path; infinite where there is none.
  float final_relative_cost() const;
  // Of each frame, the transition-id of the best path so far, final or not, and the state of the graph it comes from.
  std::vector<std::pair<int32_t, int32_t>> best_alignment() const;
  // The end: nothing else may be called after it.
  SearchResult result();

 private:
  std::unique_ptr<Search> search_;
};

struct BestPath {
  std::vector<int32_t> words, tids;
  Cost cost = kNoCost;
};

// The best path of a lattice in topological order.
BestPath best_path(const Lattice &lattice);

}  // namespace kaldi_bridge
