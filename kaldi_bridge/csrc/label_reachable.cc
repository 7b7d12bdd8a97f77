#include "label_reachable.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <unordered_map>

#include "components.h"

namespace kaldi_bridge {
namespace {

using Intervals = std::vector<Interval>;

// Sorted, without overlaps, and with those that touch joined.
void normalize(Intervals *intervals) {
  std::sort(intervals->begin(), intervals->end(), [](const Interval &a, const Interval &b) { return a.begin < b.begin; });
  size_t size = 0;
  for (const Interval &interval : *intervals) {
    if (size > 0 && interval.begin <= (*intervals)[size - 1].end)
      (*intervals)[size - 1].end = std::max((*intervals)[size - 1].end, interval.end);
    else
      (*intervals)[size++] = interval;
  }
  intervals->resize(size);
}

void join(const Intervals &more, Intervals *intervals) { intervals->insert(intervals->end(), more.begin(), more.end()); }

// The states of a transducer, a node for each label (and one for the end), and a root.
//
// Arcs with a label lead to its node; final states have an arc to the end's. The root has arcs to the nodes that no arc
// leads to.
struct LabelGraph {
  LabelGraph(const FstView &fst, bool of_input) {
    int32_t count = fst.num_states;
    std::vector<bool> is_target(count, false);
    const auto node = [&](int32_t label) {
      const auto [place, is_new] = node_of.emplace(label, count);
      if (is_new) {
        count++;
        is_target.push_back(true);
      }
      return place->second;
    };
    offsets.reserve(fst.num_states + 1);
    targets.reserve(fst.offsets[fst.num_states]);
    for (int32_t s = 0; s < fst.num_states; s++) {
      for (int64_t i = fst.offsets[s]; i < fst.offsets[s + 1]; i++) {
        const int32_t label = of_input ? fst.arcs[i].ilabel : fst.arcs[i].olabel;
        const int32_t target = label != 0 ? node(label) : fst.arcs[i].nextstate;
        is_target[target] = true;
        targets.push_back(target);
      }
      if (fst.finals[s] != std::numeric_limits<float>::infinity()) targets.push_back(node(ReachableLabels::kNoLabel));
      offsets.push_back(static_cast<int64_t>(targets.size()));
    }
    offsets.resize(count + 1, offsets.back());  // nothing leads out of a label's node
    root = count;
    for (int32_t s = 0; s < count; s++)
      if (!is_target[s]) targets.push_back(s);
    offsets.push_back(static_cast<int64_t>(targets.size()));
    first_label = fst.num_states;
  }

  int32_t num_nodes() const { return root + 1; }
  bool is_label(int32_t node) const { return node >= first_label && node != root; }

  int32_t root, first_label;
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> targets;
  std::unordered_map<int32_t, int32_t> node_of;
};

// The same without cycles: one node for each component.
//
// Components that are joined keep the order of their arcs. Without cycles, each node is its own component.
struct Condensed {
  explicit Condensed(const LabelGraph &graph) : component(graph.num_nodes()), root(0) {
    const Components found(
        graph.root, graph.num_nodes(), graph.offsets.data(), [&](int64_t arc) { return graph.targets[arc]; },
        [&](int32_t s) { return graph.is_label(s); });
    if (!found.cyclic) {
      for (int32_t s = 0; s < graph.num_nodes(); s++) component[s] = s;
      count = graph.num_nodes();
      offsets = graph.offsets;
      targets = graph.targets;
    } else {
      count = found.num_components;
      for (int32_t s = 0; s < graph.num_nodes(); s++) component[s] = count - 1 - found.component[s];
      join_arcs(graph);
    }
    root = component[graph.root];
    is_label.resize(count, false);
    for (int32_t s = graph.first_label; s < graph.root; s++) is_label[component[s]] = true;
  }

  std::vector<int32_t> component;  // of each node of the graph
  int32_t root, count;
  std::vector<bool> is_label;
  std::vector<int64_t> offsets;
  std::vector<int32_t> targets;

