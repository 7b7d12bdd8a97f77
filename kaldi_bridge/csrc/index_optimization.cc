#include "index_optimization.h"

#include <algorithm>
#include <stdexcept>
#include <tuple>

#include "arc_lists.h"
#include "encoded_minimization.h"
#include "semirings.h"
#include "star_determinization.h"

namespace kaldi_bridge {

namespace {

// With the arcs turned round, and a new start that leads to the ends; what was state s is s + 1.
class Reversed {
 public:
  explicit Reversed(const IndexView &fst) : offsets_(fst.num_states + 2, 0) {
    for (int32_t s = 0; s < fst.num_states; s++) {
      offsets_[1] += !is_no_end(fst.finals[s]);
      for (const IndexArc *arc = fst.begin(s); arc != fst.end(s); arc++) offsets_[arc->nextstate + 2]++;
    }
    for (size_t s = 1; s < offsets_.size(); s++) offsets_[s] += offsets_[s - 1];
    weights_.resize(offsets_.back());
    next_.resize(offsets_.back());
    std::vector<int64_t> places(offsets_.begin(), offsets_.end() - 1);
    const auto add = [&](int32_t state, const TimedWeight &weight, int32_t next) {
      weights_[places[state]] = weight;
      next_[places[state]++] = next;
    };
    for (int32_t s = 0; s < fst.num_states; s++) {
      if (!is_no_end(fst.finals[s])) add(0, fst.finals[s], s + 1);
      for (const IndexArc *arc = fst.begin(s); arc != fst.end(s); arc++) add(arc->nextstate + 1, arc->weight, s + 1);
    }
  }

  // The best way from each state of the FST to an end, without what is better by less than kIndexDelta
  // (fst/shortest-distance.h). Throws std::invalid_argument where there is a cycle.
  std::vector<TimedWeight> distances() const {
    const ArcLists lists = {0, static_cast<int32_t>(offsets_.size()) - 1, offsets_.data(), next_.data()};
    const DepthFirst search = depth_first(lists);
    if (search.cyclic) throw std::invalid_argument("it has a cycle");
    std::vector<TimedWeight> distance(lists.num_states, IndexSemiring::zero());
    distance[0] = IndexSemiring::one();
    for (size_t i = search.left.size(); i-- > 0;) {
      const int32_t s = search.left[i];
      if (is_no_end(distance[s])) continue;
      for (int64_t arc = offsets_[s]; arc < offsets_[s + 1]; arc++) {
        TimedWeight &old = distance[next_[arc]];
        const TimedWeight sum = IndexSemiring::plus(old, distance[s] + weights_[arc]);
        if (!about_equal(old, sum, kIndexDelta)) old = sum;
      }
    }
    distance.erase(distance.begin());
    return distance;
  }

 private:
  std::vector<int64_t> offsets_;
  std::vector<TimedWeight> weights_;
  std::vector<int32_t> next_;
};

void push_to_start(KeywordIndex *fst) {
  if (fst->start < 0) return;
  const std::vector<TimedWeight> distance = Reversed(fst->view()).distances();
  for (int32_t s = 0; s < fst->num_states(); s++) {
    if (is_no_end(distance[s])) continue;
    for (int64_t i = fst->offsets[s]; i < fst->offsets[s + 1]; i++) {
      IndexArc &arc = fst->arcs[i];
      const TimedWeight &next = distance[arc.nextstate];
      if (!is_no_end(next)) arc.weight = (arc.weight + next) - distance[s];
    }
    if (!is_no_end(fst->finals[s])) fst->finals[s] = fst->finals[s] - distance[s];
  }
  const TimedWeight &total = distance[fst->start];
  if (is_no_end(total)) return;
  for (int64_t i = fst->offsets[fst->start]; i < fst->offsets[fst->start + 1]; i++)
    fst->arcs[i].weight = total + fst->arcs[i].weight;
  if (!is_no_end(fst->finals[fst->start])) fst->finals[fst->start] = total + fst->finals[fst->start];
}

}  // namespace

int32_t PairedLabels::number(int32_t ilabel, int32_t olabel) {
  const uint64_t key = static_cast<uint64_t>(static_cast<uint32_t>(ilabel)) << 32 | static_cast<uint32_t>(olabel);
  const auto [place, is_new] = numbers_.emplace(key, static_cast<int32_t>(pairs_.size()) + 1);
  if (is_new) pairs_.push_back({ilabel, olabel});
  return place->second;
}

void PairedLabels::encode(KeywordIndex *fst) {
  for (IndexArc &arc : fst->arcs) arc.ilabel = arc.olabel = number(arc.ilabel, arc.olabel);
}

void PairedLabels::decode(KeywordIndex *fst) const {
  for (IndexArc &arc : fst->arcs) std::tie(arc.ilabel, arc.olabel) = pair(arc.ilabel);
}

KeywordIndex minimized(KeywordIndex &&fst) {
  push_to_start(&fst);
  return encoded_minimized(fst.view(), kIndexDelta);
}

KeywordIndex optimized(KeywordIndex &&index, const OptimizationOptions &options, std::string *warning) {
  PairedLabels labels;
  labels.encode(&index);
  const StarOptions star = {kIndexDelta, options.max_states, false, options.allow_partial};
  KeywordIndex made;
  try {
    bool is_partial = false;
    made = star_determinized(index.view(), IndexSemiring(), star, &is_partial);
    if (is_partial)
      *warning = "Determinization terminated since passed " + std::to_string(options.max_states) +
                 " states, partial results will be generated";
  } catch (const std::runtime_error &error) {
    if (options.allow_partial) throw;
    *warning = error.what();
    made = std::move(index);
  }
  made = minimized(std::move(made));
  labels.decode(&made);
  return made;
}

KeywordIndex united(std::vector<IndexView> indices, bool from_first_start) {
  indices.erase(std::remove_if(indices.begin(), indices.end(), [](const IndexView &index) { return index.start < 0; }),
                indices.end());
  KeywordIndex made;
  if (indices.empty()) return made;
  const bool has_own_start = indices.size() > 1 && !from_first_start;
  int64_t states = has_own_start;
  std::vector<int32_t> starts;
  for (size_t i = 0; i < indices.size(); i++) {
    starts.push_back(static_cast<int32_t>(states) - (has_own_start && i < 2) + indices[i].start);
    states += indices[i].num_states;
    if (states > INT32_MAX) throw std::length_error("the union has too many states");
  }
  const auto add_ways = [&](size_t from) {
    for (size_t i = from; i < starts.size(); i++) made.arcs.push_back({0, 0, IndexSemiring::one(), starts[i]});
  };
  made.start = starts[0];
  for (size_t i = 0; i < indices.size(); i++) {
    const IndexView &index = indices[i];
    const int32_t first = made.num_states();
    for (int32_t s = 0; s < index.num_states; s++) {
      for (const IndexArc *arc = index.begin(s); arc != index.end(s); arc++) {
        made.arcs.push_back(*arc);
        made.arcs.back().nextstate += first;
      }
      if (!has_own_start && first + s == made.start) add_ways(1);
      made.end_state(index.finals[s]);
    }
    if (!has_own_start || i != 1) continue;
    made.start = made.num_states();
    add_ways(0);
    made.end_state(IndexSemiring::zero());
  }
  return made;
}

}  // namespace kaldi_bridge
