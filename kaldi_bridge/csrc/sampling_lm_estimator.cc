#include "sampling_lm_estimator.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <unordered_set>

namespace kaldi_bridge {
namespace {

History without_oldest(const History &history) { return {history.begin() + 1, history.end()}; }

std::string three_digits(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

}  // namespace

// Counting

void SamplingLmEstimator::add(float weight, const std::vector<int32_t> &sentence) {
  if (!(weight >= 0.0f)) throw std::invalid_argument("a negative weight");
  const size_t longest = options_.ngram_order - 1;
  History history{options_.bos_symbol};
  const auto count = [&](int32_t word) {
    if (history.size() > longest) history.erase(history.begin());
    states_[history.size()][history].add(word, weight);
    history.push_back(word);
  };
  for (int32_t word : sentence) {
    if (word <= 0 || word >= options_.vocab_size)
      throw std::invalid_argument("the word " + std::to_string(word) + " is not from 1 to --vocab-size - 1 = " +
                                  std::to_string(options_.vocab_size - 1));
    count(word);
  }
  count(options_.eos_symbol);
}

// As Kaldi's buffer: it is emptied into the counts when it is full and not smaller than they are, and doubles when it is
// only full.
void SamplingLmEstimator::State::add(int32_t word, float weight) {
  if (pending.size() == pending_limit) pending_limit = std::max<size_t>(1, 2 * pending_limit);
  pending.emplace_back(word, weight);
  if (pending.size() == pending_limit && pending.size() >= counts.size()) merge_pending();
}

void SamplingLmEstimator::State::merge_pending() {
  for (const auto &[word, weight] : pending) counts.push_back({word, weight, weight});
  merge_equal_words(&counts);
  pending.clear();
}

const SamplingLmEstimator::Count *SamplingLmEstimator::State::find(int32_t word) const {
  const auto found = std::lower_bound(counts.begin(), counts.end(), word,
                                      [](const Count &count, int32_t wanted) { return count.word < wanted; });
  return found != counts.end() && found->word == word ? &*found : nullptr;
}

void SamplingLmEstimator::merge_equal_words(std::vector<Count> *counts) {
  std::sort(counts->begin(), counts->end(), [](const Count &a, const Count &b) { return a.word < b.word; });
  size_t kept = 0;
  for (size_t i = 0; i < counts->size(); i++) {
    const Count count = (*counts)[i];
    if (kept > 0 && (*counts)[kept - 1].word == count.word) {
      Count &same = (*counts)[kept - 1];
      same.highest = std::max(same.highest, count.highest);
      same.count += count.count;
    } else {
      (*counts)[kept++] = count;
    }
  }
  counts->resize(kept);
}

SamplingLmEstimator::State &SamplingLmEstimator::state_of(const History &history) {
  return states_[history.size()].at(history);
}

// Counts of shorter histories are those of all that back off to them.
void SamplingLmEstimator::count_shorter(size_t length) {
  HistoryMap<std::vector<const State *>> longer;
  for (const auto &[history, state] : states_[length + 1]) longer[without_oldest(history)].push_back(&state);
  for (const auto &[history, sources] : longer) {
    std::vector<Count> counts;
    for (const State *source : sources) counts.insert(counts.end(), source->counts.begin(), source->counts.end());
    merge_equal_words(&counts);
    states_[length][history].counts = std::move(counts);
  }
}

// What is still pending in the buffer of a state of a shorter history, the beginning of a sentence, is left out in Kaldi.
void SamplingLmEstimator::add_up(size_t length) {
  const bool is_longest = length + 1 == states_.size();
  for (auto &[history, state] : states_[length]) {
    if (is_longest) state.merge_pending();
    std::vector<std::pair<int32_t, float>>().swap(state.pending);
    double total = 0.0;
    for (const Count &count : state.counts) total += count.count;
    state.total = static_cast<float>(total);
    if (!(state.total > 0.0f)) throw std::invalid_argument("all sentences with some words have the weight 0");
  }
}

// Estimation

void SamplingLmEstimator::estimate(bool for_arpa, const Message &info) {
  for (size_t length = states_.size(); length-- > 0;) {
    if (length + 1 < states_.size()) count_shorter(length);
    add_up(length);
  }
  if (states_[0].empty()) throw std::invalid_argument("There are no counts (no data processed?)");
  estimate_unigrams();
  for (size_t length = 1; length < states_.size(); length++) {
    discount(length);
    prune_ngrams(length, info);
  }
  for (size_t length = states_.size() - 1; length > 0; length--) prune_states(length, for_arpa, info);
  raise_unigrams_to_power();
}

void SamplingLmEstimator::estimate_unigrams() {
  discount(0);
  const State &state = states_[0].begin()->second;
  // In double precision what was taken away is not rounded before it is shared out.
  double discounted = 0.0;
  for (const Count &count : state.counts) discounted += options_.discounting_constant * count.highest;
  const float share = (discounted / state.total) / (options_.vocab_size - 2);  // <eps> and <s> get none
  if (!(share > 0.0f)) throw std::invalid_argument("the discounts of unigrams are too small");
  unigrams_.assign(options_.vocab_size, share);
  unigrams_[0] = unigrams_[options_.bos_symbol] = 0.0f;
  for (const Count &count : state.counts) {
    const float own = count.count / state.total;
    unigrams_[count.word] += own;
  }
}

void SamplingLmEstimator::discount(size_t length) {
  for (auto &[history, state] : states_[length]) {
    double discounted = 0.0;
    for (Count &count : state.counts) {
      const float removed = options_.discounting_constant * count.highest;
      count.count -= removed;
      discounted += removed;
    }
    state.backoff = static_cast<float>(discounted);
  }
}

// Those that a history backs off to, the longest first, without the empty one.
std::vector<const SamplingLmEstimator::State *> SamplingLmEstimator::shorter_states(History history) const {
  std::vector<const State *> found;
  while (history.size() > 1) {
    history.erase(history.begin());
    found.push_back(&states_[history.size()].at(history));
  }
  return found;
}

float SamplingLmEstimator::probability(int32_t word, const std::vector<const State *> &states) const {
  float value = unigrams_[word];
  for (size_t i = states.size(); i-- > 0;) {
    value *= states[i]->backoff / states[i]->total;
    if (const Count *count = states[i]->find(word)) value += count->count / states[i]->total;
  }
  return value;
}

bool SamplingLmEstimator::is_kept(const Count &count, const History &history, const State &state,
                                  const std::vector<const State *> &shorter) const {
  // What the shorter history adds is left out of the comparison: no n-gram's fate then depends on another's.
  const float own = count.count / state.total, unigram = unigrams_[count.word];
  if (history.size() == 1)
    return own > unigram * (history[0] == options_.bos_symbol ? options_.bos_factor : options_.unigram_factor);
  return own > options_.unigram_factor * unigram &&
         own > options_.backoff_factor * probability(count.word, shorter);
}

void SamplingLmEstimator::prune_ngrams(size_t length, const Message &info) {
  size_t before = 0, after = 0;
  for (auto &[history, state] : states_[length]) {
    before += state.counts.size();
    const std::vector<const State *> shorter = shorter_states(history);
    double backoff = state.backoff;
    size_t kept = 0;
    for (const Count &count : state.counts) {
      if (!is_kept(count, history, state, shorter))
        backoff += count.count;
      else
        state.counts[kept++] = count;
    }
    state.counts.resize(kept);
    state.backoff = static_cast<float>(backoff);
    after += kept;
  }
  info("For n-gram order " + std::to_string(length + 1) + ", pruned from " + std::to_string(before) + " to " +
       std::to_string(after) + " ngrams.");
}

// In ARPA form a history's backoff stands with the n-gram of the same words: puts that back where it was pruned, with
// about the count that it had. Whether it was missing.
bool SamplingLmEstimator::restore_ngram(const History &history, const State &state) {
  const int32_t word = history.back();
  State &before = state_of({history.begin(), history.end() - 1});
  if (before.find(word) != nullptr) return false;
  const float left_out = std::min<float>(options_.discounting_constant, 0.5 * state.total);
  const Count count{word, 0.0f, state.total - left_out};
  before.backoff -= count.count;
  if (!(before.backoff > 0.0f)) throw std::invalid_argument("the counts leave nothing for a history to back off with");
  const auto place = std::lower_bound(before.counts.begin(), before.counts.end(), word,
                                      [](const Count &a, int32_t wanted) { return a.word < wanted; });
  before.counts.insert(place, count);
  return true;
}

void SamplingLmEstimator::prune_states(size_t length, bool for_arpa, const Message &info) {
  States &states = states_[length];
  const size_t before = states.size();
  size_t restored = 0;
  std::vector<History> unneeded;
  for (const auto &[history, state] : states) {
    if (state.counts.empty() && !state.is_needed) {
      unneeded.push_back(history);
    } else if (length > 1) {
      state_of(without_oldest(history)).is_needed = true;
      if (for_arpa) restored += restore_ngram(history, state);
    }
  }
  for (const History &history : unneeded) states.erase(history);
  std::string message = "For n-gram order " + std::to_string(length + 1) + ", pruned from " + std::to_string(before) +
                        " to " + std::to_string(states.size()) + " states";
  if (restored > 0) message += ", and restored " + std::to_string(restored) + " required n-grams.";
  info(message);
}

void SamplingLmEstimator::raise_unigrams_to_power() {
  if (options_.unigram_power == 1.0f) return;
  double sum = 0.0;
  for (float &unigram : unigrams_) sum += unigram = std::pow(unigram, options_.unigram_power);
  const float scale = 1.0 / sum;
  for (float &unigram : unigrams_) unigram *= scale;
}

// Results

SamplingLm SamplingLmEstimator::model() const {
  SamplingLm made;
  made.unigrams = unigrams_;
  made.states.resize(states_.size() - 1);
  for (size_t length = 1; length < states_.size(); length++) {
    auto &states = made.states[length - 1];
    states.reserve(states_[length].size());
    for (const auto &[history, state] : states_[length]) {
      SamplingState &copy = states[history];
      const float scale = 1.0f / state.total;
      copy.backoff = state.backoff * scale;
      for (const Count &count : state.counts) copy.words.emplace_back(count.word, scale * count.count);
    }
  }
  return made;
}

// 0 where there is no history of these words.
float SamplingLmEstimator::backoff_of(History history, int32_t word) const {
  history.push_back(word);
  if (history.size() == states_.size()) return 0.0f;
  const auto found = states_[history.size()].find(history);
  return found == states_[history.size()].end() ? 0.0f : found->second.backoff / found->second.total;
}

std::string SamplingLmEstimator::arpa(const std::vector<std::string> &names) const {
  if (names.size() < unigrams_.size()) throw std::invalid_argument("not every word has a name");
  std::string text = "\\data\\\n";
  for (size_t length = 0; length < states_.size(); length++) {
    size_t count = 0;
    for (const auto &[history, state] : states_[length]) count += state.counts.size();
    if (length == 0) count = options_.vocab_size - 1;
    text += "ngram " + std::to_string(length + 1) + "=" + std::to_string(count) + "\n";
  }
  const auto print = [&](float log10, const std::string &history, int32_t word, float backoff) {
    text += three_digits(log10) + "\t" + history;
    text += names[word];
    if (backoff != 0.0f) text += "\t" + three_digits(std::log10(backoff));
    text += "\n";
  };
  text += "\n\\1-grams:\n";
  for (int32_t word = 1; word < options_.vocab_size; word++)
    print(word == options_.bos_symbol ? -99.0f : std::log10(unigrams_[word]), "", word, backoff_of({}, word));
  for (size_t length = 1; length < states_.size(); length++) {
    text += "\n\\" + std::to_string(length + 1) + "-grams:\n";
    for (const auto &[history, state] : states_[length]) {
      const std::vector<const State *> shorter = shorter_states(history);
      std::string before;
      for (int32_t word : history) before += names[word] + ' ';
      for (const Count &count : state.counts) {
        const float whole = (count.count + state.backoff * probability(count.word, shorter)) / state.total;
        print(std::log10(whole), before, count.word, backoff_of(history, count.word));
      }
    }
  }
  return text + "\n\\end\\\n";
}

}  // namespace kaldi_bridge
