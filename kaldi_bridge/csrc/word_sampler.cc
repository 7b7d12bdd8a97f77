#include "word_sampler.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <stdexcept>
#include <string>

namespace kaldi_bridge {
namespace {

constexpr double kTolerance = 1.0e-4;
constexpr int kAttempts = 10;

// Each of two lists is by word; words of both have the sum.
WordWeights merged(const WordWeights &a, const WordWeights &b) {
  WordWeights made;
  made.reserve(a.size() + b.size());
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(made));
  size_t kept = 0;
  for (const auto &item : made) {
    if (kept > 0 && made[kept - 1].first == item.first)
      made[kept - 1].second += item.second;
    else
      made[kept++] = item;
  }
  made.resize(kept);
  return made;
}

float total_of(const WordWeights &words) {
  double total = 0.0;
  for (const auto &[word, weight] : words) total += weight;
  return static_cast<float>(total);
}

// Which of things with these probabilities, whose sum is a whole number k, are drawn: k of them. One random number is the
// place from which on every step of length 1 along the line of all probabilities meets one.
std::vector<size_t> systematic_sample(const std::vector<double> &probabilities, CRandom *random) {
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    std::vector<size_t> drawn;
    const double start = random->uniform();
    double position = -start;
    for (size_t i = 0; i < probabilities.size(); i++) {
      position += probabilities[i];
      if (position >= 0) {
        drawn.push_back(i);
        position -= 1.0;
      }
    }
    const double total = position + static_cast<double>(drawn.size()) + start;
    const double whole = std::round(total);
    if (std::fabs(total - whole) > kTolerance) throw std::invalid_argument("inclusion probabilities do not sum up");
    if (static_cast<double>(drawn.size()) == whole) return drawn;  // rounding may leave one out at either end
  }
  throw std::logic_error("no sample of words was found");
}

}  // namespace

WordSampler::WordSampler(const std::vector<float> &unigrams) : cumulative_(unigrams.size() + 1, 0.0) {
  const double total = std::accumulate(unigrams.begin(), unigrams.end(), 0.0);
  if (!(std::fabs(total - 1.0) < 0.01)) throw std::invalid_argument("the unigrams do not sum to 1");
  const double scale = 1.0 / total;
  double sum = 0.0;
  for (size_t i = 0; i < unigrams.size(); i++) {
    sum += unigrams[i];
    cumulative_[i + 1] = sum * scale;
  }
}

WordWeights WordSampler::sample(int32_t count, float weight, const WordWeights &added, const std::vector<int32_t> &needed,
                                CRandom *random) const {
  if (count >= num_words()) throw std::invalid_argument("--num-samples is not less than the number of words");
  if (static_cast<int32_t>(needed.size()) >= count)
    throw std::invalid_argument("--num-samples=" + std::to_string(count) + " is not more than the " +
                                std::to_string(needed.size()) + " different words that a group of times predicts");
  if (!(weight > 0.0f)) throw std::invalid_argument("unigrams have no weight after the histories of a minibatch");
  for (const auto &[word, more] : added)
    if (!(more > 0.0f)) throw std::invalid_argument("the language model adds less than nothing to a word's probability");
  if (!added.empty() && (added.front().first < 0 || added.back().first >= num_words()))
    throw std::invalid_argument("the language model's histories have words that its unigrams lack");
  // Enough for each needed word to have q = 1, and a little more.
  const float all = weight + total_of(added);
  const float enough = 1.1 * all / (count - static_cast<int32_t>(needed.size()));
  WordWeights certain;
  for (int32_t word : needed) certain.emplace_back(word, enough);

  double total;
  std::vector<Interval> found = intervals(weight, merged(added, certain), &total);
  found = probabilities(count, total, std::move(found));
  std::vector<double> inclusion;
  for (const Interval &interval : found) inclusion.push_back(interval.weight);
  WordWeights drawn;
  for (size_t i : systematic_sample(inclusion, random)) {
    const Interval &interval = found[i];
    const int32_t word = interval.end == interval.begin + 1 ? interval.begin : draw_from(interval, random);
    const double of_interval =
        interval.end == interval.begin + 1
            ? interval.weight
            : interval.weight * share(word, word + 1) / share(interval.begin, interval.end);
    drawn.emplace_back(word, static_cast<float>(of_interval));
  }
  if (static_cast<int32_t>(drawn.size()) != count) throw std::logic_error("a sample of words has another size");
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

std::vector<WordSampler::Interval> WordSampler::intervals(float weight, const WordWeights &added, double *total) const {
  std::vector<Interval> made;
  *total = 0.0;
  const auto add = [&](double of_all, int32_t begin, int32_t end) {
    made.push_back({of_all, begin, end});
    *total += of_all;
  };
  int32_t at = 0;
  for (const auto &[word, more] : added) {
    if (word > at && cumulative_[word] > cumulative_[at]) add(weight * share(at, word), at, word);
    add(more + weight * share(word, word + 1), word, word + 1);
    at = word + 1;
  }
  if (const double rest = weight * share(at, num_words()); rest > 0.0) add(rest, at, num_words());
  return made;
}

// Those that are sure to be drawn, then the others, each with the q of all its words. An interval whose q would be more
// than 1 is cut in halves. The order is that of the heap in Kaldi, on which the sample depends.
std::vector<WordSampler::Interval> WordSampler::probabilities(int32_t count, double total,
                                                              std::vector<Interval> heap) const {
  std::vector<Interval> sure;
  double alpha = count / total;
  std::make_heap(heap.begin(), heap.end());
  while (!heap.empty() && alpha * heap.front().weight >= 1.0) {
    std::pop_heap(heap.begin(), heap.end());
    Interval top = heap.back();
    heap.pop_back();
    if (top.end - top.begin > 1) {
      for (const Interval &half : halves(top)) {
        heap.push_back(half);
        std::push_heap(heap.begin(), heap.end());
      }
      continue;
    }
    total -= top.weight;
    top.weight = 1.0;
    sure.push_back(top);
    alpha = (count - static_cast<int32_t>(sure.size())) / total;
  }
  for (Interval &interval : heap) {
    interval.weight *= alpha;
    sure.push_back(interval);
  }
  return sure;
}

std::vector<WordSampler::Interval> WordSampler::halves(const Interval &interval) const {
  const int32_t middle = interval.begin + (interval.end - interval.begin) / 2;
  const double all = share(interval.begin, interval.end), first = share(interval.begin, middle), second = all - first;
  std::vector<Interval> made;
  if (first > 0.0) made.push_back({interval.weight * first / all, interval.begin, middle});
  if (second > 0.0) made.push_back({interval.weight * second / all, middle, interval.end});
  return made;
}

int32_t WordSampler::draw_from(const Interval &interval, CRandom *random) const {
  const double begin = cumulative_[interval.begin], end = cumulative_[interval.end];
  double cutoff = begin + (end - begin) * random->uniform();
  if (cutoff >= end) cutoff = begin;  // by rounding
  const auto ends = cumulative_.begin() + 1;
  const auto after = std::upper_bound(ends + interval.begin, ends + interval.end, cutoff);
  return static_cast<int32_t>(after - cumulative_.begin()) - 1;
}

}  // namespace kaldi_bridge
