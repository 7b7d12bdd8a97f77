#include "search.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <unordered_map>

#include "pool.h"

namespace kaldi_bridge {

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

struct Token;

struct Link {
  Token *target;
  int32_t tid, word;
  float graph, acoustic;
  Link *next;
};

struct Token {
  float cost, extra;
  Link *links;
  Token *next;  // of the same frame
  Token *back;  // where the best path came from
  int32_t state;
  int32_t number;  // in the lattice
};

// The tokens of the newest frame by state: open addressing, emptied by going over its entries.
class Active {
 public:
  Active() : table_(1 << 10, nullptr) {}

  Token *&at(int32_t state) {
    if (2 * tokens_.size() >= table_.size()) grow();
    return table_[find(state)];
  }
  void added(Token *token) { tokens_.push_back(token); }
  const std::vector<Token *> &tokens() const { return tokens_; }

  // Empties the table and hands over the tokens.
  void take(std::vector<Token *> *tokens) {
    for (Token *token : tokens_) slots_.push_back(find(token->state));
    for (size_t slot : slots_) table_[slot] = nullptr;
    slots_.clear();
    tokens->swap(tokens_);
    tokens_.clear();
  }

 private:
  size_t find(int32_t state) const {
    const size_t mask = table_.size() - 1;
    size_t i = (static_cast<uint32_t>(state) * 2654435769u >> 7) & mask;
    while (table_[i] != nullptr && table_[i]->state != state) i = (i + 1) & mask;
    return i;
  }
  void grow() {
    table_.assign(2 * table_.size(), nullptr);
    for (Token *token : tokens_) table_[find(token->state)] = token;
  }

  std::vector<Token *> table_, tokens_;
  std::vector<size_t> slots_;
};

struct Frame {
  Token *tokens = nullptr;
  bool prune_links = true, prune_tokens = true;
};

}  // namespace

class Search {
 public:
  Search(const Graph &graph, const SearchOptions &options, float scale)
      : graph_(graph.states()), pdfs_(graph.pdfs()), start_(graph_->start()), options_(options), scale_(scale) {
    frames_.resize(1);
    if (start_ < 0) return;  // a graph without paths
    add(start_, 0.0f, nullptr);
    follow_epsilons(options_.beam);
  }

  void advance(const float *likelihoods, int64_t frames, int64_t pdfs) {
    for (int64_t t = 0; t < frames && !active_.tokens().empty(); t++) {
      if (num_frames() % options_.prune_interval == 0) prune_active(options_.lattice_beam * options_.prune_scale);
      const float cutoff = emit(likelihoods + t * pdfs);
      follow_epsilons(cutoff);
      graph_->trim();
    }
  }

  int64_t num_frames() const { return frames_.size() - 1; }

  float final_relative_cost() const {
    float best = kInf, best_final = kInf;
    for (const Token *token : active_.tokens()) {
      best = std::min(best, token->cost);
      best_final = std::min(best_final, token->cost + graph_->final(token->state));
    }
    return best_final == kInf ? kInf : best_final - best;
  }

  std::vector<std::pair<int32_t, int32_t>> best_alignment() const {
    std::vector<std::pair<int32_t, int32_t>> steps;
    for (const Step &step : best_path())
      if (step.link->tid != 0) steps.emplace_back(step.link->tid, step.from->state);
    return steps;
  }

  std::vector<int32_t> best_words() const {
    std::vector<int32_t> words;
    for (const Step &step : best_path())
      if (step.link->word != 0) words.push_back(step.link->word);
    return words;
  }

  int64_t marked_at_end(const bool *marked, int64_t size) const {
    int64_t count = 0;
    walk_back([&](const Step &step) {
      const int32_t tid = step.link->tid;
      if (tid == 0) return true;
      if (tid >= size || !marked[tid]) return false;
      count++;
      return true;
    });
    return count;
  }

  SearchResult result_so_far() {
    if (active_.tokens().empty()) return {};
    prune_active(options_.lattice_beam * options_.prune_scale);
    return {lattice(false), false};
  }

  SearchResult result() {
    if (active_.tokens().empty()) return {};
    const bool reached_final = finish();
    return {lattice(reached_final), reached_final};
  }

 private:
  struct Step {
    const Token *from;
    const Link *link;
  };

