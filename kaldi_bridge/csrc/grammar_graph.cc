#include "grammar_graph.h"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "components.h"
#include "unfolded_arcs.h"

namespace kaldi_bridge {

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr int32_t kMedium = 1000;
constexpr size_t kMostInstances = 1 << 18;

}  // namespace

GrammarGraph::GrammarGraph(int32_t offset, const FstView &top, const std::vector<int32_t> &nonterminals,
                           const std::vector<FstView> &others, const std::vector<int32_t> &tid_to_pdf)
    : Graph(tid_to_pdf), offset_(offset), multiple_(kMedium * ((offset + kMedium) / kMedium)), parts_{top} {
  if (nonterminals.size() != others.size()) throw std::invalid_argument("each nonterminal must have one graph");
  check(top);
  for (size_t i = 0; i < others.size(); i++) {
    check(others[i]);
    part_of_[nonterminals[i]] = static_cast<int32_t>(parts_.size());
    parts_.push_back(others[i]);
  }
  check_cycles();
}

void GrammarGraph::check(const FstView &fst) {
  for (int64_t i = 0; i < fst.offsets[fst.num_states]; i++) {
    const FstArc &arc = fst.arcs[i];
    if (std::isnan(arc.weight)) throw std::invalid_argument("the graph has a cost that is not a number");
    if (arc.ilabel >= kFirstLabel)
      pair(arc.ilabel);
    else if (arc.ilabel != 0)
      use(arc.ilabel);
  }
}

// Whatever the phones are: where nothing is emitted on a way through a graph, its caller may go on at once.
void GrammarGraph::check_cycles() const {
  std::vector<bool> may_be_empty(parts_.size(), false);
  const auto silent_arcs = [&](const FstView &fst, std::vector<int64_t> *offsets, std::vector<int32_t> *targets) {
    std::vector<bool> ends(fst.num_states, false);
    for (int32_t s = 0; s < fst.num_states; s++) {
      for (int64_t i = fst.offsets[s]; i < fst.offsets[s + 1]; i++) {
        const FstArc &arc = fst.arcs[i];
        const int32_t nonterminal = arc.ilabel >= kFirstLabel ? pair(arc.ilabel).first : 0;
        if (arc.ilabel == 0 || (nonterminal != 0 && kind(nonterminal) == kBegin)) targets->push_back(arc.nextstate);
        if (nonterminal == 0) continue;
        if (kind(nonterminal) == kEnd) ends[s] = true;
        const auto part = part_of_.find(nonterminal);
        if (part == part_of_.end() || !may_be_empty[part->second]) continue;
        for (int64_t k = fst.offsets[arc.nextstate]; k < fst.offsets[arc.nextstate + 1]; k++)
          targets->push_back(fst.arcs[k].nextstate);
      }
      offsets->push_back(static_cast<int64_t>(targets->size()));
    }
    return ends;
  };
  const auto reaches_end = [&](const FstView &fst) {
    std::vector<int64_t> offsets{0};
    std::vector<int32_t> targets, waiting{fst.start};
    const std::vector<bool> ends = silent_arcs(fst, &offsets, &targets);
    std::vector<bool> seen(fst.num_states, false);
    seen[fst.start] = true;
    while (!waiting.empty()) {
      const int32_t s = waiting.back();
      waiting.pop_back();
      if (ends[s]) return true;
      for (int64_t i = offsets[s]; i < offsets[s + 1]; i++)
        if (!seen[targets[i]]) {
          seen[targets[i]] = true;
          waiting.push_back(targets[i]);
        }
    }
    return false;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t part = 1; part < parts_.size(); part++)
      if (!may_be_empty[part] && parts_[part].start >= 0 && reaches_end(parts_[part]))
        may_be_empty[part] = changed = true;
  }
  for (const FstView &fst : parts_) {
    std::vector<int64_t> offsets{0};
    std::vector<int32_t> targets;
    silent_arcs(fst, &offsets, &targets);
    if (Components(fst.start, fst.num_states, offsets.data(), [&](int64_t arc) { return targets[arc]; },
                   [](int32_t) { return true; }).cyclic)
      throw std::invalid_argument(
          "the graph has a cycle of arcs without input labels (or of nonterminals that may be empty), which is not allowed");
  }
}

std::pair<int32_t, int32_t> GrammarGraph::pair(int32_t label) const {
  const int32_t nonterminal = (label - kFirstLabel) / multiple_, phone = (label - kFirstLabel) % multiple_;
  if (nonterminal <= offset_ || phone == 0 || phone > offset_)
    throw std::invalid_argument("label " + std::to_string(label) + " does not go with the number of #nonterm_bos, " +
                                std::to_string(offset_));
  return {nonterminal, phone};
}

GrammarGraph::Ways GrammarGraph::ways(const FstView &fst, int32_t state, Kind expected) const {
  Ways found;
  for (int64_t i = fst.offsets[state]; i < fst.offsets[state + 1]; i++) {
    const FstArc &arc = fst.arcs[i];
    if (arc.ilabel < kFirstLabel)
      throw std::invalid_argument(
          "a graph lacks #nonterm_begin and #nonterm_end, or a nonterminal lacks #nonterm_reenter: was it prepared by "
          "make-grammar-fst?");
    const auto [nonterminal, phone] = pair(arc.ilabel);
    if (kind(nonterminal) != expected || !found.emplace(phone, &arc).second)
      throw std::invalid_argument("nonterminal " + std::to_string(nonterminal) + " with phone " + std::to_string(phone) +
                                  " is not expected on a way into a graph");
  }
  return found;
}

