#include "denominator.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <stdexcept>

#include "../../../kaldi_bridge/csrc/each_processor.h"
#include "../../folded/csrc/parallel.h"

namespace nnet3_compat {

namespace {

// All versions for processors compute the same numbers, since no multiplication is fused with an addition (setup.py).

constexpr int kWidth = 16;  // sequences in a block: a cache line of floats
constexpr int kAhead = 8;   // arcs: what they read is fetched this early

// The arcs of a graph end with this many that lead nowhere, so that one can look ahead.

void sort_arcs(const int64_t *key, const int64_t *other, const int64_t *pdf, const float *probability, int64_t num_arcs,
               int64_t num_states, std::vector<int64_t> *begin, std::vector<Arc> *arcs) {
  begin->assign(num_states + 1, 0);
  for (int64_t a = 0; a < num_arcs; a++) (*begin)[key[a] + 1]++;
  for (int64_t s = 0; s < num_states; s++) (*begin)[s + 1] += (*begin)[s];
  std::vector<int64_t> next(begin->begin(), begin->end() - 1);
  arcs->resize(num_arcs + kAhead, Arc{0, 0, 0.0f});
  for (int64_t a = 0; a < num_arcs; a++)
    (*arcs)[next[key[a]]++] = {static_cast<int32_t>(other[a]), static_cast<int32_t>(pdf[a]), probability[a]};
}

// One value for each sequence of a block: what the compiler makes one, two or four registers of.
typedef float Values __attribute__((vector_size(kWidth * sizeof(float)), aligned(alignof(float))));

inline const Values &at(const float *values, int64_t row) { return reinterpret_cast<const Values *>(values)[row]; }
inline Values &at(float *values, int64_t row) { return reinterpret_cast<Values *>(values)[row]; }

// alpha of one frame from alpha-dash of the frame before; adds up its sum over the states.
FOR_EACH_PROCESSOR
void forward_frame(const int64_t *begin, const Arc *arcs, int64_t num_states, const float *previous, const float *probs,
                   const float *inverse_sum, float *alpha, float *sum) {
  const Values inverse = at(inverse_sum, 0);
  Values total = {};
  for (int64_t h = 0; h < num_states; h++) {
    Values value = {};
    for (const Arc *arc = arcs + begin[h], *end = arcs + begin[h + 1]; arc != end; ++arc) {
      __builtin_prefetch(&at(previous, arc[kAhead].state));
      value += arc->probability * at(probs, arc->pdf) * at(previous, arc->state);
    }
    value *= inverse;
    at(alpha, h) = value;
    total += value;
  }
  at(sum, 0) = total;
}

// From alpha to alpha-dash: adds leak * amount to each state.
FOR_EACH_PROCESSOR
void add_leak(const float *leak, int64_t num_states, const float *amount, float *values) {
  const Values all = at(amount, 0);
  for (int64_t h = 0; h < num_states; h++) at(values, h) += leak[h] * all;
}

// beta-dash of one frame from beta-dash of the next one, to which what leaks comes, and the posteriors of the pdfs;
// replaces leaked, the sum over the states of leak * beta-dash.
FOR_EACH_PROCESSOR
void backward_frame(const int64_t *begin, const Arc *arcs, int64_t num_states, const float *leak, const float *next,
                    const float *probs, const float *inverse_sum, const float *alpha_dash, float *beta,
                    float *posteriors, float *leaked) {
  const Values inverse = at(inverse_sum, 0), common = at(leaked, 0);
  Values total = {};
  for (int64_t h = 0; h < num_states; h++) {
    Values value = {};
    const Values occupation = at(alpha_dash, h) * inverse;
    for (const Arc *arc = arcs + begin[h], *end = arcs + begin[h + 1]; arc != end; ++arc) {
      __builtin_prefetch(&at(next, arc[kAhead].state));
      const Values step = arc->probability * at(probs, arc->pdf) * (at(next, arc->state) + common);
      value += step;
      at(posteriors, arc->pdf) += occupation * step;
    }
    value *= inverse;
    at(beta, h) = value;
    total += leak[h] * value;
  }
  at(leaked, 0) = total;
}

}  // namespace

// Up to kWidth sequences side by side; [..][kWidth] everywhere, where there are fewer the last is repeated.
class DenominatorGraph::Block {
 public:
  Block(const DenominatorGraph &graph, const float *likelihoods, int64_t frames, int64_t sequences,
        const int64_t *lengths, float leaky)
      : graph_(graph),
        likelihoods_(likelihoods),
        frames_(frames),
        sequences_(sequences),
        lengths_(lengths),
        leak_(graph.initial_),
        alphas_(new float[(frames + 1) * graph.num_states() * kWidth]),
        sums_(new float[(frames + 1) * kWidth]),
        probs_(new float[frames * graph.num_pdfs() * kWidth]),
        frame_posteriors_(new float[graph.num_pdfs() * kWidth]),
        betas_(new float[2 * graph.num_states() * kWidth]) {
    for (float &share : leak_) share *= leaky;
  }

