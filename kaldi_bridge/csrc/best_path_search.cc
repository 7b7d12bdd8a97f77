#include "best_path_search.h"

#include <algorithm>
#include <limits>
#include <unordered_set>
#include <utility>

#include "pool.h"

namespace kaldi_bridge {

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

// The end of a path; shared by those that go on from it, and freed with the last of them.
struct Token {
  double cost;
  Token *back;
  int32_t tid, word;
  float graph;
  int32_t uses;
};

struct Entry {
  int32_t state;
  Token *token;
  int32_t next;  // in the same bucket; -1: none
};

// The tokens of the newest frame by state. They are gone through as Kaldi's HashList does it: bucket by bucket in the order
// in which these came into use, those of a bucket in the order of their coming.
class Active {
 public:
  explicit Active(const TableSize &size) : ratio_(size.ratio), buckets_(size.buckets) {}

  // The place of a state's token, and whether it is new (and then empty).
  std::pair<int32_t, bool> place(int32_t state) {
    Bucket &bucket = buckets_[state % buckets_.size()];
    for (int32_t i = bucket.first; i >= 0; i = entries_[i].next)
      if (entries_[i].state == state) return {i, false};
    const int32_t place = entries_.size();
    entries_.push_back({state, nullptr, -1});
    if (bucket.first < 0) {
      bucket.first = place;
      used_.push_back(state % buckets_.size());
    } else {
      entries_[bucket.last].next = place;
    }
    bucket.last = place;
    return {place, true};
  }
  Entry &at(int32_t place) { return entries_[place]; }
  size_t buckets() const { return buckets_.size(); }

  // All places in order.
  std::vector<int32_t> places() const {
    std::vector<int32_t> found;
    found.reserve(entries_.size());
    for (size_t bucket : used_)
      for (int32_t i = buckets_[bucket].first; i >= 0; i = entries_[i].next) found.push_back(i);
    return found;
  }

  // Hands over the entries, in order, and makes room for as many times as many as the ratio says.
  std::vector<Entry> take() {
    std::vector<Entry> found;
    found.reserve(entries_.size());
    for (int32_t place : places()) found.push_back(entries_[place]);
    for (size_t bucket : used_) buckets_[bucket] = {};
    used_.clear();
    entries_.clear();
    const size_t wanted = static_cast<size_t>(static_cast<float>(found.size()) * ratio_);
    if (wanted > buckets_.size()) buckets_.assign(wanted, {});
    return found;
  }

 private:
  struct Bucket {
    int32_t first = -1, last = -1;
  };
  const float ratio_;
  std::vector<Bucket> buckets_;
  std::vector<size_t> used_;
  std::vector<Entry> entries_;
};

}  // namespace

class BestPathSearch {
 public:
  BestPathSearch(const Graph &graph, const SearchOptions &options, float scale, const TableSize &size)
      : graph_(graph.states()), pdfs_(graph.pdfs()), options_(options), scale_(scale), active_(size) {
    const int32_t start = graph_->start();
    if (start < 0) return;
    active_.at(active_.place(start).first).token = tokens_.make({0.0, nullptr, 0, 0, 0.0f, 1});
    follow_epsilons(std::numeric_limits<float>::max());
  }

  void advance(const float *likelihoods) {
    follow_epsilons(emit(likelihoods));
    graph_->trim();
  }

  FoundPath best() {
    FoundPath found;
    found.buckets = active_.buckets();
    const auto [best, final] = best_end(&found.reached_final);
    if (best == nullptr) return found;
    const std::vector<const Token *> way = way_back(best, nullptr);
    float graph = 0.0f, acoustic = 0.0f;
    found.lattice.start = 0;
    found.lattice.offsets = {0};
    for (auto token = way.rbegin(); token != way.rend(); ++token) {
      if ((*token)->tid != 0) found.path.tids.push_back((*token)->tid);
      if ((*token)->word != 0) found.path.words.push_back((*token)->word);
      const float step = static_cast<float>((*token)->cost - (*token)->back->cost) - (*token)->graph;
      graph += (*token)->graph;
      acoustic += step;
      const int32_t next = static_cast<int32_t>(found.lattice.arcs.size()) + 1;
      found.lattice.arcs.push_back({(*token)->tid, (*token)->word, (*token)->graph, step, next});
      found.lattice.offsets.push_back(next);
      found.lattice.finals.push_back({kNotFinal, kNotFinal});
    }
    found.lattice.offsets.push_back(found.lattice.offsets.back());
    found.lattice.finals.push_back({final, 0.0f});
    found.path.cost = {graph + final, acoustic};
    return found;
  }

