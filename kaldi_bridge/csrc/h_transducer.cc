#include "h_transducer.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>

#include "epsilon_removal.h"
#include "mutable_fst.h"

namespace kaldi_bridge {
namespace {

std::string words(const std::vector<int32_t> &window) {
  std::string text;
  for (const int32_t phone : window) text += (text.empty() ? "" : " ") + std::to_string(phone);
  return text;
}

Hmm single_label(int32_t label) { return {0, {{{label, 0, 0.0f, 1}}, {}}, {kInfiniteCost, 0.0f}}; }

// Puts HMMs behind each other; all begin and end at state 0.
class Graph {
 public:
  // The arc that enters the HMM, without an output label. Where nothing else leads on from or back to its start, that
  // state is not needed.
  FstArc append(const Hmm &hmm) {
    const bool shared = hmm.arcs[hmm.start].size() == 1 && !leads_to(hmm, hmm.start) && !is_final(hmm, hmm.start);
    const int32_t states = static_cast<int32_t>(hmm.arcs.size()), first = static_cast<int32_t>(arcs_.size());
    const auto number = [&](int32_t s) { return first + s - (shared && s > hmm.start); };
    for (int32_t s = 0; s < states; s++) {
      if (shared && s == hmm.start) continue;
      std::vector<FstArc> &out = arcs_.emplace_back();
      for (const FstArc &arc : hmm.arcs[s]) out.push_back({arc.ilabel, 0, arc.weight, number(arc.nextstate)});
      if (is_final(hmm, s)) out.push_back({0, 0, hmm.finals[s], 0});
    }
    if (!shared) return {0, 0, 0.0f, number(hmm.start)};
    const FstArc &only = hmm.arcs[hmm.start][0];
    return {only.ilabel, 0, only.weight, number(only.nextstate)};
  }

  void add_to_start(const FstArc &arc) { arcs_[0].push_back(arc); }

  PackedFst packed() const {
    PackedFst fst;
    fst.start = 0;
    for (const std::vector<FstArc> &out : arcs_) {
      fst.arcs.insert(fst.arcs.end(), out.begin(), out.end());
      fst.end_state(fst.finals.empty() ? 0.0f : kNoEnd);
    }
    return fst;
  }

 private:
  static bool is_final(const Hmm &hmm, int32_t s) { return hmm.finals[s] != kInfiniteCost; }

  static bool leads_to(const Hmm &hmm, int32_t s) {
    for (const std::vector<FstArc> &out : hmm.arcs)
      for (const FstArc &arc : out)
        if (arc.nextstate == s) return true;
    return false;
  }

