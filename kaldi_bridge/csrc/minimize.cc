#include "minimize.h"

#include <stdexcept>
#include <tuple>
#include <unordered_map>

namespace kaldi_bridge {

namespace {

constexpr float kDelta = 1.0f / 1024;

void need_sorted(CompactLattice *lattice) {
  if (!is_sorted_topologically(*lattice) && !sort_topologically(lattice))
    throw std::invalid_argument(
        "the lattice has a cycle (empty words in the lexicon, or epsilon cycles in the language model?)");
}

size_t common_length(const std::vector<int32_t> &a, const std::vector<int32_t> &b) {
  const auto ends = std::mismatch(a.begin(), a.begin() + std::min(a.size(), b.size()), b.begin());
  return ends.first - a.begin();
}

size_t hash_of(const std::vector<int32_t> &ids) {
  size_t hash = 7853;
  for (const int32_t id : ids) hash = hash * 53281 + static_cast<size_t>(id);
  return hash;
}

class Minimizer {
 public:
  explicit Minimizer(CompactLattice *lattice) : lattice_(*lattice), merged_into_(lattice->size()) {}

  // From the last state to the first: what a state's arcs lead to has been merged by then.
  void run() {
    const size_t n = lattice_.size();
    std::vector<size_t> hashes(n);
    for (size_t s = n; s-- > 0;) hashes[s] = hash(lattice_[s], hashes);
    std::unordered_map<size_t, std::vector<int32_t>> alike;
    for (size_t s = 0; s < n; s++) {
      merged_into_[s] = static_cast<int32_t>(s);
      alike[hashes[s]].push_back(static_cast<int32_t>(s));
    }
    bool any = false;
    for (size_t s = n; s-- > 0;) {
      for (const int32_t other : alike[hashes[s]]) {
        if (static_cast<size_t>(other) <= s || merged_into_[other] != other || !same(s, other)) continue;
        merged_into_[s] = other;
        any = true;
        break;
      }
    }
    if (!any) return;
    for (CompactState &state : lattice_)
      for (CompactArc &arc : state.arcs) arc.next = merged_into_[arc.next];
    connect(&lattice_);
  }

 private:
  // Does not depend on the order of the arcs, nor on costs.
  size_t hash(const CompactState &state, const std::vector<size_t> &hashes) const {
    size_t sum = state.final.is_infinite() ? 33317 : 607 * hash_of(state.final_tids);
    for (const CompactArc &arc : state.arcs)
      sum += 1447 * (1 + static_cast<size_t>(arc.word)) * (1 + hash_of(arc.tids) * hashes[arc.next]);
    return sum;
  }

  std::vector<const CompactArc *> sorted_arcs(const CompactState &state) const {
    std::vector<const CompactArc *> arcs;
    for (const CompactArc &arc : state.arcs) arcs.push_back(&arc);
    std::sort(arcs.begin(), arcs.end(), [&](const CompactArc *a, const CompactArc *b) {
      return std::make_tuple(a->word, merged_into_[a->next]) < std::make_tuple(b->word, merged_into_[b->next]);
    });
    return arcs;
  }

  bool same(int32_t s, int32_t t) const {
    const CompactState &a = lattice_[s], &b = lattice_[t];
    if (!about_equal(a.final, b.final, kDelta) || a.final_tids != b.final_tids || a.arcs.size() != b.arcs.size()) return false;
    const auto x = sorted_arcs(a), y = sorted_arcs(b);
    return std::equal(x.begin(), x.end(), y.begin(), [&](const CompactArc *p, const CompactArc *q) {
      return p->word == q->word && merged_into_[p->next] == merged_into_[q->next] && p->tids == q->tids &&
             about_equal(p->cost, q->cost, kDelta);
    });
  }

  CompactLattice &lattice_;
  std::vector<int32_t> merged_into_;
};

}  // namespace

void push_strings(CompactLattice *lattice) {
  need_sorted(lattice);
  std::vector<std::vector<int32_t>> common(lattice->size());  // what all ways on from a state begin with
  for (size_t s = lattice->size(); s-- > 0;) {
    CompactState &state = (*lattice)[s];
    bool first = state.final.is_infinite();
    if (!first) common[s] = state.final_tids;
    for (CompactArc &arc : state.arcs) {
      arc.tids.insert(arc.tids.end(), common[arc.next].begin(), common[arc.next].end());
      if (first)
        common[s] = arc.tids;
      else
        common[s].resize(common_length(common[s], arc.tids));
      first = false;
    }
    if (s == 0) common[s].clear();
    const size_t length = common[s].size();
    if (!state.final.is_infinite()) state.final_tids.erase(state.final_tids.begin(), state.final_tids.begin() + length);
    for (CompactArc &arc : state.arcs) arc.tids.erase(arc.tids.begin(), arc.tids.begin() + length);
  }
}

void push_costs(CompactLattice *lattice) {
  need_sorted(lattice);
  if (lattice->empty()) return;
  std::vector<Cost> to_end(lattice->size());
  for (size_t s = lattice->size(); s-- > 0;) {
    to_end[s] = (*lattice)[s].final;
    for (const CompactArc &arc : (*lattice)[s].arcs) {
      const Cost cost = arc.cost + to_end[arc.next];
      if (better(cost, to_end[s])) to_end[s] = cost;
    }
  }
  to_end[0] = {};
  for (size_t s = 0; s < lattice->size(); s++) {
    if (to_end[s].is_infinite()) continue;
    CompactState &state = (*lattice)[s];
    for (CompactArc &arc : state.arcs)
      if (!to_end[arc.next].is_infinite()) arc.cost = arc.cost + (to_end[arc.next] - to_end[s]);
    if (!state.final.is_infinite()) state.final = state.final - to_end[s];
  }
}

void minimize(CompactLattice *lattice) {
  need_sorted(lattice);
  Minimizer(lattice).run();
}

}  // namespace kaldi_bridge