// States are numbered as they come up.
class GrammarStates final : public GraphStates {
 public:
  explicit GrammarStates(const GrammarGraph &graph) : graph_(graph), instances_(1) {
    start_ = part(0).start < 0 ? -1 : number(0, part(0).start);
  }

  int32_t start() override { return start_; }

  float final(int32_t state) override {
    const Place &place = places_[state];
    if (place.instance != 0) return kInf;
    const float cost = part(0).finals[place.state];
    return cost == GrammarGraph::kSpecialCost ? kInf : cost;
  }

  GraphArcs arcs(int32_t state) override {
    if (!unfolded_.has(state)) unfold(state);
    return unfolded_.of(state);
  }

  void trim() override { unfolded_.trim(); }

 private:
  struct Place {
    int32_t instance, state;
  };
  struct Instance {
    int32_t part = 0, parent = -1;
    GrammarGraph::Ways ways_back;
    std::unordered_map<int64_t, int32_t> children;  // by nonterminal and the state to return to
  };

  const FstView &part(int32_t instance) const { return graph_.parts_[instances_[instance].part]; }

  static int64_t key(int32_t high, int32_t low) { return static_cast<int64_t>(high) << 32 | static_cast<uint32_t>(low); }

  int32_t number(int32_t instance, int32_t state) {
    const auto found = numbers_.emplace(key(instance, state), static_cast<int32_t>(places_.size()));
    if (found.second) places_.push_back({instance, state});
    return found.first->second;
  }

  void unfold(int32_t state) {
    const Place place = places_[state];
    const FstView &fst = part(place.instance);
    made_.clear();
    const bool leaves = fst.finals[place.state] == GrammarGraph::kSpecialCost;
    for (int64_t i = fst.offsets[place.state]; i < fst.offsets[place.state + 1]; i++) {
      const FstArc &arc = fst.arcs[i];
      if (arc.weight == kInf) continue;
      if ((arc.ilabel >= GrammarGraph::kFirstLabel) != leaves)
        throw std::invalid_argument("a nonterminal stands where none is expected: was the graph prepared by make-grammar-fst?");
      if (leaves)
        leave(place.instance, arc);
      else
        made_.push_back({arc.ilabel, arc.olabel, arc.weight, number(place.instance, arc.nextstate)});
    }
    unfolded_.add(state, made_);
  }

  // The arc that leads out of an instance, joined with the one into the next.
  void leave(int32_t instance, const FstArc &arc) {
    const auto [nonterminal, phone] = graph_.pair(arc.ilabel);
    const GrammarGraph::Kind kind = graph_.kind(nonterminal);
    if (kind == GrammarGraph::kEnd) {
      if (instances_[instance].parent < 0) throw std::invalid_argument("#nonterm_end is in the top graph");
      join(arc, phone, instances_[instance].ways_back, instances_[instance].parent);
    } else if (kind == GrammarGraph::kUserDefined) {
      const int32_t child = child_of(instance, nonterminal, arc.nextstate);
      if (part(child).num_states > 0) join(arc, phone, ways_into(instances_[child].part), child);
    } else {
      throw std::invalid_argument("#nonterm_begin or #nonterm_reenter stands where a graph is left");
    }
  }

  void join(const FstArc &leaving, int32_t phone, const GrammarGraph::Ways &ways, int32_t instance) {
    const auto way = ways.find(phone);
    if (way == ways.end())
      throw std::invalid_argument("a graph has no way in, or back in, with phone " + std::to_string(phone) + " before it");
    const FstArc &arriving = *way->second;
    const float choice = -std::log(static_cast<float>(ways.size()));
    made_.push_back({0, arriving.olabel, choice + leaving.weight + arriving.weight, number(instance, arriving.nextstate)});
  }

  int32_t child_of(int32_t instance, int32_t nonterminal, int32_t back) {
    const auto found = instances_[instance].children.emplace(key(nonterminal, back), static_cast<int32_t>(instances_.size()));
    const int32_t child = found.first->second;
    if (!found.second) return child;
    const auto part_of = graph_.part_of_.find(nonterminal);
    if (part_of == graph_.part_of_.end())
      throw std::invalid_argument("nonterminal " + std::to_string(nonterminal) + " was requested, but there is no FST for it");
    if (instances_.size() >= kMostInstances)
      throw std::invalid_argument("the graphs of the grammar lead into each other without end");
    GrammarGraph::Ways back_in = graph_.ways(part(instance), back, GrammarGraph::kReenter);
    instances_.push_back({part_of->second, instance, std::move(back_in), {}});
    return child;
  }

  const GrammarGraph::Ways &ways_into(int32_t part) {
    const auto found = ways_into_.emplace(part, GrammarGraph::Ways());
    if (found.second) {
      const FstView &fst = graph_.parts_[part];
      found.first->second = graph_.ways(fst, fst.start, GrammarGraph::kBegin);
    }
    return found.first->second;
  }

  const GrammarGraph &graph_;
  int32_t start_;
  std::vector<Instance> instances_;
  std::vector<Place> places_;  // by number
  std::unordered_map<int64_t, int32_t> numbers_;
  std::unordered_map<int32_t, GrammarGraph::Ways> ways_into_;  // by part
  UnfoldedArcs unfolded_;
  std::vector<FstArc> made_;
};

std::shared_ptr<GraphStates> GrammarGraph::states() const { return std::make_shared<GrammarStates>(*this); }

}  // namespace kaldi_bridge
