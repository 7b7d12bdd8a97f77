// A decoding graph that is composed, of a lexicon and a grammar, while it is searched (nnet3-latgen-faster-lookahead).

#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "lookahead.h"
#include "graph.h"

namespace kaldi_bridge {

// From transition-ids to words (HCLr.fst): with any number of grammars.
class SearchLexicon {
 public:
  // The arrays are not copied. `disambig`: input labels that are as good as none.
  // Throws std::invalid_argument when arcs are not sorted by output label, an input label is neither a transition-id nor
  // among those, or there is a cycle of arcs without labels.
  SearchLexicon(const FstView &fst, ReachableLabels reachable, const std::vector<int32_t> &tid_to_pdf,
                const std::vector<int32_t> &disambig);

  const FstView &fst() const { return fst_; }
  const ReachableLabels &reachable() const { return reachable_; }
  // Of an input label; -1: none, it is not searched for.
  int32_t pdf(int32_t label) const { return pdf_of_label_[label]; }
  const std::vector<int32_t> &pdfs() const { return pdf_of_label_; }
  int32_t num_pdfs() const { return num_pdfs_; }
  // Words on cycles that emit nothing: around them, a grammar must not go in a circle.
  const std::vector<int32_t> &words_on_cycles() const { return words_on_cycles_; }

 private:
  void find_cycles();

  const FstView fst_;
  const ReachableLabels reachable_;
  std::vector<int32_t> pdf_of_label_, words_on_cycles_;
  int32_t num_pdfs_ = 0;
};

class ComposedGraph : public Graph {
 public:
  // A search keeps no more than `kept_arcs` arcs, of 16 bytes each, from one frame to the next.
  // Throws std::invalid_argument where the graph has a cycle of arcs without input labels.
  ComposedGraph(const SearchLexicon &lexicon, Grammar grammar, size_t kept_arcs);
  ~ComposedGraph() override;

  // What one search unfolded is there for the next one, if it is not too much.
  std::shared_ptr<GraphStates> states() const override;

 private:
  friend class ComposedStates;
  const SearchLexicon &lexicon_;
  const Grammar grammar_;
  const size_t kept_arcs_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<class ComposedStates>> idle_;
};

}  // namespace kaldi_bridge