 private:
  void join_arcs(const LabelGraph &graph) {
    const auto each_arc = [&](auto take) {
      for (int32_t s = 0; s < graph.num_nodes(); s++)
        for (int64_t i = graph.offsets[s]; i < graph.offsets[s + 1]; i++)
          if (component[graph.targets[i]] != component[s]) take(component[s], component[graph.targets[i]]);
    };
    offsets.assign(count + 1, 0);
    each_arc([&](int32_t from, int32_t) { offsets[from + 1]++; });
    for (int32_t c = 0; c < count; c++) offsets[c + 1] += offsets[c];
    targets.resize(offsets[count]);
    std::vector<int64_t> next(offsets.begin(), offsets.end() - 1);
    each_arc([&](int32_t from, int32_t to) { targets[next[from]++] = to; });
  }
};

// Depth first from the root, then from what is left: `meet(label's node)` gives the number of a label on first sight.
template <class Meet>
std::vector<Intervals> find_intervals(const Condensed &graph, Meet meet) {
  std::vector<Intervals> reached(graph.count);
  std::vector<char> color(graph.count, 0);  // 1: on the way, 2: done
  std::vector<std::pair<int32_t, int64_t>> path;
  const auto enter = [&](int32_t node) {
    color[node] = 1;
    if (graph.is_label[node]) {
      const int32_t number = meet(node);
      reached[node].push_back({number, number + 1});
    }
    path.emplace_back(node, graph.offsets[node]);
  };
  const auto search_from = [&](int32_t first) {
    if (color[first] != 0) return;
    enter(first);
    while (!path.empty()) {
      auto &[node, arc] = path.back();
      if (arc < graph.offsets[node + 1]) {
        const int32_t to = graph.targets[arc++];
        if (color[to] == 0)
          enter(to);
        else
          join(reached[to], &reached[node]);
        continue;
      }
      const int32_t done = node;
      color[done] = 2;
      normalize(&reached[done]);
      path.pop_back();
      if (!path.empty()) join(reached[done], &reached[path.back().first]);
    }
  };
  search_from(graph.root);
  for (int32_t node = 0; node < graph.count; node++) search_from(node);
  return reached;
}

void keep_of_states(const std::vector<Intervals> &reached, const std::vector<int32_t> &component, int32_t states,
                    ReachableLabels *labels) {
  for (int32_t s = 0; s < states; s++) {
    join(reached[component[s]], &labels->intervals);
    labels->offsets.push_back(static_cast<int64_t>(labels->intervals.size()));
  }
}

// Bytes of numbers, one after the other.
class Bytes {
 public:
  template <class T>
  void put(T number) {
    text.append(reinterpret_cast<const char *>(&number), sizeof number);
  }
  std::string text;
};

class Numbers {
 public:
  explicit Numbers(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
  T get() {
    T number;
    take(&number, sizeof number);
    return number;
  }
  // A count of things that are `size` bytes each, and there.
  int64_t count(size_t size) {
    const int64_t number = get<int64_t>();
    if (number < 0 || static_cast<size_t>(number) > bytes_.size() / size) fail();
    return number;
  }
  void take(void *place, size_t size) {
    if (bytes_.size() < size) fail();
    std::memcpy(place, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }
  [[noreturn]] static void fail() { throw std::invalid_argument("what it says about labels is truncated or corrupt"); }

 private:
  std::string_view bytes_;
};

}  // namespace

bool ReachableLabels::reaches(int32_t state, int32_t label) const {
  const Interval *first = begin(state), *last = end(state);
  const Interval *after =
      std::upper_bound(first, last, label, [](int32_t l, const Interval &interval) { return l < interval.begin; });
  return after != first && label < (after - 1)->end;
}

ReachableLabels reachable_labels(const FstView &fst, bool of_input, LabelPairs *pairs) {
  const LabelGraph graph(fst, of_input);
  const Condensed condensed(graph);
  std::vector<int32_t> number(condensed.count, 0);
  int32_t next = 1;
  const std::vector<Intervals> reached = find_intervals(condensed, [&](int32_t node) { return number[node] = next++; });
  ReachableLabels labels;
  labels.of_input = of_input;
  keep_of_states(reached, condensed.component, fst.num_states, &labels);
  std::unordered_map<int32_t, int32_t> number_of;  // filled as OpenFst does, which writes them in the map's order
  for (const auto &[label, node] : graph.node_of) number_of[label] = number[condensed.component[node]];
  for (const auto &[label, new_label] : number_of) {
    if (label == ReachableLabels::kNoLabel)
      labels.final_label = new_label;
    else
      pairs->emplace_back(label, new_label);
  }
  // Labels that do not occur must not be taken for new ones.
  const int32_t count = static_cast<int32_t>(number_of.size());
  for (int32_t label = 1; label <= count; label++)
    if (number_of.count(label) == 0) pairs->emplace_back(label, count + 1);
  return labels;
}

ReachableLabels reachable_kept_labels(const FstView &fst, bool of_input) {
  const LabelGraph graph(fst, of_input);
  const Condensed condensed(graph);
  std::vector<int32_t> number(condensed.count, 0);
  int32_t largest = 0;
  for (const auto &entry : graph.node_of) largest = std::max(largest, entry.first);
  if (largest > std::numeric_limits<int32_t>::max() - 2) throw std::invalid_argument("a label is too large");
  ReachableLabels labels;
  labels.of_input = of_input;
  for (const auto &[label, node] : graph.node_of) {
    const bool is_end = label == ReachableLabels::kNoLabel;
    if (is_end) labels.final_label = largest + 1;
    number[condensed.component[node]] = is_end ? labels.final_label : label;
  }
  const std::vector<Intervals> reached = find_intervals(condensed, [&](int32_t node) { return number[node]; });
  keep_of_states(reached, condensed.component, fst.num_states, &labels);
  return labels;
}

std::string add_on(const ReachableLabels &labels) {
  Bytes bytes;
  bytes.put(true);               // there is an add-on: of its two parts,
  bytes.put(labels.of_input);    // that of input labels
  if (!labels.of_input) bytes.put(true);  // or that of output labels
  bytes.put(labels.of_input);
  bytes.put(false);  // no relabelling is kept
  bytes.put(labels.final_label);
  bytes.put(static_cast<int64_t>(labels.num_states()));
  for (int32_t s = 0; s < labels.num_states(); s++) {
    bytes.put(static_cast<int64_t>(labels.end(s) - labels.begin(s)));
    int32_t count = 0;
    for (const Interval *interval = labels.begin(s); interval != labels.end(s); ++interval) {
      bytes.put(*interval);
      count += interval->end - interval->begin;
    }
    bytes.put(count);
  }
  if (labels.of_input) bytes.put(false);
  return bytes.text;
}

ReachableLabels read_add_on(std::string_view bytes, int32_t states) {
  Numbers numbers(bytes);
  ReachableLabels labels;
  if (numbers.get<char>() != 1) throw std::invalid_argument("it does not say which labels can be reached");
  const bool has_input = numbers.get<char>() == 1;
  if (!has_input && numbers.get<char>() != 1)
    throw std::invalid_argument("it does not say which labels can be reached");
  labels.of_input = numbers.get<char>() == 1;
  if (labels.of_input != has_input) Numbers::fail();
  if (numbers.get<char>() == 1) {  // the relabelling, which is done
    const int64_t count = numbers.count(8);
    for (int64_t i = 0; i < count; i++) numbers.get<int64_t>();
  }
  labels.final_label = numbers.get<int32_t>();
  if (numbers.count(12) != states) Numbers::fail();
  labels.offsets.reserve(states + 1);
  for (int32_t s = 0; s < states; s++) {
    const int64_t count = numbers.count(sizeof(Interval));
    int32_t last = 0;
    for (int64_t i = 0; i < count; i++) {
      const Interval interval = numbers.get<Interval>();
      if (interval.begin < last || interval.end <= interval.begin) Numbers::fail();
      labels.intervals.push_back(interval);
      last = interval.end;
    }
    labels.offsets.push_back(static_cast<int64_t>(labels.intervals.size()));
    numbers.get<int32_t>();
  }
  labels.intervals.shrink_to_fit();
  return labels;
}

}  // namespace kaldi_bridge
