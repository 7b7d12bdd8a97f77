#include "packed_fst.h"

#include <utility>

#include "timed_weight.h"

namespace kaldi_bridge {

namespace {

template <class Weight>
std::vector<char> reached_from_start(const WeightedFstView<Weight> &fst) {
  std::vector<char> reached(fst.num_states, 0);
  std::vector<int32_t> waiting = {fst.start};
  reached[fst.start] = 1;
  while (!waiting.empty()) {
    const int32_t s = waiting.back();
    waiting.pop_back();
    for (const auto *arc = fst.begin(s); arc != fst.end(s); arc++)
      if (!reached[arc->nextstate]) {
        reached[arc->nextstate] = 1;
        waiting.push_back(arc->nextstate);
      }
  }
  return reached;
}

// Of the states that `within` marks: which have a way to an end.
template <class Weight>
std::vector<char> reaching_end(const WeightedFstView<Weight> &fst, const std::vector<char> &within) {
  std::vector<int64_t> ends(fst.num_states + 1, 0);  // of the arcs into each state
  for (int32_t s = 0; s < fst.num_states; s++)
    if (within[s])
      for (const auto *arc = fst.begin(s); arc != fst.end(s); arc++) ends[arc->nextstate + 1]++;
  for (int32_t s = 0; s < fst.num_states; s++) ends[s + 1] += ends[s];
  std::vector<int32_t> sources(ends[fst.num_states]);
  std::vector<int64_t> next(ends.begin(), ends.end() - 1);
  std::vector<char> reaching(fst.num_states, 0);
  std::vector<int32_t> waiting;
  for (int32_t s = 0; s < fst.num_states; s++) {
    if (!within[s]) continue;
    for (const auto *arc = fst.begin(s); arc != fst.end(s); arc++) sources[next[arc->nextstate]++] = s;
    if (!is_no_end(fst.finals[s])) {
      reaching[s] = 1;
      waiting.push_back(s);
    }
  }
  while (!waiting.empty()) {
    const int32_t s = waiting.back();
    waiting.pop_back();
    for (int64_t i = ends[s]; i < ends[s + 1]; i++)
      if (!reaching[sources[i]]) {
        reaching[sources[i]] = 1;
        waiting.push_back(sources[i]);
      }
  }
  return reaching;
}

}  // namespace

template <class Weight>
std::vector<char> on_paths(const WeightedFstView<Weight> &fst) {
  return fst.start < 0 ? std::vector<char>(fst.num_states, 0) : reaching_end(fst, reached_from_start(fst));
}

template <class Weight>
void PackedWeightedFst<Weight>::connect() {
  const std::vector<char> kept = on_paths(view());
  std::vector<int32_t> number(num_states(), -1);
  int32_t count = 0;
  for (int32_t s = 0; s < num_states(); s++)
    if (kept[s]) number[s] = count++;
  if (count == num_states()) return;
  int64_t begin = 0, to = 0;  // of the state's arcs; where the next one that is kept goes
  for (int32_t s = 0; s < num_states(); s++) {
    const int64_t end = offsets[s + 1];
    if (kept[s]) {
      for (int64_t i = begin; i < end; i++)
        if (kept[arcs[i].nextstate]) {
          arcs[to] = arcs[i];
          arcs[to++].nextstate = number[arcs[i].nextstate];
        }
      finals[number[s]] = finals[s];
      offsets[number[s] + 1] = to;
    }
    begin = end;
  }
  start = start < 0 ? -1 : number[start];
  finals.resize(count);
  offsets.resize(count + 1);
  arcs.resize(to);
}

template struct PackedWeightedFst<float>;
template struct PackedWeightedFst<TimedWeight>;
template std::vector<char> on_paths(const WeightedFstView<float> &fst);
template std::vector<char> on_paths(const WeightedFstView<TimedWeight> &fst);

}  // namespace kaldi_bridge
