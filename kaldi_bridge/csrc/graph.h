// What a search reads: a decoding graph, whose states may unfold on demand.

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace kaldi_bridge {

struct GraphArc {
  int32_t tid, word, pdf;  // input label (a transition-id; 0: none), output label, and the pdf that it emits
  float cost;
  int32_t next;
};

// The arcs of a state: first those without input label, then the others.
struct GraphArcs {
  const GraphArc *begin, *emitting, *end;
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

 protected:
  // The pdf of an input label; `num_pdfs` grows to hold it. Throws std::invalid_argument when it is no transition-id.
  int32_t pdf_of(int32_t label, const std::vector<int32_t> &tid_to_pdf);

  int32_t num_pdfs_ = 0;
};

// A graph that is there as a whole.
class StaticGraph : public Graph {
 public:
  // CSR arrays: arcs of state s are [offsets[s], offsets[s + 1]). `tid_to_pdf` is indexed by input label.
  // Throws std::invalid_argument when something is out of range or there is a cycle of arcs without input labels.
  StaticGraph(int32_t start, const float *finals, const int64_t *offsets, size_t num_states, const int32_t *ilabels,
              const int32_t *olabels, const float *weights, const int32_t *nextstates,
              const std::vector<int32_t> &tid_to_pdf);

  std::shared_ptr<GraphStates> states() const override;

 private:
  friend class StaticStates;
  struct Offset {
    int64_t first, emitting;
  };
  GraphArcs arcs(int32_t state) const {
    const GraphArc *arcs = arcs_.data();
    return {arcs + offsets_[state].first, arcs + offsets_[state].emitting, arcs + offsets_[state + 1].first};
  }
  void check_epsilon_cycles() const;

  int32_t start_;
  std::vector<float> finals_;
  std::vector<Offset> offsets_;
  std::vector<GraphArc> arcs_;
};

}  // namespace kaldi_bridge
