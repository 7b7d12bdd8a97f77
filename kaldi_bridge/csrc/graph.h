// What a search reads: a decoding graph, whose states may unfold on demand.

#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "packed_fst.h"

namespace kaldi_bridge {

// The arcs of a state: first those without input label, then the others, whose input labels are transition-ids.
struct GraphArcs {
  const FstArc *begin, *emitting, *end;
  bool has_epsilons() const { return begin != emitting; }
};

// The states as one search sees them; not to be shared by threads.
class GraphStates {
 public:
  virtual ~GraphStates() = default;
  virtual int32_t start() = 0;
  virtual float final(int32_t state) = 0;
  // Valid until `trim`.
  virtual GraphArcs arcs(int32_t state) = 0;
  // Frees what can be made again, if it has become much; the numbers of states stay.
  virtual void trim() {}
};

class Graph {
 public:
  virtual ~Graph() = default;
  // Of a new search; the graph must outlive them.
  virtual std::shared_ptr<GraphStates> states() const = 0;
  int32_t num_pdfs() const { return num_pdfs_; }
  // The pdf that each transition-id emits.
  const int32_t *pdfs() const { return pdfs_.data(); }

 protected:
  explicit Graph(std::vector<int32_t> pdfs) : pdfs_(std::move(pdfs)) {}

  // `num_pdfs` grows to hold its pdf. Throws std::invalid_argument when the label is no transition-id.
  void use(int32_t label);

  const std::vector<int32_t> pdfs_;
  int32_t num_pdfs_ = 0;  // one more than the largest on an arc
};

// A graph that is there as a whole. It looks at the FST's arrays, which it does not own, so that a large one is in memory once.
class StaticGraph : public Graph {
 public:
  // Orders `arcs`, those of the FST, as GraphArcs have them. `tid_to_pdf` is indexed by input label; -1: no transition-id.
  // Throws std::invalid_argument when something is out of range or there is a cycle of arcs without input labels.
  StaticGraph(const FstView &fst, FstArc *arcs, std::vector<int32_t> tid_to_pdf);

  std::shared_ptr<GraphStates> states() const override;

 private:
  friend class StaticStates;
  GraphArcs arcs(int32_t state) const {
    return {fst_.begin(state), fst_.begin(state) + epsilons_[state], fst_.end(state)};
  }
  void check_epsilon_cycles() const;

  const FstView fst_;
  std::vector<int32_t> epsilons_;  // of each state: its arcs without input label
};

}  // namespace kaldi_bridge
