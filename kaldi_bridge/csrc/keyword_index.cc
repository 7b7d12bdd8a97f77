#include "keyword_index.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "arc_lists.h"
#include "lattice.h"
#include "semirings.h"
#include "star_determinization.h"

namespace kaldi_bridge {

namespace {

struct WordArc {
  int32_t word, cluster;  // both 0: an epsilon
  Cost cost;
  int32_t frames, next;

  bool is_epsilon() const { return word == 0 && cluster == 0; }
};

struct WordState {
  std::vector<WordArc> arcs;
  Cost final = kNoCost;
};

using WordLattice = std::vector<WordState>;

WordLattice words_of(const FlatCompactLattice &lattice) {
  WordLattice made(lattice.num_states());
  for (int32_t s = 0; s < lattice.num_states(); s++) {
    const Cost final = {lattice.finals[s].graph, lattice.finals[s].acoustic};
    if (!final.is_infinite()) made[s].final = final;
    for (int64_t i = lattice.offsets[s]; i < lattice.offsets[s + 1]; i++) {
      const FlatCompactArc &arc = lattice.arcs[i];
      const auto frames = static_cast<int32_t>(lattice.string_offsets[i + 1] - lattice.string_offsets[i]);
      made[s].arcs.push_back({arc.label, arc.label, {arc.graph, arc.acoustic}, frames, arc.nextstate});
    }
  }
  return made;
}

// In frames from the start; -1: out of reach.
std::vector<int32_t> state_times(const WordLattice &lattice) {
  std::vector<int32_t> times(lattice.size(), -1);
  times[0] = 0;
  for (size_t s = 0; s < lattice.size(); s++)
    for (const WordArc &arc : lattice[s].arcs) {
      const int32_t time = times[s] + arc.frames;
      if (times[arc.next] != -1 && times[arc.next] != time)
        throw std::invalid_argument("the lattice is not consistent: ways to a state have different lengths");
      times[arc.next] = time;
    }
  return times;
}

// Gives arcs of a word numbers from 1 on: the same one to those that overlap with the same one, its cluster's head. Whether
// the last state is on an arc.
bool cluster(const std::vector<int32_t> &times, WordLattice *lattice) {
  using Interval = std::pair<int32_t, int32_t>;
  std::unordered_map<int32_t, std::vector<Interval>> heads;  // by word
  int32_t last = 0;
  for (size_t s = 0; s < lattice->size(); s++)
    for (const WordArc &arc : (*lattice)[s].arcs) {
      last = std::max({last, static_cast<int32_t>(s), arc.next});
      heads[arc.word].push_back({times[s], times[arc.next]});
    }
  if (static_cast<size_t>(last) + 1 != lattice->size()) return false;
  for (auto &entry : heads) {
    std::vector<Interval> &intervals = entry.second;
    std::sort(intervals.begin(), intervals.end());
    size_t kept = 1;
    for (size_t i = 1; i < intervals.size(); i++)
      if (intervals[kept - 1].second <= intervals[i].first) intervals[kept++] = intervals[i];
    intervals.resize(kept);
  }
  for (size_t s = 0; s < lattice->size(); s++)
    for (WordArc &arc : (*lattice)[s].arcs) {
      if (arc.word == 0) continue;
      const std::vector<Interval> &of_word = heads[arc.word];
      const int32_t begin = times[s], end = times[arc.next];
      int32_t most = 0;
      arc.cluster = 1;
      for (size_t i = 0; i < of_word.size(); i++) {
        const int32_t overlap = std::min(end, of_word[i].second) - std::max(begin, of_word[i].first);
        if (overlap <= most) continue;
        most = overlap;
        arc.cluster = static_cast<int32_t>(i) + 1;
      }
    }
  return true;
}

enum : char { kEpsilonIn = 1, kWordIn = 2, kEpsilonOut = 4, kWordOut = 8 };

// Which kinds of arcs enter and leave each state.
std::vector<char> kinds_of_arcs(const WordLattice &lattice) {
  std::vector<char> kinds(lattice.size(), 0);
  for (size_t s = 0; s < lattice.size(); s++)
    for (const WordArc &arc : lattice[s].arcs) {
      kinds[arc.next] |= arc.is_epsilon() ? kEpsilonIn : kWordIn;
      kinds[s] |= arc.is_epsilon() ? kEpsilonOut : kWordOut;
    }
  return kinds;
}

// Parts states so that none has arcs of both kinds entering, nor leaving (fstext/epsilon-property-inl.h).
void separate_epsilons(WordLattice *lattice) {
  const std::vector<char> kinds = kinds_of_arcs(*lattice);
  const size_t size = lattice->size();
  std::vector<int32_t> entry(size);  // where words enter
  for (size_t s = 0; s < size; s++) {
    entry[s] = static_cast<int32_t>(s);
    if (!(kinds[s] & kEpsilonIn) || !(kinds[s] & kWordIn)) continue;
    entry[s] = static_cast<int32_t>(lattice->size());
    lattice->push_back({{{0, 0, {}, 0, static_cast<int32_t>(s)}}, kNoCost});
  }
  for (size_t s = 0; s < size; s++)
    for (WordArc &arc : (*lattice)[s].arcs)
      if (!arc.is_epsilon()) arc.next = entry[arc.next];
  for (size_t s = 0; s < size; s++) {
    if (!(kinds[s] & kEpsilonOut) || !(kinds[s] & kWordOut)) continue;
    std::vector<WordArc> &arcs = (*lattice)[s].arcs;
    const auto words = std::stable_partition(arcs.begin(), arcs.end(), [](const WordArc &arc) { return arc.is_epsilon(); });
    WordState leaving;
    leaving.arcs.assign(words, arcs.end());
    arcs.erase(words, arcs.end());
    arcs.push_back({0, 0, {}, 0, static_cast<int32_t>(lattice->size())});
    lattice->push_back(std::move(leaving));
  }
  connect(lattice);
  if (lattice->empty()) throw std::invalid_argument("the lattice has no path to a final state");
  sort_topologically(lattice);
}

// Of all ways from the start to each state, and from there to an end.
struct LogProbabilities {
  std::vector<double> from_start, to_end;

