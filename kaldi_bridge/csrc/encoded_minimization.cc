#include "encoded_minimization.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <queue>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "partition.h"
#include "timed_weight.h"

namespace kaldi_bridge {

namespace {

template <class Weight>
struct Symbol {
  int32_t ilabel, olabel;
  Weight weight;
  bool operator==(const Symbol &other) const {
    return ilabel == other.ilabel && olabel == other.olabel && weight == other.weight;
  }
};

uint64_t hash_of(float cost) {
  uint32_t bits;
  cost += 0.0f;  // one zero
  std::memcpy(&bits, &cost, sizeof bits);
  return bits;
}
uint64_t hash_of(const TimedWeight &weight) {
  uint64_t hash = (hash_of(weight.begin) << 32 | hash_of(weight.end)) * 0x94D049BB133111EBu;
  return (hash >> 32) ^ hash_of(weight.cost);
}

float quantized(float cost, float delta) { return cost == kNoEnd ? cost : std::floor(cost / delta + 0.5f) * delta; }
TimedWeight quantized(const TimedWeight &weight, float delta) {
  return {quantized(weight.cost, delta), quantized(weight.begin, delta), quantized(weight.end, delta)};
}

// Numbers from 1 on for symbols, in the order in which they are met.
template <class Weight>
class Symbols {
 public:
  Symbols() : table_(1 << 12, 0) {}

  int32_t number(const Symbol<Weight> &symbol) {
    size_t place = slot(symbol);
    for (; table_[place] != 0; place = (place + 1) & (table_.size() - 1))
      if (symbols_[table_[place] - 1] == symbol) return table_[place];
    symbols_.push_back(symbol);
    table_[place] = static_cast<int32_t>(symbols_.size());
    if (2 * symbols_.size() > table_.size()) {
      table_.assign(2 * table_.size(), 0);
      for (size_t i = 0; i < symbols_.size(); i++) {
        size_t to = slot(symbols_[i]);
        while (table_[to] != 0) to = (to + 1) & (table_.size() - 1);
        table_[to] = static_cast<int32_t>(i) + 1;
      }
    }
    return static_cast<int32_t>(symbols_.size());
  }
  const Symbol<Weight> &of(int32_t number) const { return symbols_[number - 1]; }
  void forget_numbers() { std::vector<int32_t>().swap(table_); }

 private:
  size_t slot(const Symbol<Weight> &symbol) const {
    const uint64_t bits = hash_of(symbol.weight);
    uint64_t hash = (static_cast<uint64_t>(static_cast<uint32_t>(symbol.ilabel)) << 32 | bits) * 0x9E3779B97F4A7C15u;
    hash = (hash ^ hash >> 29 ^ static_cast<uint32_t>(symbol.olabel)) * 0xBF58476D1CE4E5B9u;
    return hash >> 20 & (table_.size() - 1);
  }

  std::vector<Symbol<Weight>> symbols_;
  std::vector<int32_t> table_;
};

struct SymbolArc {
  int32_t symbol, state;  // where it leads or, of arcs turned round, where it comes from
};

// Arcs of state s: arcs[offsets[s]] to arcs[offsets[s + 1] - 1]. The last state is the only final one, without arcs.
struct Acceptor {
  int32_t start;
  std::vector<int64_t> offsets;
  std::vector<SymbolArc> arcs;