  // The best path of the tokens so far, final or not, from its end on, while `visit` gives true.
  template <class Visit>
  void walk_back(const Visit &visit) const {
    const Token *token = nullptr;
    for (const Token *other : active_.tokens())
      if (token == nullptr || other->cost < token->cost) token = other;
    for (; token != nullptr && token->back != nullptr; token = token->back) {
      const Link *best = nullptr;
      for (const Link *link = token->back->links; link != nullptr; link = link->next)
        if (link->target == token &&
            (best == nullptr || link->graph + link->acoustic < best->graph + best->acoustic))
          best = link;
      if (best == nullptr) throw std::logic_error("the search dropped a link of the best path");
      if (!visit(Step{token->back, best})) return;
    }
  }

  std::vector<Step> best_path() const {
    std::vector<Step> steps;
    walk_back([&](const Step &step) {
      steps.push_back(step);
      return true;
    });
    std::reverse(steps.begin(), steps.end());
    return steps;
  }

  // The token of a state on the newest frame, to which the best path `came` from another one unless an earlier one was
  // better; with a better cost than before, or new, it is `changed`.
  Token *add(int32_t state, float cost, Token *came, bool *changed = nullptr) {
    Token *&place = active_.at(state);
    Token *token = place;
    const bool fresh = token == nullptr;
    if (fresh) {
      token = place = tokens_.make({cost, 0.0f, nullptr, frames_.back().tokens, came, state, 0});
      frames_.back().tokens = token;
      active_.added(token);
    }
    const bool improved = !fresh && cost < token->cost;
    if (improved) {
      token->cost = cost;
      token->back = came;
    }
    if (changed != nullptr) *changed = fresh || improved;
    return token;
  }

  void link(Token *from, Token *to, int32_t tid, int32_t word, float graph, float acoustic) {
    from->links = links_.make({to, tid, word, graph, acoustic, from->links});
  }

  // The cost above which tokens are dropped, from the beam and the limits on their number, and the beam that amounts to.
  float cutoff(const std::vector<Token *> &tokens, float *adaptive_beam, const Token **best) {
    float best_cost = kInf;
    costs_.clear();
    for (const Token *token : tokens) {
      costs_.push_back(token->cost);
      if (token->cost < best_cost) {
        best_cost = token->cost;
        *best = token;
      }
    }
    const float beam_cutoff = best_cost + options_.beam;
    const size_t max_active = options_.max_active, min_active = options_.min_active;
    *adaptive_beam = options_.beam;
    if (costs_.size() > max_active) {
      std::nth_element(costs_.begin(), costs_.begin() + max_active, costs_.end());
      if (costs_[max_active] < beam_cutoff) {
        *adaptive_beam = costs_[max_active] - best_cost + options_.beam_delta;
        return costs_[max_active];
      }
    }
    if (costs_.size() > min_active && min_active > 0) {
      const auto end = costs_.size() > max_active ? costs_.begin() + max_active : costs_.end();
      std::nth_element(costs_.begin(), costs_.begin() + min_active, end);
      if (costs_[min_active] > beam_cutoff) {
        *adaptive_beam = costs_[min_active] - best_cost + options_.beam_delta;
        return costs_[min_active];
      }
    } else if (costs_.size() <= min_active) {
      *adaptive_beam = kInf;
      return kInf;
    }
    return beam_cutoff;
  }

  // Follows the arcs that emit; returns the cutoff for the new frame.
  float emit(const float *likelihoods) {
    frames_.emplace_back();
    active_.take(&previous_);
    const Token *best = nullptr;
    float beam;
    const float worst = cutoff(previous_, &beam, &best);
    float next_cutoff = kInf, offset = 0.0f;
    if (best != nullptr) {  // a first, tight bound; costs are kept small by an offset, undone in the lattice
      offset = -best->cost;
      const GraphArcs arcs = graph_->arcs(best->state);
      for (const FstArc *arc = arcs.emitting; arc != arcs.end; ++arc) {
        const float cost = arc->weight - scale_ * likelihoods[pdfs_[arc->ilabel]];
        next_cutoff = std::min(next_cutoff, cost + beam);
      }
    }
    offsets_.push_back(offset);
    for (Token *token : previous_) {
      if (token->cost > worst) continue;
      const GraphArcs arcs = graph_->arcs(token->state);
      for (const FstArc *arc = arcs.emitting; arc != arcs.end; ++arc) {
        const float acoustic = offset - scale_ * likelihoods[pdfs_[arc->ilabel]];
        const float cost = token->cost + acoustic + arc->weight;
        if (!(cost < next_cutoff)) continue;
        if (cost + beam < next_cutoff) next_cutoff = cost + beam;
        link(token, add(arc->nextstate, cost, token), arc->ilabel, arc->olabel, arc->weight, acoustic);
      }
    }
    return next_cutoff;
  }

