// Forward-backward over supervisions, in the log domain and in double precision.

#pragma once

#include <cstdint>
#include <vector>

namespace nnet3_compat {

struct Acceptor {
  const int64_t *offsets;      // [states + 1], into the arcs
  const int32_t *labels;       // [arcs], pdf + 1
  const int32_t *next_states;  // [arcs]
  const float *costs;          // [arcs]
  const float *final_costs;    // [states]; infinity: not final
  int64_t num_states, start;
};

// The acceptors of a minibatch, unrolled in time: what is computed from them needs only a few cells of the output.
class Numerator {
 public:
  // The output's shape is [frames][sequences][pdfs].
  Numerator(int64_t frames, int64_t sequences, int64_t pdfs);

  // An acceptor of count sequences, one after the other, from the one numbered first on, each of length frames.
  // flat_start: it has cycles, and of its paths those that are long enough count; otherwise each of its states belongs to
  // one time. Throws std::invalid_argument for a path of another length, or a label that is no pdf.
  void add(const Acceptor &acceptor, int64_t first, int64_t count, int64_t length, bool flat_start);

  // The cells of the output that are needed, each once.
  const std::vector<int64_t> &cells() const { return cells_; }

  // scores, occupations: [cells]. Returns the log-probability of all sequences together; where it is not finite, the
  // occupations are zero.
  double forward_backward(const float *scores, int num_threads, float *occupations) const;

 private:
  struct Arc {
    int32_t target, cell;
    float log_prob;
  };

  // One acceptor. Its nodes are pairs of time and state, in the order of time.
  struct Part {
    std::vector<int64_t> begin;  // [nodes + 1], into the arcs
    std::vector<Arc> arcs;
    std::vector<float> final_log_probs;  // [nodes of the last time]
    int64_t first_cell, num_cells;
  };

  static double forward_backward(const Part &part, const float *scores, float *occupations);

  int64_t frames_, sequences_, pdfs_;
  std::vector<Part> parts_;
  std::vector<int64_t> cells_;
};

}  // namespace nnet3_compat
