#include "const_arpa.h"

#include <limits>
#include <stdexcept>
#include <utility>

namespace kaldi_bridge {

ConstArpa::ConstArpa(const char *words, int64_t num_words, std::vector<int64_t> unigrams, std::vector<int64_t> overflow,
                     int32_t order, int32_t begin, int32_t end, int32_t unknown)
    : words_(words),
      num_words_(num_words),
      unigrams_(std::move(unigrams)),
      overflow_(std::move(overflow)),
      order_(order),
      begin_(begin),
      end_(end),
      unknown_(unknown) {}

int32_t ConstArpa::integer(int64_t address) const {
  if (address < 0 || address >= num_words_)
    throw std::invalid_argument("the language model is damaged: an address is outside");
  int32_t value;
  std::memcpy(&value, words_ + 4 * address, sizeof(value));
  return value;
}

float ConstArpa::real(int64_t address) const {
  const int32_t bits = integer(address);
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

int64_t ConstArpa::unigram(int32_t word) const {
  return word < 0 || static_cast<size_t>(word) >= unigrams_.size() ? kNone : unigrams_[word] - 1;
}

int32_t ConstArpa::num_children(int64_t address) const {
  const int32_t count = integer(address + 2);
  if (count > 0) integer(address + 2 + 2 * static_cast<int64_t>(count));  // the last one is inside
  return count;
}

bool ConstArpa::child(int64_t address, int32_t word, float *logprob, int64_t *next) const {
  const int64_t first = address + 3;
  int64_t low = 0, high = num_children(address);
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    const int32_t here = integer(first + 2 * middle);
    if (here < word) {
      low = middle + 1;
    } else if (here > word) {
      high = middle;
    } else {
      const int32_t link = integer(first + 2 * middle + 1);
      if (link % 2 == 0) {
        *next = kNone;
        *logprob = real(first + 2 * middle + 1);
        return true;
      }
      if (link / 2 > 0) {
        *next = address + link / 2;
      } else if (static_cast<size_t>(-(link / 2)) < overflow_.size()) {
        *next = overflow_[-(link / 2)] - 1;
      } else {
        throw std::invalid_argument("the language model is damaged: an overflow is outside");
      }
      *logprob = real(*next);
      return true;
    }
  }
  return false;
}

ConstArpaModel::ConstArpaModel(const ConstArpa *arpa) : arpa_(*arpa) {
  const int64_t begin = arpa_.unigram(arpa_.begin()), said = arpa_.unigram(arpa_.known(arpa_.begin()));
  histories_.push_back(arpa_.order() > 1 ? History{said} : History());
  if (arpa_.order() > 1 && begin != ConstArpa::kNone) numbers_[begin] = 0;
}

float ConstArpaModel::logprob(const History &history, int32_t word) {
  float result = 0.0f;
  bool found = false;
  backoffs_.clear();
  for (int64_t address : history) {
    int64_t next;
    if (address != ConstArpa::kNone && (found = arpa_.child(address, word, &result, &next))) break;
    backoffs_.push_back(address == ConstArpa::kNone ? 0.0f : arpa_.backoff(address));
  }
  if (!found) {
    const int64_t address = arpa_.unigram(word);
    result = address == ConstArpa::kNone ? -std::numeric_limits<float>::infinity() : arpa_.logprob(address);
  }
  for (size_t i = backoffs_.size(); i-- > 0;) result = backoffs_[i] + result;
  return result;
}

ConstArpaModel::History ConstArpaModel::after(const History &history, int32_t word) const {
  History next;
  const size_t most = arpa_.order() - 1;
  auto add = [&](int64_t address) {
    const bool goes_on = address != ConstArpa::kNone && arpa_.num_children(address) > 0;
    if (!next.empty() || goes_on) next.push_back(address);
  };
  for (size_t i = 0; i < history.size(); i++) {
    if (history.size() - i + 1 > most) continue;
    float logprob;
    int64_t address = ConstArpa::kNone;
    if (history[i] != ConstArpa::kNone) arpa_.child(history[i], word, &logprob, &address);
    add(address);
  }
  if (most > 0) add(arpa_.unigram(word));
  return next;
}

int32_t ConstArpaModel::find(History history) {
  const int64_t key = history.empty() ? ConstArpa::kNone : history[0];
  const auto [place, is_new] = numbers_.try_emplace(key, static_cast<int32_t>(histories_.size()));
  if (is_new) histories_.push_back(std::move(history));
  return place->second;
}

float ConstArpaModel::final(int32_t state) { return -logprob(histories_[state], arpa_.known(arpa_.end())); }

bool ConstArpaModel::follow(int32_t state, int32_t word, Step *step) {
  const float found = logprob(histories_[state], arpa_.known(word));
  if (found == -std::numeric_limits<float>::infinity()) return false;
  step->next = find(after(histories_[state], word));
  step->cost = -found;
  return true;
}

}  // namespace kaldi_bridge
