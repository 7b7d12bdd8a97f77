#include "keyword_search.h"

#include <algorithm>
#include <queue>
#include <unordered_map>
#include <utility>

#include "semirings.h"
#include "table_composition.h"

namespace kaldi_bridge {

namespace {

// What tells occurrences apart goes from the input of last arcs to their output.
KeywordIndex with_numbered_ends(KeywordIndex &&index, PairedLabels *ends) {
  for (IndexArc &arc : index.arcs)
    if (!is_no_end(index.finals[arc.nextstate])) arc = {0, ends->number(arc.ilabel, arc.olabel), arc.weight, arc.nextstate};
  for (int32_t s = 0; s < index.num_states(); s++)
    std::sort(index.arcs.begin() + index.offsets[s], index.arcs.begin() + index.offsets[s + 1], by_input<IndexArc>);
  return std::move(index);
}

// Its costs are those of the index's kind of weight.
KeywordIndex weighted(const FstView &keyword) {
  KeywordIndex made;
  made.start = keyword.start;
  for (int32_t s = 0; s < keyword.num_states; s++) {
    for (const FstArc *arc = keyword.begin(s); arc != keyword.end(s); arc++)
      made.arcs.push_back({arc->ilabel, arc->olabel, {arc->weight, 0.0f, 0.0f}, arc->nextstate});
    made.end_state(is_no_end(keyword.finals[s]) ? IndexSemiring::zero() : TimedWeight{keyword.finals[s], 0.0f, 0.0f});
  }
  return made;
}

bool is_sorted_by_output(const KeywordIndex &fst) {
  for (int32_t s = 0; s < fst.num_states(); s++)
    if (!std::is_sorted(fst.arcs.begin() + fst.offsets[s], fst.arcs.begin() + fst.offsets[s + 1],
                        [](const IndexArc &a, const IndexArc &b) { return a.olabel < b.olabel; }))
      return false;
  return true;
}

bool has_label(const IndexArc &arc) { return arc.ilabel != 0 || arc.olabel != 0; }

// Without states that only lead on to others: the arcs with a label that can be reached from a state by epsilons, those to
// the same state with the same label as one; and the best way to an end (fst/rmepsilon.h).
struct WithoutEpsilons {
  std::vector<IndexArc> arcs;
  TimedWeight final = IndexSemiring::zero();

  // The FST has no cycle.
  WithoutEpsilons(const KeywordIndex &fst, int32_t source) {
    const std::vector<std::pair<int32_t, TimedWeight>> reached = by_epsilons(fst, source);
    std::unordered_map<uint64_t, size_t> places;  // in arcs, by label and next state
    for (const auto &[state, distance] : reached) {
      for (int64_t i = fst.offsets[state]; i < fst.offsets[state + 1]; i++) {
        IndexArc arc = fst.arcs[i];
        if (!has_label(arc)) continue;
        arc.weight = distance + arc.weight;
        const uint64_t key = static_cast<uint64_t>(arc.olabel) << 32 | static_cast<uint32_t>(arc.nextstate);
        const auto [place, is_new] = places.emplace(key, arcs.size());
        if (is_new)
          arcs.push_back(arc);
        else
          arcs[place->second].weight = IndexSemiring::plus(arcs[place->second].weight, arc.weight);
      }
      if (!is_no_end(fst.finals[state])) final = IndexSemiring::plus(final, distance + fst.finals[state]);
    }
    std::reverse(arcs.begin(), arcs.end());
  }

 private:
  // In the order in which OpenFst comes by them, with the best way to each.
  static std::vector<std::pair<int32_t, TimedWeight>> by_epsilons(const KeywordIndex &fst, int32_t source) {
    std::unordered_map<int32_t, size_t> places;
    std::vector<std::pair<int32_t, TimedWeight>> reached;
    std::vector<int32_t> waiting = {source};
    while (!waiting.empty()) {
      const int32_t state = waiting.back();
      waiting.pop_back();
      if (!places.emplace(state, reached.size()).second) continue;
      reached.push_back({state, state == source ? IndexSemiring::one() : IndexSemiring::zero()});
      for_each_epsilon(fst, state, [&](const IndexArc &arc) {
        if (!places.count(arc.nextstate)) waiting.push_back(arc.nextstate);
      });
    }
    std::unordered_map<int32_t, int32_t> into;  // epsilons that have not been gone along
    for (const auto &entry : reached)
      for_each_epsilon(fst, entry.first, [&](const IndexArc &arc) { into[arc.nextstate]++; });
    waiting.push_back(source);
    while (!waiting.empty()) {
      const auto [state, distance] = reached[places[waiting.back()]];
      waiting.pop_back();
      for_each_epsilon(fst, state, [&, from = distance](const IndexArc &arc) {
        TimedWeight &best = reached[places[arc.nextstate]].second;
        best = IndexSemiring::plus(best, from + arc.weight);
        if (--into[arc.nextstate] == 0) waiting.push_back(arc.nextstate);
      });
    }
    return reached;
  }

