// Where the words of keywords may have been said (kwsbin/kws-search.cc): paths of an index (keyword_index.h) that read them.

#pragma once

#include <cstdint>
#include <vector>

#include "index_optimization.h"
#include "label_index.h"
#include "packed_fst.h"

namespace kaldi_bridge {

struct Occurrence {
  int32_t utterance;
  TimedWeight weight;
};

// With the input labels of its path.
struct MatchedPath {
  Occurrence occurrence;
  std::vector<int32_t> labels;
};

struct Found {
  bool any = false;                     // whether there is a path
  std::vector<Occurrence> occurrences;  // times of one utterance that overlap are one, with the best weight
  int32_t unexpected = 0;               // how many more did not end where the index ends
  std::vector<MatchedPath> paths;       // all of them, where they are wanted
};

class KeywordSearch {
 public:
  // The index has no cycle, and no negative labels.
  explicit KeywordSearch(KeywordIndex &&index);

  // Of an FST of words, whose costs count. `most`: only so many, the best ones; 0 or less: all. Throws
  // std::invalid_argument for one with a cycle of epsilons.
  Found find(const FstView &keyword, int32_t most, bool with_paths);

 private:
  void append_paths(const KeywordIndex &matched, std::vector<MatchedPath> *paths) const;
  std::vector<Occurrence> best_occurrences(const KeywordIndex &matched, int32_t most) const;
  Occurrence occurrence(int32_t label, const TimedWeight &weight) const;

  PairedLabels ends_;  // input and output labels of last arcs, in whose place output labels are their numbers
  KeywordIndex index_;
  LabelIndex<TimedWeight> inputs_;
};

}  // namespace kaldi_bridge
