#include "denominator.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <new>
#include <numeric>
#include <stdexcept>
#include <thread>

namespace nnet3_compat {

namespace {

// One version for each kind of processor, chosen when the module is loaded.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

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

// Up to kWidth sequences from first to last; [..][kWidth] everywhere, what is beyond the last repeats it.
class DenominatorGraph::Block {
 public:
  Block(const DenominatorGraph &graph, int64_t frames, float leaky)
      : graph_(graph), frames_(frames), leak_(graph.initial_), size_(graph.num_states() * kWidth) {
    for (float &share : leak_) share *= leaky;
    alphas_.resize((frames + 1) * size_);
    sums_.resize((frames + 1) * kWidth);
    probs_.resize(frames * graph.num_pdfs() * kWidth);
    posteriors_.resize(graph.num_pdfs() * kWidth);
    betas_.resize(2 * size_);
  }

  void run(const float *likelihoods, int64_t sequences, int64_t first, int64_t last, double *log_probs, float *posteriors) {
    const int64_t states = graph_.num_states(), pdfs = graph_.num_pdfs();
    float ones[kWidth], inverse[kWidth];
    std::fill(ones, ones + kWidth, 1.0f);
    double log_prob[kWidth] = {};
    for (int64_t t = 0; t <= frames_; t++) {
      float *alpha = &alphas_[t * size_], *sum = &sums_[t * kWidth];
      if (t == 0) {
        std::memset(alpha, 0, size_ * sizeof(float));
        add_leak(graph_.initial_.data(), states, ones, alpha);
        const double total = std::accumulate(graph_.initial_.begin(), graph_.initial_.end(), 0.0);
        std::fill(sum, sum + kWidth, static_cast<float>(total));
      } else {
        float *probs = &probs_[(t - 1) * pdfs * kWidth];
        transpose(likelihoods + (t - 1) * sequences * pdfs, first, last, probs);
        invert(sum - kWidth, inverse);
        forward_frame(graph_.in_begin_.data(), graph_.in_.data(), states, alpha - size_, probs, inverse, alpha, sum);
      }
      if (t < frames_)
        for (int i = 0; i < kWidth; i++) log_prob[i] += std::log(sum[i]);
      add_leak(leak_.data(), states, sum, alpha);
    }
    float likelihood[kWidth] = {};
    const float *final = &alphas_[frames_ * size_];
    for (int64_t h = 0; h < states; h++)
      for (int i = 0; i < kWidth; i++) likelihood[i] += final[h * kWidth + i];
    for (int64_t s = first; s < last; s++) log_probs[s] = log_prob[s - first] + std::log(likelihood[s - first]);

    float *next = betas_.data(), *beta = next + size_;
    float leaked[kWidth] = {};
    invert(likelihood, inverse);
    for (int64_t h = 0; h < states; h++) {
      std::copy(inverse, inverse + kWidth, next + h * kWidth);
      for (int i = 0; i < kWidth; i++) leaked[i] += leak_[h] * inverse[i];
    }
    for (int64_t t = frames_ - 1; t >= 0; t--) {
      invert(&sums_[t * kWidth], inverse);
      std::fill(posteriors_.begin(), posteriors_.end(), 0.0f);
      backward_frame(graph_.out_begin_.data(), graph_.out_.data(), states, leak_.data(), next,
                     &probs_[t * pdfs * kWidth], inverse, &alphas_[t * size_], beta, posteriors_.data(), leaked);
      std::swap(next, beta);
      for (int64_t s = first; s < last; s++) {
        float *to = posteriors + (t * sequences + s) * pdfs;
        for (int64_t p = 0; p < pdfs; p++) to[p] = posteriors_[p * kWidth + s - first];
      }
    }
  }

 private:
  // One frame's sequences side by side.
  void transpose(const float *frame, int64_t first, int64_t last, float *probs) const {
    const int64_t pdfs = graph_.num_pdfs();
    const float *rows[kWidth];
    for (int i = 0; i < kWidth; i++) rows[i] = frame + std::min(first + i, last - 1) * pdfs;
    for (int64_t p = 0; p < pdfs; p++)
      for (int i = 0; i < kWidth; i++) probs[p * kWidth + i] = rows[i][p];
  }

  static void invert(const float *values, float *inverse) {
    for (int i = 0; i < kWidth; i++) inverse[i] = 1.0f / values[i];
  }

  const DenominatorGraph &graph_;
  int64_t frames_;
  std::vector<float> leak_;
  int64_t size_;
  std::vector<float> alphas_, sums_, probs_, posteriors_, betas_;
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
                                        float leaky_hmm_coefficient, int num_threads, double *log_probs,
                                        float *posteriors) const {
  const int64_t blocks = (sequences + kWidth - 1) / kWidth;
  std::atomic<int64_t> next{0};
  std::atomic<bool> no_memory{false};
  auto work = [&] {
    try {
      Block block(*this, frames, leaky_hmm_coefficient);
      for (int64_t b; (b = next++) < blocks;)
        block.run(likelihoods, sequences, b * kWidth, std::min((b + 1) * kWidth, sequences), log_probs, posteriors);
    } catch (const std::bad_alloc &) {
      no_memory = true;
    }
  };
  std::vector<std::thread> threads;
  for (int64_t i = 1; i < std::min<int64_t>(num_threads, blocks); i++) threads.emplace_back(work);
  work();
  for (std::thread &thread : threads) thread.join();
  if (no_memory) throw std::bad_alloc();
}

}  // namespace nnet3_compat