  bool settle() {
    Token *common = common_token();
    if (common != nullptr) {
      common->uses++;
      release(settled_before_);
      settled_before_ = settled_;
      settled_ = common;
    }
    return settled_ != settled_before_;
  }
  std::vector<int32_t> settled_words() const { return words_between(settled_, settled_before_); }
  std::vector<int32_t> words_after_settled() {
    bool reached_final;
    return words_between(best_end(&reached_final).first, settled_);
  }

 private:
  // The best end of a path that may end there, with its final cost; of any path where none may.
  std::pair<const Token *, float> best_end(bool *reached_final) {
    const std::vector<int32_t> places = active_.places();
    const Token *best = nullptr;
    double best_cost = kInf;
    float final = 0.0f;
    for (int32_t place : places) {
      const Token *token = active_.at(place).token;
      const float cost = graph_->final(active_.at(place).state);
      if (token->cost + cost < best_cost) {
        best_cost = token->cost + cost;
        best = token;
        final = cost;
      }
    }
    *reached_final = best != nullptr;
    for (int32_t place : places) {
      const Token *token = active_.at(place).token;
      if (!*reached_final && token->cost < best_cost) {
        best_cost = token->cost;
        best = token;
      }
    }
    return {best, final};
  }

  // The steps to a token after another one on the same way (null: from the start), the last one first.
  static std::vector<const Token *> way_back(const Token *to, const Token *from) {
    std::vector<const Token *> way;
    for (; to != nullptr && to != from && to->back != nullptr; to = to->back) way.push_back(to);
    return way;
  }

  static std::vector<int32_t> words_between(const Token *to, const Token *from) {
    std::vector<int32_t> words;
    for (const Token *token : way_back(to, from))
      if (token->word != 0) words.push_back(token->word);
    std::reverse(words.begin(), words.end());
    return words;
  }

  // The newest token after a frame that all paths go through; null: there is none.
  Token *common_token() {
    const auto emitted = [](Token *token) {
      while (token != nullptr && token->tid == 0) token = token->back;
      return token;
    };
    std::unordered_set<Token *> tokens, before;
    for (const int32_t place : active_.places())
      if (Token *token = emitted(active_.at(place).token)) tokens.insert(token);
    for (; tokens.size() > 1; tokens.swap(before)) {
      before.clear();
      for (Token *token : tokens)
        if (Token *back = emitted(token->back)) before.insert(back);
    }
    return tokens.empty() ? nullptr : *tokens.begin();
  }

  void release(Token *token) {
    while (token != nullptr && --token->uses == 0) {
      Token *back = token->back;
      tokens_.free(token);
      token = back;
    }
  }

  // A path to a state, unless there is one that is no worse; returns its place where it stays, else -1.
  int32_t go(Token *from, const FstArc &arc, double cost) {
    const auto [place, is_new] = active_.place(arc.nextstate);
    Token *&token = active_.at(place).token;
    if (!is_new && !(cost < token->cost)) return -1;
    if (!is_new) release(token);
    from->uses++;
    token = tokens_.make({cost, from, arc.ilabel, arc.olabel, arc.weight, 1});
    return place;
  }

  // The cost above which tokens are dropped, and the beam that amounts to.
  double cutoff(const std::vector<Entry> &entries, float *adaptive_beam, const Entry **best) {
    double best_cost = kInf;
    costs_.clear();
    for (const Entry &entry : entries) {
      costs_.push_back(static_cast<float>(entry.token->cost));
      if (entry.token->cost < best_cost) {
        best_cost = entry.token->cost;
        *best = &entry;
      }
    }
    const size_t max_active = options_.max_active, min_active = options_.min_active;
    const double beam_cutoff = best_cost + options_.beam;
    double largest = kInf, smallest = min_active == 0 ? best_cost : kInf;
    if (costs_.size() > max_active) largest = nth(max_active, costs_.size());
    if (largest < beam_cutoff) {
      *adaptive_beam = largest - best_cost + options_.beam_delta;
      return largest;
    }
    if (min_active > 0 && costs_.size() > min_active) smallest = nth(min_active, std::min(costs_.size(), max_active));
    if (smallest > beam_cutoff) {
      *adaptive_beam = smallest - best_cost + options_.beam_delta;
      return smallest;
    }
    *adaptive_beam = options_.beam;
    return beam_cutoff;
  }

