// Token passing that keeps the best path to each state only, for alignment.
//
// It follows Kaldi's FasterDecoder to the last tie: costs are in double precision, and of two ways to a state that cost the
// same the first one stays, in the order in which Kaldi's table of tokens goes through them. Such ties are common in the
// first passes of training, when states of silence are still alike or their transitions floored, and what they decide
// decides the next pass.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "flat_lattice.h"
#include "graph.h"
#include "search.h"

namespace kaldi_bridge {

// How many buckets the table of tokens has, and how many there are at least for each token of the frame before.
struct TableSize {
  size_t buckets = 1000;
  float ratio = 2.0f;
};

struct FoundPath {
  BestPath path;        // with an infinite cost where no token survived
  FlatLattice lattice;  // of that path alone, an arc for each step, epsilons included
  bool reached_final = false;
  size_t buckets = 0;  // of the table in the end
};

// Of scaled log-likelihoods [frames, pdfs], row after row. Of the options, the beam and the limits on tokens count.
FoundPath search_best_path(const Graph &graph, const SearchOptions &options, const float *log_likelihoods, int64_t frames,
                           int64_t pdfs, float scale, const TableSize &size);

class BestPathSearch;

// The same as frames come in (online2/online-nnet3-wake-word-faster-decoder.h).
class OnlineBestPathSearch {
 public:
  // The graph must outlive the search.
  OnlineBestPathSearch(const Graph &graph, const SearchOptions &options, float scale, const TableSize &size);
  ~OnlineBestPathSearch();

  void advance(const float *log_likelihoods, int64_t frames, int64_t pdfs);

  // Finds up to where all paths are the same. Whether that is beyond where they were at the last time but one that there was
  // such a place, as Kaldi has it.
  bool settle();
  std::vector<int32_t> settled_words() const;   // from that place on
  std::vector<int32_t> words_after_settled();  // of the best path, after where all are the same

  FoundPath best();

 private:
  std::unique_ptr<BestPathSearch> search_;
};

}  // namespace kaldi_bridge
