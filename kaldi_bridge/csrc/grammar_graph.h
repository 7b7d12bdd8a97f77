// A decoding graph of several that lead into one another, which the search puts together as it goes (decoder/grammar-fst.h).
//
// An *instance* is a graph as it was entered from one place: it returns there. Where a state has the final cost kSpecialCost
// its arcs lead into another instance: each is joined with the arc of the same phone into that graph, or back into the
// caller's. Those arcs have a cost for choosing among phones, which is taken off, as the phone is known.

#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "graph.h"
#include "packed_fst.h"

namespace kaldi_bridge {

class GrammarGraph : public Graph {
 public:
  static constexpr float kSpecialCost = 4096.0f;
  static constexpr int32_t kFirstLabel = 10000000;  // labels from here on are pairs of a nonterminal and a phone
  enum Kind { kBegin = 1, kEnd, kReenter, kUserDefined };

  // `nonterminals[i]` leads into `others[i]`; the arrays are not copied. `offset`: the number of #nonterm_bos.
  // Throws std::invalid_argument where a label is neither a transition-id nor such a pair, or a graph has a cycle of arcs
  // without input labels.
  GrammarGraph(int32_t offset, const FstView &top, const std::vector<int32_t> &nonterminals,
               const std::vector<FstView> &others, const std::vector<int32_t> &tid_to_pdf);

  std::shared_ptr<GraphStates> states() const override;

 private:
  friend class GrammarStates;
  using Ways = std::unordered_map<int32_t, const FstArc *>;  // by phone

  void check(const FstView &fst);
  void check_cycles() const;
  // Throws std::invalid_argument where the label is not such a pair.
  std::pair<int32_t, int32_t> pair(int32_t label) const;
  Kind kind(int32_t nonterminal) const { return static_cast<Kind>(std::min(nonterminal - offset_, +kUserDefined)); }
  // The arcs of a state, all of which are to be of one kind.
  Ways ways(const FstView &fst, int32_t state, Kind expected) const;

  const int32_t offset_, multiple_;
  std::vector<FstView> parts_;                  // the top first
  std::unordered_map<int32_t, int32_t> part_of_;  // by nonterminal
};

}  // namespace kaldi_bridge
