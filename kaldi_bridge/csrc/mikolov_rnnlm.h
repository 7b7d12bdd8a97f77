// Tomas Mikolov's recurrent language models as Kaldi computes them (lm/mikolov-rnnlm-lib.cc, lm/kaldi-rnnlm.cc).
//
// After words w1 .. wn of the vocabulary, with the hidden layer h of the words before wn (all ones at first):
//
//     h' = sigmoid(R h + I[wn])        z = h', or sigmoid(C h') where there is a compression layer
//     P(w) = softmax over classes(O z + direct)[class of w] * softmax over the words of that class(O z + direct)[w]
//
// where direct are weights found by hashes of the last words, several of them for n-grams of several lengths. Exponentials
// are the toolkit's fast ones, and sums are in its order, so that results are equal.

#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "histories.h"
#include "language_model.h"

namespace kaldi_bridge {

// Matrices are transposed: that of a layer's inputs from n to m values is [n, m].
struct MikolovNetwork {
  int32_t words, classes, hidden, compression;  // compression: 0, or the size of that layer
  std::vector<int32_t> class_of;                // of each word; words of a class stand together
  std::vector<int32_t> first_of_class;          // and one past the last class
  const double *input;                          // [words, hidden]
  const double *recurrent;                      // [hidden, hidden]
  const double *compressing;                    // [hidden, compression]
  const double *output;                         // [hidden or compression, words + classes]
  const double *direct;                         // [num_direct], at least twice as many as there are classes, or none
  int64_t num_direct;
  int32_t direct_order;                         // at most 20
  std::vector<int32_t> numbers;                 // of each label, the word that it is taken for, or -1; the last label is the end
  std::vector<float> penalties;                 // of each label, what is added to the log-probability
};

class MikolovModel : public LanguageModel {
 public:
  // Histories have less words than the order, unless that is 0 or negative.
  MikolovModel(const MikolovNetwork *network, int32_t order);

  int32_t start() const override { return 0; }
  float final(int32_t state) override;
  bool follow(int32_t state, int32_t word, Step *step) override;

 private:
  struct State {
    const History *labels;               // a key of states' numbers
    std::vector<float> before;           // the hidden layer before the last word
    std::vector<double> features, classes;  // z, and the probabilities of classes; empty: not computed yet
    std::vector<float> after;
  };
  State &computed(int32_t state);
  int32_t find(History labels, const std::vector<float> &before);
  float cost(const State &state, int32_t label) const;
  std::vector<int32_t> last_words(const State &state) const;
  std::vector<uint64_t> places_of(const std::vector<int32_t> &last, uint64_t first, uint64_t begin, uint64_t size) const;

  const MikolovNetwork &network_;
  const int32_t order_;
  std::unordered_map<History, int32_t, HistoryHash> numbers_;
  std::vector<State> states_;
  std::unordered_map<uint64_t, Step> steps_;
};

}  // namespace kaldi_bridge
