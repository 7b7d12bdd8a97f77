#include "mutable_fst.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace kaldi_bridge {
namespace {

// Marks `states` and what they lead to; `each_next(s, visit)` calls `visit` with the states that s leads to.
template <class EachNext>
std::vector<bool> reachable(std::vector<int32_t> states, size_t count, EachNext each_next) {
  std::vector<bool> seen(count, false);
  for (int32_t s : states) seen[s] = true;
  while (!states.empty()) {
    const int32_t s = states.back();
    states.pop_back();
    each_next(s, [&](int32_t t) {
      if (t == MutableFst::kNoState || seen[t]) return;
      seen[t] = true;
      states.push_back(t);
    });
  }
  return seen;
}

}  // namespace

void MutableFst::connect() {
  const int32_t states = num_states();
  std::vector<int32_t> ends;
  std::vector<int64_t> first_into(states + 1, 0);  // the arcs into s: into[first_into[s]] to into[first_into[s + 1]]
  for (int32_t s = 0; s < states; s++) {
    if (is_final(s)) ends.push_back(s);
    for (const FstArc &arc : arcs[s])
      if (arc.nextstate != kNoState) first_into[arc.nextstate]++;
  }
  std::partial_sum(first_into.begin(), first_into.end(), first_into.begin());
  std::vector<int32_t> into(first_into[states]);
  for (int32_t s = 0; s < states; s++)
    for (const FstArc &arc : arcs[s])
      if (arc.nextstate != kNoState) into[--first_into[arc.nextstate]] = s;
  const auto from_start = reachable({start}, states, [&](int32_t s, auto visit) {
    for (const FstArc &arc : arcs[s]) visit(arc.nextstate);
  });
  const auto to_end = reachable(ends, states, [&](int32_t s, auto visit) {
    for (int64_t i = first_into[s]; i < first_into[s + 1]; i++) visit(into[i]);
  });
  std::vector<int32_t> number(states, kNoState);
  int32_t kept = 0;
  for (int32_t s = 0; s < states; s++)
    if (from_start[s] && to_end[s]) number[s] = kept++;
  for (int32_t s = 0; s < states; s++) {
    if (number[s] == kNoState) continue;
    std::vector<FstArc> &out = arcs[s];
    for (FstArc &arc : out)
      if (arc.nextstate != kNoState) arc.nextstate = number[arc.nextstate];
    out.erase(std::remove_if(out.begin(), out.end(), [](const FstArc &arc) { return arc.nextstate == kNoState; }),
              out.end());
    if (number[s] != s) arcs[number[s]] = std::move(out);  // number[s] < s: what is overwritten has been used
    finals[number[s]] = finals[s];
  }
  start = number[start];
  arcs.resize(kept);
  finals.resize(kept);
  properties.connected();
}

void MutableFst::sort_arcs_by_input() {
  for (std::vector<FstArc> &out : arcs)
    std::sort(out.begin(), out.end(), [](const FstArc &a, const FstArc &b) {
      return std::tie(a.ilabel, a.olabel) < std::tie(b.ilabel, b.olabel);
    });
  properties.arcs_sorted_by_input();
}

}  // namespace kaldi_bridge
