// Different words drawn from a mixture of a model's unigrams and some words (rnnlm/sampler.h).
//
// Word w, of weight p(w) = weight * unigram(w) + added(w), is drawn with probability q(w) = min(alpha p(w), 1), where alpha
// is such that the q(w) sum to the number of words that are wanted. No word but those that are named is looked at by
// itself: the unigrams between them are intervals of a cumulative distribution.

#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "c_random.h"
#include "sampling_lm.h"

namespace kaldi_bridge {

class WordSampler {
 public:
  explicit WordSampler(const std::vector<float> &unigrams);

  // `count` words, each with its q(w), by word; those of `needed` (in order, without repetition) are among them. Throws
  // std::invalid_argument where there are not so many words, or not enough beside the needed ones.
  WordWeights sample(int32_t count, float weight, const WordWeights &added, const std::vector<int32_t> &needed,
                     CRandom *random) const;

 private:
  // Words from `begin` to `end` - 1, all together with one weight.
  struct Interval {
    double weight;
    int32_t begin, end;
    bool operator<(const Interval &other) const { return weight < other.weight; }
  };

  int32_t num_words() const { return static_cast<int32_t>(cumulative_.size()) - 1; }
  double share(int32_t begin, int32_t end) const { return cumulative_[end] - cumulative_[begin]; }
  std::vector<Interval> intervals(float weight, const WordWeights &added, double *total) const;
  std::vector<Interval> probabilities(int32_t count, double total, std::vector<Interval> intervals) const;
  std::vector<Interval> halves(const Interval &interval) const;
  int32_t draw_from(const Interval &interval, CRandom *random) const;

  std::vector<double> cumulative_;  // of the words before each, up to 1
};

}  // namespace kaldi_bridge
