// H: from transition-ids to phones in context, without self-loops (hmm/hmm-utils.cc, GetHTransducer).

#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "decision_tree.h"
#include "packed_fst.h"

namespace kaldi_bridge {

struct TopologyState {
  static constexpr int32_t kNoPdf = -1;

  int32_t forward_class, loop_class;  // of pdfs
  struct Transition {
    int32_t target;
    float cost;
  };
  std::vector<Transition> transitions;
};

struct Topologies {
  std::vector<std::vector<TopologyState>> entries;
  std::map<int32_t, int32_t> entry_of_phone;
};

// Transition states are (phone, state of its HMM, forward pdf, self-loop's pdf), sorted, and numbered from 1 on.
struct TransitionTable {
  std::vector<std::array<int32_t, 4>> states;
  std::vector<int32_t> first_ids;  // by transition state; 0 for none
  std::vector<float> costs;        // by transition-id, of those that are no self-loops, given that there is none
};

// The states of an HMM without self-loops. The output labels of its arcs are 0.
struct Hmm {
  int32_t start = 0;
  std::vector<std::vector<FstArc>> arcs;  // by state
  std::vector<float> finals;
};

// The HMMs of windows of phones; windows with the same phone and pdfs share one.
class Hmms {
 public:
  // `scale`: of the costs of transitions.
  Hmms(DecisionTree tree, int32_t central, Topologies topologies, TransitionTable transitions, float scale);

  int32_t num_transition_ids() const { return static_cast<int32_t>(transitions_.costs.size()) - 1; }

  // Throws std::invalid_argument where tree, topology, transitions and window do not belong together.
  const Hmm &of(const std::vector<int32_t> &window);

 private:
  Hmm made(const std::vector<TopologyState> &states) const;  // of key_

  const DecisionTree tree_;
  const int32_t central_;
  const Topologies topologies_;
  const TransitionTable transitions_;
  const float scale_;
  std::vector<int32_t> key_;                  // a phone, and its pdfs by class
  std::map<std::vector<int32_t>, Hmm> made_;  // by such keys
};

// Labels of pairs of a nonterminal and a phone, for grammars of several graphs (graphs/nonterminals.py).
struct NonterminalLabels {
  int32_t offset = -1;  // the number of #nonterm_bos; -1: there are none
  int32_t first = 0, multiple = 0;
};

struct HTransducer {
  PackedFst fst;
  std::vector<int32_t> disambig;  // input labels
};

// `labels`: what each output label means: nothing; {-d}, a disambiguation symbol; {-n, phone}, a nonterminal; or a window.
HTransducer h_transducer(const std::vector<std::vector<int32_t>> &labels, Hmms *hmms, const NonterminalLabels &nonterminals);

}  // namespace kaldi_bridge
