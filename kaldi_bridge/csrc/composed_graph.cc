#include "composed_graph.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "components.h"
#include "unfolded_arcs.h"

namespace kaldi_bridge {

SearchLexicon::SearchLexicon(const FstView &fst, ReachableLabels reachable, const std::vector<int32_t> &tid_to_pdf,
                             const std::vector<int32_t> &disambig)
    : fst_(fst), reachable_(std::move(reachable)), pdf_of_label_(tid_to_pdf) {
  if (reachable_.of_input || reachable_.num_states() != fst.num_states)
    throw std::invalid_argument("what the lexicon says about output labels is not for it");
  pdf_of_label_.resize(std::max<size_t>(pdf_of_label_.size(), 1));
  constexpr int32_t kUnknown = -2;
  std::replace_if(pdf_of_label_.begin(), pdf_of_label_.end(), [](int32_t pdf) { return pdf < 0; }, kUnknown);
  for (const int32_t label : disambig) {
    if (label < 0) throw std::invalid_argument("a disambiguation symbol is negative");
    if (static_cast<size_t>(label) >= pdf_of_label_.size()) pdf_of_label_.resize(label + 1, kUnknown);
    pdf_of_label_[label] = -1;
  }
  pdf_of_label_[0] = -1;
  for (int32_t s = 0; s < fst.num_states; s++) {
    for (int64_t i = fst.offsets[s]; i < fst.offsets[s + 1]; i++) {
      const FstArc &arc = fst.arcs[i];
      if (i > fst.offsets[s] && arc.olabel < fst.arcs[i - 1].olabel)
        throw std::invalid_argument("the lexicon is not sorted by output label: sort it with fstarcsort");
      if (static_cast<size_t>(arc.ilabel) >= pdf_of_label_.size() || pdf_of_label_[arc.ilabel] == kUnknown)
        throw std::invalid_argument("the graph has the input label " + std::to_string(arc.ilabel) +
                                    ", which is no transition-id of the model: they do not belong together");
      num_pdfs_ = std::max(num_pdfs_, pdf_of_label_[arc.ilabel] + 1);
    }
  }
  find_cycles();
}

void SearchLexicon::find_cycles() {
  std::vector<int64_t> offsets, silent;  // arcs that do not emit
  const auto components_where = [&](auto is_wanted) {
    offsets.assign(1, 0);
    silent.clear();
    for (int32_t s = 0; s < fst_.num_states; s++) {
      for (int64_t i = fst_.offsets[s]; i < fst_.offsets[s + 1]; i++)
        if (pdf(fst_.arcs[i].ilabel) < 0 && is_wanted(fst_.arcs[i])) silent.push_back(i);
      offsets.push_back(static_cast<int64_t>(silent.size()));
    }
    const auto next = [&](int64_t arc) { return fst_.arcs[silent[arc]].nextstate; };
    return Components(fst_.start, fst_.num_states, offsets.data(), next, [](int32_t) { return true; });
  };
  if (components_where([](const FstArc &arc) { return arc.olabel == 0; }).cyclic)
    throw std::invalid_argument("the graph has a cycle of arcs without input labels, which is not allowed");
  const Components found = components_where([](const FstArc &) { return true; });
  for (int32_t s = 0; s < fst_.num_states; s++)
    for (int64_t i = offsets[s]; i < offsets[s + 1]; i++) {
      const FstArc &arc = fst_.arcs[silent[i]];
      if (arc.olabel != 0 && found.component[arc.nextstate] == found.component[s]) words_on_cycles_.push_back(arc.olabel);
    }
  std::sort(words_on_cycles_.begin(), words_on_cycles_.end());
  words_on_cycles_.erase(std::unique(words_on_cycles_.begin(), words_on_cycles_.end()), words_on_cycles_.end());
}

// What is unfolded is kept, to a bound.
class ComposedStates final : public GraphStates {
 public:
  explicit ComposedStates(const ComposedGraph &graph)
      : lexicon_(graph.lexicon_),
        composition_(lexicon_.fst(), lexicon_.reachable(), graph.grammar_, false),
        unfolded_(graph.kept_arcs_) {}

  int32_t start() override { return composition_.start(); }
  float final(int32_t state) override { return composition_.final(state); }

  GraphArcs arcs(int32_t state) override {
    if (!unfolded_.has(state)) unfold(state);
    return unfolded_.of(state);
  }

  void trim() override { unfolded_.trim(); }

  bool is_small() const { return composition_.num_states() < kMostStates; }

 private:
  static constexpr int32_t kMostStates = 1 << 20;

  void unfold(int32_t state) {
    composition_.unfold(state, &arcs_);
    for (FstArc &arc : arcs_)
      if (lexicon_.pdf(arc.ilabel) < 0) arc.ilabel = 0;
    unfolded_.add(state, arcs_);
  }

  const SearchLexicon &lexicon_;
  LookaheadComposition composition_;
  UnfoldedArcs unfolded_;
  std::vector<FstArc> arcs_;  // of a state that unfolds
};

ComposedGraph::ComposedGraph(const SearchLexicon &lexicon, Grammar grammar, size_t kept_arcs)
    : Graph(lexicon.pdfs()), lexicon_(lexicon), grammar_(std::move(grammar)), kept_arcs_(kept_arcs) {
  num_pdfs_ = lexicon.num_pdfs();
  if (grammar_.has_cycle_of(lexicon.words_on_cycles()))
    throw std::invalid_argument("the graph has a cycle of arcs without input labels, which is not allowed");
}

ComposedGraph::~ComposedGraph() = default;

std::shared_ptr<GraphStates> ComposedGraph::states() const {
  std::unique_ptr<ComposedStates> states;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      states = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (states == nullptr) states = std::make_unique<ComposedStates>(*this);
  return {states.release(), [this](GraphStates *used) {
            std::unique_ptr<ComposedStates> back(static_cast<ComposedStates *>(used));
            if (!back->is_small()) return;
            const std::lock_guard<std::mutex> lock(mutex_);
            idle_.push_back(std::move(back));
          }};
}

}  // namespace kaldi_bridge