  std::vector<std::vector<FstArc>> arcs_{1};
};

int32_t label_of(const std::vector<int32_t> &pair, size_t number, const NonterminalLabels &known) {
  if (known.offset < 0 || pair.size() != 2)
    throw std::invalid_argument("label " + std::to_string(number) +
                                " is for a grammar of several graphs: give --nonterm-phones-offset");
  const int32_t nonterminal = -pair[0], phone = pair[1];
  if (nonterminal <= known.offset || phone <= 0 || phone > known.offset ||
      nonterminal > (INT32_MAX - known.first - phone) / known.multiple)
    throw std::invalid_argument("nonterminal " + std::to_string(nonterminal) + " and phone " + std::to_string(phone) +
                                " do not go with --nonterm-phones-offset=" + std::to_string(known.offset));
  return known.first + nonterminal * known.multiple + phone;
}

}  // namespace

Hmms::Hmms(DecisionTree tree, int32_t central, Topologies topologies, TransitionTable transitions, float scale)
    : tree_(std::move(tree)),
      central_(central),
      topologies_(std::move(topologies)),
      transitions_(std::move(transitions)),
      scale_(scale) {
  if (central < 0 || central >= tree_.width()) throw std::invalid_argument("the central phone is not in the window");
}

const Hmm &Hmms::of(const std::vector<int32_t> &window) {
  if (static_cast<int64_t>(window.size()) != tree_.width())
    throw std::invalid_argument("a window of " + std::to_string(window.size()) + " phones for a tree that has windows of " +
                                std::to_string(tree_.width()));
  const int32_t phone = window[central_];
  const auto entry = topologies_.entry_of_phone.find(phone);
  if (entry == topologies_.entry_of_phone.end())
    throw std::invalid_argument("the topology has no phone " + std::to_string(phone));
  int32_t classes = 0;
  for (const TopologyState &state : topologies_.entries.at(entry->second))
    classes = std::max({classes, state.forward_class + 1, state.loop_class + 1});
  key_.assign(1, phone);
  for (int32_t pdf_class = 0; pdf_class < classes; pdf_class++) {
    key_.push_back(tree_.answer(window.data(), pdf_class));
    if (key_.back() == DecisionTree::kNone)
      throw std::invalid_argument("the tree has no pdf for class " + std::to_string(pdf_class) +
                                  " of the middle phone in " + words(window) +
                                  ": a lang directory, topology or tree of another model?");
  }
  const auto known = made_.find(key_);
  return known != made_.end() ? known->second : made_.emplace(key_, made(topologies_.entries[entry->second])).first->second;
}

Hmm Hmms::made(const std::vector<TopologyState> &states) const {
  const int32_t phone = key_[0];
  MutableFst fst;
  for (size_t s = 0; s < states.size(); s++) fst.add_state();
  fst.set_start(0);
  fst.set_final(fst.num_states() - 1, 0.0f);
  for (int32_t s = 0; s < fst.num_states(); s++) {
    int32_t first_id = 0;
    if (states[s].forward_class != TopologyState::kNoPdf) {
      const std::array<int32_t, 4> wanted = {phone, s, key_.at(1 + states[s].forward_class), key_.at(1 + states[s].loop_class)};
      const auto found = std::lower_bound(transitions_.states.begin(), transitions_.states.end(), wanted);
      if (found == transitions_.states.end() || *found != wanted)
        throw std::invalid_argument("the model has no state " + std::to_string(s) + " of phone " + std::to_string(phone) +
                                    " with pdfs " + std::to_string(wanted[2]) + ", " + std::to_string(wanted[3]));
      first_id = transitions_.first_ids.at(found - transitions_.states.begin());
    }
    for (size_t i = 0; i < states[s].transitions.size(); i++) {
      const auto &[target, cost] = states[s].transitions[i];
      if (target < 0 || target >= fst.num_states()) throw std::invalid_argument("the topology leads to no state");
      const int32_t label = first_id > 0 ? first_id + static_cast<int32_t>(i) : 0;
      if (target != s) fst.add_arc(s, {label, label, label > 0 ? transitions_.costs.at(label) : cost, target});
    }
  }
  remove_epsilons_local(fst, {false, false});
  if (fst.start < 0) throw std::invalid_argument("the topology of phone " + std::to_string(phone) + " has no way through");
  for (float &cost : fst.finals)
    if (cost != kInfiniteCost) cost *= scale_;
  for (std::vector<FstArc> &out : fst.arcs)
    for (FstArc &arc : out) arc.weight *= scale_;
  return {fst.start, std::move(fst.arcs), std::move(fst.finals)};
}

HTransducer h_transducer(const std::vector<std::vector<int32_t>> &labels, Hmms *hmms, const NonterminalLabels &nonterminals) {
  Graph graph;
  HTransducer made;
  std::unordered_map<const Hmm *, FstArc> entries;
  for (size_t number = 0; number < labels.size(); number++) {
    const std::vector<int32_t> &meaning = labels[number];
    if (meaning.empty()) continue;
    FstArc arc;
    if (meaning.size() == 1 && meaning[0] <= 0) {
      made.disambig.push_back(hmms->num_transition_ids() + 1 + static_cast<int32_t>(made.disambig.size()));
      arc = graph.append(single_label(made.disambig.back()));
    } else if (meaning[0] < 0) {
      arc = graph.append(single_label(label_of(meaning, number, nonterminals)));
    } else {
      const Hmm &hmm = hmms->of(meaning);
      const auto [place, is_new] = entries.try_emplace(&hmm);
      if (is_new) place->second = graph.append(hmm);
      arc = place->second;
    }
    arc.olabel = static_cast<int32_t>(number);
    graph.add_to_start(arc);
  }
  made.fst = graph.packed();
  return made;
}

}  // namespace kaldi_bridge