  int32_t num_states() const { return static_cast<int32_t>(offsets.size()) - 1; }
  int32_t final_state() const { return num_states() - 1; }
};

// Of the states that `kept` marks. Symbols are numbered as all of the FST has them.
template <class Weight>
Acceptor encoded(const WeightedFstView<Weight> &fst, const std::vector<char> &kept, float delta, Symbols<Weight> *symbols) {
  std::vector<int32_t> number(fst.num_states, -1);
  int32_t count = 0;
  for (int32_t s = 0; s < fst.num_states; s++)
    if (kept[s]) number[s] = count++;
  Acceptor made = {number[fst.start], {0}, {}};
  made.offsets.reserve(count + 2);
  made.arcs.reserve(fst.offsets[fst.num_states] + count);
  for (int32_t s = 0; s < fst.num_states; s++) {
    for (const auto *arc = fst.begin(s); arc != fst.end(s); arc++) {
      const int32_t symbol = symbols->number({arc->ilabel, arc->olabel, quantized(arc->weight, delta)});
      if (kept[s] && kept[arc->nextstate]) made.arcs.push_back({symbol, number[arc->nextstate]});
    }
    if (!is_no_end(fst.finals[s])) {
      const int32_t symbol = symbols->number({0, 0, quantized(fst.finals[s], delta)});
      if (kept[s]) made.arcs.push_back({symbol, count});
    }
    if (kept[s]) made.offsets.push_back(static_cast<int64_t>(made.arcs.size()));
  }
  made.offsets.push_back(static_cast<int64_t>(made.arcs.size()));
  return made;
}

// States in an order in which each comes after all that it leads to; empty where there is a cycle.
std::vector<int32_t> from_the_end(const Acceptor &acceptor) {
  enum : char { kNew, kOpen, kDone };
  std::vector<char> seen(acceptor.num_states(), kNew);
  std::vector<int32_t> order;
  std::vector<std::pair<int32_t, int64_t>> path;  // states, and their next arcs
  path.push_back({acceptor.start, acceptor.offsets[acceptor.start]});
  seen[acceptor.start] = kOpen;
  while (!path.empty()) {
    auto &[state, arc] = path.back();
    if (arc == acceptor.offsets[state + 1]) {
      seen[state] = kDone;
      order.push_back(state);
      path.pop_back();
      continue;
    }
    const int32_t next = acceptor.arcs[arc++].state;
    if (seen[next] == kOpen) return {};
    if (seen[next] == kNew) {
      seen[next] = kOpen;
      path.push_back({next, acceptor.offsets[next]});
    }
  }
  return order;
}

bool by_symbol(const SymbolArc &a, const SymbolArc &b) { return a.symbol < b.symbol; }

bool is_deterministic(const Acceptor &acceptor) {
  std::vector<int32_t> symbols;
  for (int32_t s = 0; s < acceptor.num_states(); s++) {
    symbols.clear();
    for (int64_t i = acceptor.offsets[s]; i < acceptor.offsets[s + 1]; i++) symbols.push_back(acceptor.arcs[i].symbol);
    std::sort(symbols.begin(), symbols.end());
    if (std::adjacent_find(symbols.begin(), symbols.end()) != symbols.end()) return false;
  }
  return true;
}

// Revuz: states of the same length of the longest way to the end are told apart by their arcs.
Partition acyclic_partition(Acceptor *acceptor, const std::vector<int32_t> &order) {
  std::vector<int32_t> heights(acceptor->num_states(), 0);
  int32_t most = 0;
  for (const int32_t s : order) {
    std::sort(acceptor->arcs.begin() + acceptor->offsets[s], acceptor->arcs.begin() + acceptor->offsets[s + 1], by_symbol);
    for (int64_t i = acceptor->offsets[s]; i < acceptor->offsets[s + 1]; i++)
      heights[s] = std::max(heights[s], heights[acceptor->arcs[i].state] + 1);
    most = std::max(most, heights[s]);
  }
  Partition partition(acceptor->num_states());
  partition.add_classes(most + 1);
  for (int32_t s = 0; s < acceptor->num_states(); s++) partition.add(s, heights[s]);
  struct Hash {
    size_t operator()(const std::vector<int32_t> &key) const {
      uint64_t hash = key.size();
      for (const int32_t part : key) hash = (hash ^ static_cast<uint32_t>(part)) * 0x9E3779B97F4A7C15u, hash ^= hash >> 29;
      return hash;
    }
  };
  for (int32_t height = 0; height <= most; height++) {
    std::unordered_map<std::vector<int32_t>, int32_t, Hash> classes;  // by symbols and classes that arcs lead to
    std::vector<std::pair<int32_t, int32_t>> moves;
    for (int32_t s = partition.first(height); s >= 0; s = partition.next(s)) {
      std::vector<int32_t> key;
      for (int64_t i = acceptor->offsets[s]; i < acceptor->offsets[s + 1]; i++) {
        key.push_back(acceptor->arcs[i].symbol);
        key.push_back(partition.class_of(acceptor->arcs[i].state));
      }
      const auto found = classes.emplace(std::move(key), height);
      if (found.second && classes.size() > 1) found.first->second = partition.add_classes(1);
      if (found.first->second != height) moves.push_back({s, found.first->second});
    }
    for (const auto &[state, to] : moves) partition.move(state, to);
  }
  return partition;
}

// States that have the same set of symbols on their arcs, as far as a hash tells, which takes arcs as they are ordered.
Partition first_partition(const Acceptor &acceptor) {
  Partition partition(acceptor.num_states());
  std::vector<int32_t> of_state(acceptor.num_states());
  {
    std::unordered_map<uint64_t, int32_t> of_hash;
    int32_t count = 0;
    for (int32_t s = 0; s < acceptor.num_states(); s++) {
      if (s == acceptor.final_state()) {
        of_state[s] = count++;
        continue;
      }
      uint64_t hash = 433024223;
      int32_t before = -1;
      for (int64_t i = acceptor.offsets[s]; i < acceptor.offsets[s + 1]; i++)
        if (acceptor.arcs[i].symbol != before) {
          before = acceptor.arcs[i].symbol;
          hash = 7603 * hash + before;
        }
      const auto found = of_hash.emplace(hash, count);
      of_state[s] = found.second ? count++ : found.first->second;
    }
    partition.add_classes(count);
  }
  for (int32_t s = 0; s < acceptor.num_states(); s++) partition.add(s, of_state[s]);
  return partition;
}

// Arcs turned round, those into each state in the order of their symbols.
Acceptor turned(const Acceptor &acceptor) {
  Acceptor made = {0, std::vector<int64_t>(acceptor.offsets.size(), 0), std::vector<SymbolArc>(acceptor.arcs.size())};
  for (const SymbolArc &arc : acceptor.arcs) made.offsets[arc.state + 1]++;
  for (size_t s = 1; s < made.offsets.size(); s++) made.offsets[s] += made.offsets[s - 1];
  std::vector<int64_t> next(made.offsets.begin(), made.offsets.end() - 1);
  for (int32_t s = 0; s < acceptor.num_states(); s++)
    for (int64_t i = acceptor.offsets[s]; i < acceptor.offsets[s + 1]; i++)
      made.arcs[next[acceptor.arcs[i].state]++] = {acceptor.arcs[i].symbol, s};
  for (int32_t s = 0; s < acceptor.num_states(); s++)
    std::sort(made.arcs.begin() + made.offsets[s], made.arcs.begin() + made.offsets[s + 1], by_symbol);
  return made;
}

// Hopcroft: classes are split by which of their states have an arc of a symbol into a class, until none can be.
Partition cyclic_partition(const Acceptor &acceptor) {
  struct Place {
    int32_t symbol;
    int64_t arc, end;
    bool operator<(const Place &other) const { return symbol > other.symbol; }
  };
  const Acceptor into = turned(acceptor);
  Partition partition = first_partition(acceptor);
  std::vector<int32_t> waiting(partition.num_classes());  // classes
  for (int32_t c = 0; c < partition.num_classes(); c++) waiting[c] = c;
  std::priority_queue<Place> places;
  while (!waiting.empty()) {
    const int32_t target = waiting.back();
    waiting.pop_back();
    for (int32_t s = partition.first(target); s >= 0; s = partition.next(s))
      if (into.offsets[s] < into.offsets[s + 1])
        places.push({into.arcs[into.offsets[s]].symbol, into.offsets[s], into.offsets[s + 1]});
    int32_t symbol = -1;
    while (!places.empty()) {
      Place place = places.top();
      places.pop();
      if (place.symbol != symbol) partition.finish_split(&waiting);
      symbol = place.symbol;
      const int32_t from = into.arcs[place.arc].state;
      if (partition.size(partition.class_of(from)) > 1) partition.split_on(from);
      if (++place.arc < place.end) {
        place.symbol = into.arcs[place.arc].symbol;
        places.push(place);
      }
    }
    partition.finish_split(&waiting);
  }
  return partition;
}

// One state for each class: its first one; arcs in the order of symbols, then of states, each one once. States keep their
// order. The arcs to the final state become final costs again.
template <class Weight>
PackedWeightedFst<Weight> merged(const Acceptor &acceptor, const Partition &partition, const Symbols<Weight> &symbols) {
  PackedWeightedFst<Weight> made;
  std::vector<int32_t> number(partition.num_classes(), -1);  // by class
  int32_t count = 0;
  for (int32_t s = 0; s < acceptor.final_state(); s++)
    if (partition.first(partition.class_of(s)) == s) number[partition.class_of(s)] = count++;
  made.finals.reserve(count);
  made.offsets.reserve(count + 1);
  std::vector<SymbolArc> arcs;
  const auto before = [](const SymbolArc &a, const SymbolArc &b) {
    return a.symbol != b.symbol ? a.symbol < b.symbol : a.state < b.state;
  };
  for (int32_t s = 0; s < acceptor.final_state(); s++) {
    const int32_t own = partition.class_of(s);
    if (partition.first(own) != s) continue;
    arcs.clear();
    Weight final_weight = no_end<Weight>();
    for (int32_t member = s; member >= 0; member = partition.next(member))
      for (int64_t i = acceptor.offsets[member]; i < acceptor.offsets[member + 1]; i++) {
        const SymbolArc &arc = acceptor.arcs[i];
        if (arc.state == acceptor.final_state())
          final_weight = std::min(final_weight, symbols.of(arc.symbol).weight);
        else
          arcs.push_back({arc.symbol, number[partition.class_of(arc.state)]});
      }
    std::sort(arcs.begin(), arcs.end(), before);
    for (size_t i = 0; i < arcs.size(); i++) {
      if (i > 0 && !before(arcs[i - 1], arcs[i])) continue;
      const Symbol<Weight> &symbol = symbols.of(arcs[i].symbol);
      made.arcs.push_back({symbol.ilabel, symbol.olabel, symbol.weight, arcs[i].state});
    }
    made.end_state(final_weight);
  }
  made.start = number[partition.class_of(acceptor.start)];
  return made;
}

}  // namespace

template <class Weight>
PackedWeightedFst<Weight> encoded_minimized(const WeightedFstView<Weight> &fst, float delta) {
  const std::vector<char> kept = on_paths(fst);
  const int64_t count = std::count(kept.begin(), kept.end(), 1);
  if (count == 0) return {};
  if (count == INT32_MAX) throw std::length_error("the FST has too many states");
  Symbols<Weight> symbols;
  Acceptor acceptor = encoded(fst, kept, delta, &symbols);
  symbols.forget_numbers();
  std::vector<int32_t> order = from_the_end(acceptor);
  if (order.empty() || !is_deterministic(acceptor)) {
    order = {};
    return merged(acceptor, cyclic_partition(acceptor), symbols);
  }
  const Partition partition = acyclic_partition(&acceptor, order);
  return merged(acceptor, partition, symbols);
}

template PackedFst encoded_minimized(const FstView &, float);
template PackedWeightedFst<TimedWeight> encoded_minimized(const WeightedFstView<TimedWeight> &, float);

}  // namespace kaldi_bridge