  float nth(size_t n, size_t end) {
    std::nth_element(costs_.begin(), costs_.begin() + n, costs_.begin() + end);
    return costs_[n];
  }

  // Follows the arcs that emit; returns the cutoff for the new frame.
  double emit(const float *likelihoods) {
    const std::vector<Entry> previous = active_.take();
    const Entry *best = nullptr;
    float beam;
    const double worst = cutoff(previous, &beam, &best);
    double next_cutoff = kInf;
    if (best != nullptr) {  // a first, tight bound
      const GraphArcs arcs = graph_->arcs(best->state);
      for (const FstArc *arc = arcs.emitting; arc != arcs.end; ++arc) {
        const float acoustic = -(scale_ * likelihoods[pdfs_[arc->ilabel]]);
        next_cutoff = std::min(next_cutoff, arc->weight + best->token->cost + acoustic + beam);
      }
    }
    for (const Entry &entry : previous) {
      Token *token = entry.token;
      if (token->cost < worst) {
        const GraphArcs arcs = graph_->arcs(entry.state);
        for (const FstArc *arc = arcs.emitting; arc != arcs.end; ++arc) {
          const float acoustic = -(scale_ * likelihoods[pdfs_[arc->ilabel]]);
          const double cost = arc->weight + token->cost + acoustic;
          if (!(cost < next_cutoff)) continue;
          next_cutoff = std::min(next_cutoff, cost + beam);
          go(token, *arc, token->cost + arc->weight + acoustic);
        }
      }
      release(token);
    }
    return next_cutoff;
  }

  void follow_epsilons(double worst) {
    queue_ = active_.places();
    while (!queue_.empty()) {
      const Entry entry = active_.at(queue_.back());
      queue_.pop_back();
      if (entry.token->cost > worst) continue;
      const GraphArcs arcs = graph_->arcs(entry.state);
      for (const FstArc *arc = arcs.begin; arc != arcs.emitting; ++arc) {
        const double cost = entry.token->cost + arc->weight;
        if (cost > worst) continue;
        const int32_t place = go(entry.token, *arc, cost);
        if (place >= 0) queue_.push_back(place);
      }
    }
  }

  std::shared_ptr<GraphStates> graph_;
  const int32_t *pdfs_;  // of transition-ids
  const SearchOptions options_;
  const float scale_;
  Pool<Token> tokens_;
  Active active_;
  Token *settled_ = nullptr, *settled_before_ = nullptr;  // null: the start
  std::vector<int32_t> queue_;
  std::vector<float> costs_;  // rounded, as in Kaldi, which lets the token that sets the limit pass or not
};

FoundPath search_best_path(const Graph &graph, const SearchOptions &options, const float *log_likelihoods, int64_t frames,
                           int64_t pdfs, float scale, const TableSize &size) {
  BestPathSearch search(graph, options, scale, size);
  for (int64_t t = 0; t < frames; t++) search.advance(log_likelihoods + t * pdfs);
  return search.best();
}

OnlineBestPathSearch::OnlineBestPathSearch(const Graph &graph, const SearchOptions &options, float scale,
                                           const TableSize &size)
    : search_(std::make_unique<BestPathSearch>(graph, options, scale, size)) {}

OnlineBestPathSearch::~OnlineBestPathSearch() = default;

void OnlineBestPathSearch::advance(const float *log_likelihoods, int64_t frames, int64_t pdfs) {
  for (int64_t t = 0; t < frames; t++) search_->advance(log_likelihoods + t * pdfs);
}

bool OnlineBestPathSearch::settle() { return search_->settle(); }
std::vector<int32_t> OnlineBestPathSearch::settled_words() const { return search_->settled_words(); }
std::vector<int32_t> OnlineBestPathSearch::words_after_settled() { return search_->words_after_settled(); }
FoundPath OnlineBestPathSearch::best() { return search_->best(); }

}  // namespace kaldi_bridge