  void free_links(Token *token) {
    for (Link *link = token->links, *next; link != nullptr; link = next) {
      next = link->next;
      links_.free(link);
    }
    token->links = nullptr;
  }

  void follow_epsilons(float worst) {
    queue_.clear();
    for (Token *token : active_.tokens())
      if (token->cost < worst && graph_->arcs(token->state).has_epsilons()) queue_.push_back(token);
    while (!queue_.empty()) {
      Token *token = queue_.back();
      queue_.pop_back();
      free_links(token);  // of an earlier visit
      const GraphArcs arcs = graph_->arcs(token->state);
      for (const FstArc *arc = arcs.begin; arc != arcs.emitting; ++arc) {
        const float cost = token->cost + arc->weight;
        if (!(cost < worst)) continue;
        bool changed;
        Token *target = add(arc->nextstate, cost, token, &changed);
        link(token, target, 0, arc->olabel, arc->weight, 0.0f);
        if (changed && graph_->arcs(arc->nextstate).has_epsilons()) queue_.push_back(target);
      }
    }
  }

  // Drops a token's links beyond the lattice beam; returns the smallest extra cost of those that stay.
  float prune_links_of(Token *token, bool *pruned) {
    float smallest = kInf;
    for (Link **place = &token->links; *place != nullptr;) {
      Link *link = *place;
      const float extra =
          link->target->extra + ((token->cost + link->acoustic + link->graph) - link->target->cost);
      if (!(extra <= options_.lattice_beam)) {
        *place = link->next;
        links_.free(link);
        *pruned = true;
      } else {
        smallest = std::min(smallest, std::max(extra, 0.0f));
        place = &link->next;
      }
    }
    return smallest;
  }

  // Until the extra costs of a frame's tokens, which may link to each other, change by no more than `delta`.
  void prune_links(size_t frame, float delta, bool *extras_changed, bool *pruned) {
    for (bool changed = true; changed;) {
      changed = false;
      for (Token *token = frames_[frame].tokens; token != nullptr; token = token->next) {
        const float extra = prune_links_of(token, pruned);
        if (std::fabs(extra - token->extra) > delta) changed = true;  // false when both are infinite
        token->extra = extra;
      }
      *extras_changed |= changed;
    }
  }

  void prune_tokens(size_t frame) {
    for (Token **place = &frames_[frame].tokens; *place != nullptr;) {
      Token *token = *place;
      if (token->extra == kInf) {
        *place = token->next;
        free_links(token);
        tokens_.free(token);
      } else {
        place = &token->next;
      }
    }
  }

  void prune_active(float delta) {
    const size_t newest = frames_.size() - 1;
    for (size_t f = newest; f-- > 0;) {
      if (frames_[f].prune_links) {
        bool extras_changed = false, pruned = false;
        prune_links(f, delta, &extras_changed, &pruned);
        if (extras_changed && f > 0) frames_[f - 1].prune_links = true;
        if (pruned) frames_[f].prune_tokens = true;
        frames_[f].prune_links = false;
      }
      if (f + 1 < newest && frames_[f + 1].prune_tokens) {
        prune_tokens(f + 1);
        frames_[f + 1].prune_tokens = false;
      }
    }
  }

  // Prunes with the final costs; whether a final state was reached.
  bool finish() {
    float best = kInf, best_final = kInf;
    for (const Token *token : active_.tokens()) {
      best = std::min(best, token->cost);
      best_final = std::min(best_final, token->cost + graph_->final(token->state));
    }
    const bool reached_final = best_final < kInf;
    const size_t last = frames_.size() - 1;
    bool pruned = false;
    for (bool changed = true; changed;) {
      changed = false;
      for (Token *token = frames_[last].tokens; token != nullptr; token = token->next) {
        float extra = token->cost + (reached_final ? graph_->final(token->state) - best_final : -best);
        extra = std::min(extra, prune_links_of(token, &pruned));
        if (!(extra <= options_.lattice_beam)) extra = kInf;
        const float change = extra == token->extra ? 0.0f : std::fabs(extra - token->extra);
        if (change == kInf || change > 1e-5f * (std::fabs(extra) + 1e-5f)) changed = true;
        token->extra = extra;
      }
    }
    for (size_t f = last; f-- > 0;) {
      bool extras_changed = false;
      prune_links(f, 0.0f, &extras_changed, &pruned);
      prune_tokens(f + 1);
    }
    prune_tokens(0);
    return reached_final;
  }

