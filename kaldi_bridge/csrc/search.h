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

#include "graph.h"
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
  // How many frames at the end of that path have transition-ids that are marked; ``marked``: by transition-id.
  int64_t marked_at_end(const bool *marked, int64_t size) const;
  // The words of that path.
  std::vector<int32_t> best_words() const;
  // All paths so far, as if each could end here.
  SearchResult result_so_far();
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
