// Pitch of a waveform as its samples come in (feat/pitch-functions.cc): P. Ghahremani et al., "A pitch extraction
// algorithm tuned for automatic speech recognition", ICASSP 2014.
//
// Frame t of the waveform is compared with what comes `lag` samples later by the normalized cross-correlation
//
//     phi(lag) = <x_0, x_lag> / sqrt(<x_0, x_0> <x_lag, x_lag> + ballast)
//
// which is measured at whole lags and interpolated at a geometric progression of lags L_0 < L_1 < ...: the states of a
// Viterbi search. State i costs 1 - phi(L_i) (1 - soft_min_f0 L_i) in a frame, and from j to i it costs (i - j)^2 factor.
// The ballast, without which the features have phi, grows with the energy of the waveform as known so far: when
// `recompute_frame` is reached, or the end, the costs until there are computed anew.

#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace kaldi_bridge {

// Samples [first, first + weights.size()) of what is measured make one that is interpolated.
struct Interpolation {
  int32_t first;
  std::vector<float> weights;
};

struct PitchOptions {
  int64_t window = 0, shift = 0;        // of a frame, in samples
  int64_t first_lag = 0, last_lag = 0;  // at which the correlation is measured, in samples
  std::vector<float> lags;              // the states, in seconds
  std::vector<Interpolation> interpolations;
  float soft_min_f0 = 0, transition_factor = 0, ballast = 0, preemphasis = 0;
  int64_t max_latency = 0, recompute_frame = 0;
  bool ballast_by_frame = false, snip_edges = true;
};

class PitchTracker {
 public:
  explicit PitchTracker(PitchOptions options);

  // The next samples; nothing may come after the `last`.
  void accept(const float *samples, int64_t count, bool last);

  // Frames whose pitch is known, if not for good.
  int64_t num_ready() const { return static_cast<int64_t>(frames_.size()) - latency_; }

  // Of a frame: correlation, and pitch in Hz.
  std::pair<float, float> frame(int64_t t) const;

 private:
  struct Frame {
    std::vector<int32_t> previous;    // state before each state
    std::vector<float> correlations;  // without ballast
    int32_t best = -1;                // state of the best path
  };
  // What costs are computed from anew.
  struct Early {
    std::vector<float> correlations;
    float mean_product, mean_square;
  };

  int64_t num_available(int64_t samples, bool last) const;
  int64_t start_of(int64_t frame) const;
  void extract(int64_t start, float *window) const;
  void correlate(const std::vector<float> &window, std::vector<float> &inner, std::vector<float> &product) const;
  void interpolate(const std::vector<float> &measured, std::vector<float> &made) const;
  void advance(const std::vector<float> &correlations, Frame &frame);
  void recompute();
  void trace_back();
  int64_t compute_latency() const;

  PitchOptions options_;
  std::vector<double> half_inverses_;  // 1 / (2 factor d) for each distance d of states
  std::vector<float> kept_;  // samples that are still needed
  int64_t offset_ = 0;       // of the first of them
  int64_t received_ = 0;
  double sum_ = 0, sum_of_squares_ = 0;
  std::vector<Frame> frames_;
  std::vector<Early> early_;
  std::vector<float> costs_;  // of the best path to each state; the smallest is zero
  int64_t latency_ = 0;
};

}  // namespace kaldi_bridge