  template <class F>
  static void for_each_epsilon(const KeywordIndex &fst, int32_t state, F f) {
    for (int64_t i = fst.offsets[state]; i < fst.offsets[state + 1]; i++)
      if (!has_label(fst.arcs[i])) f(fst.arcs[i]);
  }
};

}  // namespace

KeywordSearch::KeywordSearch(KeywordIndex &&index)
    : index_(with_numbered_ends(std::move(index), &ends_)), inputs_(index_.view(), &IndexArc::ilabel) {}

Found KeywordSearch::find(const FstView &keyword, int32_t most, bool with_paths) {
  Found found;
  const KeywordIndex words = weighted(keyword);
  const Searched searched = is_sorted_by_output(words) ? Searched::kOneWithMoreArcs : Searched::kSecond;
  const KeywordIndex paths = composed(words.view(), &inputs_, searched);
  KeywordIndex matched = paths;
  for (IndexArc &arc : matched.arcs) arc.ilabel = arc.olabel;
  matched = minimized(std::move(matched));
  if (matched.start < 0) return found;
  found.any = true;
  if (with_paths) append_paths(paths, &found.paths);
  if (most > 0) {
    found.occurrences = best_occurrences(matched, most);
    return found;
  }
  const WithoutEpsilons ways(matched, matched.start);
  std::unordered_map<int32_t, bool> is_end;  // by next state, mostly the same one
  for (const IndexArc &arc : ways.arcs) {
    const auto [end, is_new] = is_end.emplace(arc.nextstate, false);
    if (is_new) end->second = WithoutEpsilons(matched, arc.nextstate).final == IndexSemiring::one();
    if (end->second)
      found.occurrences.push_back(occurrence(arc.olabel, arc.weight));
    else
      found.unexpected++;
  }
  return found;
}

// Weights are pushed to the start, so that the best way on from any other state adds nothing.
std::vector<Occurrence> KeywordSearch::best_occurrences(const KeywordIndex &matched, int32_t most) const {
  struct Way {
    TimedWeight weight;
    int32_t state, label;  // where it has come to, kComplete: to an end; the label on it
  };
  constexpr int32_t kComplete = -1;
  const auto is_worse = [](const Way &a, const Way &b) { return b.weight < a.weight; };
  std::priority_queue<Way, std::vector<Way>, decltype(is_worse)> ways(is_worse);
  ways.push({IndexSemiring::one(), matched.start, 0});
  std::vector<int32_t> times(matched.num_states(), 0);  // that each state was come by
  std::vector<Way> best;
  while (!ways.empty() && best.size() < static_cast<size_t>(most)) {
    const Way way = ways.top();
    ways.pop();
    if (way.state == kComplete) {
      best.push_back(way);
      continue;
    }
    if (++times[way.state] > most) continue;
    if (!is_no_end(matched.finals[way.state])) ways.push({way.weight + matched.finals[way.state], kComplete, way.label});
    for (int64_t i = matched.offsets[way.state]; i < matched.offsets[way.state + 1]; i++) {
      const IndexArc &arc = matched.arcs[i];
      ways.push({way.weight + arc.weight, arc.nextstate, has_label(arc) ? arc.olabel : way.label});
    }
  }
  std::unordered_map<int32_t, size_t> places;  // in `found`, by label: of several ways with one, where the last one is
  std::vector<Occurrence> found;
  for (auto way = best.rbegin(); way != best.rend(); ++way) {
    if (way->label == 0) continue;  // where the index ends at its start
    const auto [place, is_new] = places.emplace(way->label, found.size());
    if (is_new)
      found.push_back(occurrence(way->label, way->weight));
    else
      found[place->second].weight = way->weight;
  }
  std::reverse(found.begin(), found.end());
  return found;
}

Occurrence KeywordSearch::occurrence(int32_t label, const TimedWeight &weight) const {
  return {ends_.pair(label).second, weight};
}

void KeywordSearch::append_paths(const KeywordIndex &matched, std::vector<MatchedPath> *paths) const {
  if (matched.start < 0) return;
  struct Step {
    int64_t arc, end;  // the next one, of the state's
    TimedWeight weight;
  };
  const auto step_at = [&](int32_t state, const TimedWeight &weight) {
    return Step{matched.offsets[state], matched.offsets[state + 1], weight};
  };
  std::vector<Step> way = {step_at(matched.start, IndexSemiring::one())};
  std::vector<int32_t> labels;
  while (!way.empty()) {
    Step &step = way.back();
    if (step.arc == step.end) {
      way.pop_back();
      if (!way.empty()) labels.pop_back();
      continue;
    }
    const IndexArc &arc = matched.arcs[step.arc++];
    const TimedWeight weight = arc.weight + step.weight;
    labels.push_back(arc.ilabel);
    if (arc.olabel == 0) {
      way.push_back(step_at(arc.nextstate, weight));
      continue;
    }
    paths->push_back({occurrence(arc.olabel, weight), labels});
    labels.pop_back();
  }
}

}  // namespace kaldi_bridge
