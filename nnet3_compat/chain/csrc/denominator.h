// Forward-backward over the denominator graph, sequences side by side in vector registers.

#pragma once

#include <cstdint>
#include <vector>

namespace nnet3_compat {

struct Arc {
  int32_t state;  // the other end
  int32_t pdf;
  float probability;
};

// A graph with its arcs sorted by target (for the forward pass) and by source (for the backward pass).
class DenominatorGraph {
 public:
  // source, target, pdf, probability: [arcs]; initial: [states]. Throws std::invalid_argument.
  DenominatorGraph(const int64_t *source, const int64_t *target, const int64_t *pdf, const float *probability,
                   int64_t num_arcs, const float *initial, int64_t num_states, int64_t num_pdfs);

  int64_t num_states() const { return static_cast<int64_t>(initial_.size()); }
  int64_t num_pdfs() const { return num_pdfs_; }

  // likelihoods: [frames][sequences][pdfs], exponentials of a network's output; lengths: [sequences], at least 1 and at
  // most frames. Fills log_probs [sequences] and posteriors, shaped like likelihoods and zero beyond a sequence's length.
  // A sequence whose probability vanishes or overflows has a log-probability that is infinite or not a number.
  void forward_backward(const float *likelihoods, int64_t frames, int64_t sequences, const int64_t *lengths,
                        float leaky_hmm_coefficient, int num_threads, double *log_probs, float *posteriors) const;

 private:
  class Block;

  int64_t num_pdfs_;
  std::vector<float> initial_;
  std::vector<int64_t> in_begin_, out_begin_;  // [states + 1], into in_ and out_
  std::vector<Arc> in_, out_;
};

}  // namespace nnet3_compat