  explicit LogProbabilities(const WordLattice &lattice)
      : from_start(lattice.size(), -kInfinity), to_end(lattice.size(), -kInfinity) {
    from_start[0] = 0.0;
    for (size_t s = 0; s < lattice.size(); s++)
      for (const WordArc &arc : lattice[s].arcs)
        from_start[arc.next] = log_add(from_start[arc.next], from_start[s] - arc.cost.sum());
    for (size_t s = lattice.size(); s-- > 0;) {
      to_end[s] = -lattice[s].final.sum();
      for (const WordArc &arc : lattice[s].arcs) to_end[s] = log_add(to_end[s], to_end[arc.next] - arc.cost.sum());
    }
  }
};

// All parts of the lattice that begin and end with a word: paths from a new start state to a new end.
KeywordIndex factors(const WordLattice &lattice, const std::vector<int32_t> &times, int32_t utterance,
                     int32_t max_silence_frames, std::vector<std::string> *warnings) {
  const LogProbabilities probabilities(lattice);
  const std::vector<double> &to_end = probabilities.to_end;
  const std::vector<char> kinds = kinds_of_arcs(lattice);
  const auto start = static_cast<int32_t>(lattice.size()), end = start + 1;
  KeywordIndex made;
  made.start = start;
  for (int32_t s = 0; s < start; s++) {
    for (const WordArc &arc : lattice[s].arcs) {
      if (arc.word == 0 && times[arc.next] - times[s] > max_silence_frames) continue;
      const auto cost = static_cast<float>(arc.cost.sum() + (to_end[s] - to_end[arc.next]));
      made.arcs.push_back({arc.word, arc.cluster, {cost, 0.0f, 0.0f}, arc.next});
    }
    if (kinds[s] & kWordIn) made.arcs.push_back({0, utterance, {0.0f, 0.0f, static_cast<float>(times[s])}, end});
    made.end_state(FactorSemiring::zero());
  }
  for (int32_t s = 0; s < start; s++) {
    const double before = probabilities.from_start[s] + (to_end[s] - to_end[0]);
    if (before > 0.1) warnings->push_back((std::ostringstream() << "Positive alpha " << before).str());
    if (kinds[s] & kWordOut)
      made.arcs.push_back({0, 0, {static_cast<float>(-before), static_cast<float>(times[s]), 0.0f}, s});
  }
  made.end_state(FactorSemiring::zero());
  made.end_state(FactorSemiring::one());
  made.connect();
  return made;
}

// Those of the same words, and clusters, become one.
KeywordIndex merged(KeywordIndex &&factors) {
  PairedLabels labels;
  labels.encode(&factors);
  const int32_t epsilon = labels.number(0, 0);
  for (IndexArc &arc : factors.arcs)
    if (arc.ilabel == epsilon) arc.ilabel = arc.olabel = 0;
  KeywordIndex made = star_determinized(factors.view(), FactorSemiring(), {kIndexDelta, -1, false});
  labels.decode(&made);
  for (TimedWeight &final : made.finals)
    if (is_no_end(final)) final = IndexSemiring::zero();
  return made;
}

// Instead of the clusters, the last arcs have as input the state that they come from, which tells paths of the same words
// apart.
void disambiguate(KeywordIndex *index) {
  for (int32_t s = 0; s < index->num_states(); s++)
    for (int64_t i = index->offsets[s]; i < index->offsets[s + 1]; i++) {
      IndexArc &arc = index->arcs[i];
      if (is_no_end(index->finals[arc.nextstate]))
        arc.olabel = 0;
      else
        arc.ilabel = s;
    }
}

}  // namespace

LatticeIndex index_of(const FlatCompactLattice &lattice, int32_t utterance, int32_t max_silence_frames,
                      const OptimizationOptions &options) {
  WordLattice words = words_of(lattice);
  if (words.empty() || lattice.start != 0 || !is_sorted_topologically(words))
    throw std::invalid_argument("the lattice is not in topological order from state 0 on");
  LatticeIndex made;
  if (!cluster(state_times(words), &words)) throw std::runtime_error("State id's and alignments do not match");
  separate_epsilons(&words);
  made.index = merged(factors(words, state_times(words), utterance, max_silence_frames, &made.warnings));
  disambiguate(&made.index);
  std::string warning;
  made.index = optimized(std::move(made.index), options, &warning);
  if (!warning.empty()) made.warnings.push_back(warning);
  return made;
}

}  // namespace kaldi_bridge