  // members: count sequences, the longest first.
  void run(const int64_t *members, int64_t count, double *log_probs, float *posteriors) {
    const int64_t states = graph_.num_states(), pdfs = graph_.num_pdfs(), size = states * kWidth;
    const int64_t longest = lengths_[members[0]];
    float ones[kWidth], inverse[kWidth], likelihood[kWidth];
    std::fill(ones, ones + kWidth, 1.0f);
    double log_prob[kWidth] = {};
    for (int64_t t = 0; t <= longest; t++) {
      float *alpha = &alphas_[t * size], *sum = &sums_[t * kWidth];
      if (t == 0) {
        std::fill(alpha, alpha + size, 0.0f);
        add_leak(graph_.initial_.data(), states, ones, alpha);
        const double total = std::accumulate(graph_.initial_.begin(), graph_.initial_.end(), 0.0);
        std::fill(sum, sum + kWidth, static_cast<float>(total));
      } else {
        float *here = &probs_[(t - 1) * pdfs * kWidth];
        transpose(members, count, t - 1, here);
        invert(sum - kWidth, inverse);
        forward_frame(graph_.in_begin_.data(), graph_.in_.data(), states, alpha - size, here, inverse, alpha, sum);
      }
      add_leak(leak_.data(), states, sum, alpha);
      for (int64_t i = 0; i < count; i++) {
        if (t < lengths_[members[i]]) {
          log_prob[i] += std::log(sum[i]);
        } else if (t == lengths_[members[i]]) {
          likelihood[i] = 0.0f;
          for (int64_t h = 0; h < states; h++) likelihood[i] += alpha[h * kWidth + i];
          log_probs[members[i]] = log_prob[i] + std::log(likelihood[i]);
        }
      }
    }

    float *next = betas_.get(), *beta = next + size;
    float leaked[kWidth] = {};
    std::fill_n(next, size, 0.0f);
    for (int64_t t = longest - 1; t >= 0; t--) {
      for (int64_t i = 0; i < count; i++) {
        if (t + 1 != lengths_[members[i]]) continue;
        leaked[i] = 0.0f;
        for (int64_t h = 0; h < states; h++) {
          next[h * kWidth + i] = 1.0f / likelihood[i];
          leaked[i] += leak_[h] / likelihood[i];
        }
      }
      invert(&sums_[t * kWidth], inverse);
      std::fill_n(frame_posteriors_.get(), pdfs * kWidth, 0.0f);
      backward_frame(graph_.out_begin_.data(), graph_.out_.data(), states, leak_.data(), next, &probs_[t * pdfs * kWidth],
                     inverse, &alphas_[t * size], beta, frame_posteriors_.get(), leaked);
      std::swap(next, beta);
      for (int64_t i = 0; i < count; i++) {
        if (t >= lengths_[members[i]]) continue;
        float *to = posteriors + (t * sequences_ + members[i]) * pdfs;
        for (int64_t p = 0; p < pdfs; p++) to[p] = frame_posteriors_[p * kWidth + i];
      }
    }
    for (int64_t i = 0; i < count; i++)
      for (int64_t t = lengths_[members[i]]; t < frames_; t++)
        std::fill_n(posteriors + (t * sequences_ + members[i]) * pdfs, pdfs, 0.0f);
  }

 private:
  // One frame's sequences side by side.
  void transpose(const int64_t *members, int64_t count, int64_t frame, float *probs) const {
    const int64_t pdfs = graph_.num_pdfs();
    const float *rows[kWidth];
    for (int64_t i = 0; i < kWidth; i++)
      rows[i] = likelihoods_ + (frame * sequences_ + members[std::min(i, count - 1)]) * pdfs;
    for (int64_t p = 0; p < pdfs; p++)
      for (int i = 0; i < kWidth; i++) probs[p * kWidth + i] = rows[i][p];
  }

  static void invert(const float *values, float *inverse) {
    for (int i = 0; i < kWidth; i++) inverse[i] = 1.0f / values[i];
  }

  const DenominatorGraph &graph_;
  const float *likelihoods_;
  int64_t frames_, sequences_;
  const int64_t *lengths_;
  std::vector<float> leak_;
  std::unique_ptr<float[]> alphas_, sums_, probs_, frame_posteriors_, betas_;  // not initialized
};

DenominatorGraph::DenominatorGraph(const int64_t *source, const int64_t *target, const int64_t *pdf,
                                   const float *probability, int64_t num_arcs, const float *initial, int64_t num_states,
                                   int64_t num_pdfs)
    : num_pdfs_(num_pdfs), initial_(initial, initial + num_states) {
  if (num_states <= 0 || num_pdfs <= 0) throw std::invalid_argument("the denominator graph is empty");
  for (int64_t a = 0; a < num_arcs; a++)
    if (source[a] < 0 || source[a] >= num_states || target[a] < 0 || target[a] >= num_states || pdf[a] < 0 ||
        pdf[a] >= num_pdfs)
      throw std::invalid_argument("the denominator graph has an arc with a state or pdf that does not exist");
  sort_arcs(target, source, pdf, probability, num_arcs, num_states, &in_begin_, &in_);
  sort_arcs(source, target, pdf, probability, num_arcs, num_states, &out_begin_, &out_);
}

void DenominatorGraph::forward_backward(const float *likelihoods, int64_t frames, int64_t sequences,
                                        const int64_t *lengths, float leaky_hmm_coefficient, int num_threads,
                                        double *log_probs, float *posteriors) const {
  std::vector<int64_t> order(sequences);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return lengths[a] > lengths[b]; });
  in_parallel((sequences + kWidth - 1) / kWidth, num_threads, [&] {
    return [&, block = Block(*this, likelihoods, frames, sequences, lengths, leaky_hmm_coefficient)](int64_t b) mutable {
      block.run(&order[b * kWidth], std::min<int64_t>(kWidth, sequences - b * kWidth), log_probs, posteriors);
    };
  });
}

}  // namespace nnet3_compat