  Lattice lattice(bool reached_final) {
    int32_t count = 0;
    int32_t start = -1;
    for (size_t f = 0; f < frames_.size(); f++) {
      for (Token *token = frames_[f].tokens; token != nullptr; token = token->next) {
        if (f == 0 && token->state == start_) start = count;
        token->number = count++;
      }
    }
    if (start < 0) return {};
    auto number = [&](int32_t n) { return n == start ? 0 : n == 0 ? start : n; };  // the start state comes first
    Lattice states(count);
    for (size_t f = 0; f < frames_.size(); f++) {
      for (const Token *token = frames_[f].tokens; token != nullptr; token = token->next) {
        State &state = states[number(token->number)];
        for (const Link *link = token->links; link != nullptr; link = link->next) {
          const float acoustic = link->tid != 0 ? link->acoustic - offsets_[f] : 0.0f;
          state.arcs.push_back({link->tid, link->word, {link->graph, acoustic}, number(link->target->number)});
        }
        if (f + 1 == frames_.size()) {
          const float final = reached_final ? graph_->final(token->state) : 0.0f;
          if (final < kInf) state.final = {final, 0.0};
        }
      }
    }
    if (!sort_topologically(&states))
      throw std::invalid_argument("the graph leads in a circle without emitting anything, which is not allowed");
    return states;
  }

  const std::shared_ptr<GraphStates> graph_;
  const int32_t *const pdfs_;
  const int32_t start_;
  const SearchOptions options_;
  const float scale_;
  Pool<Token> tokens_;
  Pool<Link> links_;
  Active active_;
  std::vector<Frame> frames_;
  std::vector<float> offsets_, costs_;
  std::vector<Token *> previous_, queue_;
};

SearchResult search(const Graph &graph, const SearchOptions &options, const float *log_likelihoods, int64_t frames,
                    int64_t pdfs, float scale) {
  Search search(graph, options, scale);
  search.advance(log_likelihoods, frames, pdfs);
  return search.result();
}

OnlineSearch::OnlineSearch(const Graph &graph, const SearchOptions &options, float scale)
    : search_(new Search(graph, options, scale)) {}
OnlineSearch::~OnlineSearch() = default;
void OnlineSearch::advance(const float *log_likelihoods, int64_t frames, int64_t pdfs) {
  search_->advance(log_likelihoods, frames, pdfs);
}
int64_t OnlineSearch::num_frames() const { return search_->num_frames(); }
float OnlineSearch::final_relative_cost() const { return search_->final_relative_cost(); }
std::vector<std::pair<int32_t, int32_t>> OnlineSearch::best_alignment() const { return search_->best_alignment(); }
int64_t OnlineSearch::marked_at_end(const bool *marked, int64_t size) const {
  return search_->marked_at_end(marked, size);
}
std::vector<int32_t> OnlineSearch::best_words() const { return search_->best_words(); }
SearchResult OnlineSearch::result_so_far() { return search_->result_so_far(); }
SearchResult OnlineSearch::result() { return search_->result(); }

BestPath best_path(const Lattice &lattice) {
  BestPath best;
  if (lattice.empty()) return best;
  std::vector<Cost> costs(lattice.size(), kNoCost);
  std::vector<std::pair<int32_t, const Arc *>> from(lattice.size(), {-1, nullptr});
  costs[0] = {0.0, 0.0};
  int32_t last = -1;
  for (size_t s = 0; s < lattice.size(); s++) {
    if (costs[s].is_infinite()) continue;
    if (!lattice[s].final.is_infinite() && better(costs[s] + lattice[s].final, best.cost)) {
      best.cost = costs[s] + lattice[s].final;
      last = s;
    }
    for (const Arc &arc : lattice[s].arcs) {
      const Cost cost = costs[s] + arc.cost;
      if (better(cost, costs[arc.next])) {
        costs[arc.next] = cost;
        from[arc.next] = {static_cast<int32_t>(s), &arc};
      }
    }
  }
  for (int32_t s = last; s >= 0 && from[s].second != nullptr; s = from[s].first) {
    if (from[s].second->word != 0) best.words.push_back(from[s].second->word);
    if (from[s].second->tid != 0) best.tids.push_back(from[s].second->tid);
  }
  std::reverse(best.words.begin(), best.words.end());
  std::reverse(best.tids.begin(), best.tids.end());
  return best;
}

}  // namespace kaldi_bridge
