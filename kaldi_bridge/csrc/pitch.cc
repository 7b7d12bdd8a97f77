#include "pitch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "sdot.h"

namespace kaldi_bridge {
namespace {

// x_0 + x_1 + ..., rounded as by a dot product of OpenBLAS whose other side is a single 1.
float sum_of(const float *x, int64_t n) {
  double total = 0;
  int64_t i = 0;
  for (; i + 2 <= n; i += 2) total += x[i] + x[i + 1];
  if (i < n) total += x[i];
  return static_cast<float>(total);
}

// A row of a matrix times a vector, rounded as by OpenBLAS: eight sums at once, then the last one to three products.
float row_product(const float *a, const float *x, int64_t n) {
  const int64_t whole = n / 4 * 4, first = whole % 8 == 0 && whole > 0 ? 8 : whole % 8;
  float sums[8] = {0};
  for (int64_t l = 0; l < first; l++) sums[l] = a[l] * x[l];
  for (int64_t i = first; i < whole; i += 8)
    for (int64_t l = 0; l < 8; l++) sums[l] = static_cast<float>(static_cast<double>(a[i + l]) * x[i + l] + sums[l]);
  const float total = ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
  float rest = 0;
  for (int64_t i = whole; i < n; i++) rest += a[i] * x[i];
  return total + rest;
}

float transition_cost(const std::vector<float> &previous, float factor, int32_t i, int32_t j) {
  return static_cast<float>((j - i) * (j - i)) * factor + previous[j];
}

// The least transition cost to each i, and from which j: for each i the lowest of parabolas over i, one for each j. Those
// that are lowest somewhere are found from left to right (P. Felzenszwalb, D. Huttenlocher, "Distance transforms of
// sampled functions", 2012). `half_inverses` holds 1 / (2 factor d) for each distance d.
void least_transitions(const std::vector<float> &previous, float factor, const std::vector<double> &half_inverses,
                       std::vector<float> &least, std::vector<int32_t> &from) {
  constexpr double INFINITE = std::numeric_limits<double>::infinity();
  const int32_t n = static_cast<int32_t>(previous.size());
  std::vector<int32_t> lowest(n);
  std::vector<double> begins(n);
  // From where on the parabola of k lies below that of j < k.
  auto crossing = [&](int32_t j, int32_t k) {
    return 0.5 * (j + k) + (static_cast<double>(previous[k]) - previous[j]) * half_inverses[k - j];
  };
  int32_t top = -1;
  for (int32_t j = 0; j < n; j++) {
    double begin = -INFINITE;
    while (top >= 0 && (begin = crossing(lowest[top], j)) <= begins[top]) top--;
    lowest[++top] = j;
    begins[top] = top == 0 ? -INFINITE : begin;
  }
  for (int32_t i = 0, k = 0; i < n; i++) {
    while (k < top && begins[k + 1] < i) k++;
    int32_t j = lowest[k];
    float cost = transition_cost(previous, factor, i, j);
    // Rounding may have it otherwise: the first of those that cost least.
    for (float other; j > 0 && (other = transition_cost(previous, factor, i, j - 1)) <= cost; j--) cost = other;
    for (float other; j + 1 < n && (other = transition_cost(previous, factor, i, j + 1)) < cost; j++) cost = other;
    least[i] = cost;
    from[i] = j;
  }
}

bool nearly_equal(float a, float b, float relative) {
  return a == b || std::abs(a - b) <= relative * (std::abs(a) + std::abs(b));
}

float square(float x) { return static_cast<float>(static_cast<double>(x) * x); }

}  // namespace

PitchTracker::PitchTracker(PitchOptions options) : options_(std::move(options)), costs_(options_.lags.size(), 0.0f) {
  const PitchOptions &o = options_;
  const int64_t measured = o.last_lag + 1 - o.first_lag;
  if (o.window < 1 || o.shift < 1 || o.first_lag < 0 || measured < 1 || o.lags.empty() ||
      o.interpolations.size() != o.lags.size())
    throw std::invalid_argument("pitch: window, lags and their interpolation do not fit together");
  for (const Interpolation &i : o.interpolations)
    if (i.first < 0 || i.first + static_cast<int64_t>(i.weights.size()) > measured)
      throw std::invalid_argument("pitch: an interpolation reaches beyond what is measured");
  half_inverses_.resize(o.lags.size());
  for (size_t d = 1; d < half_inverses_.size(); d++) half_inverses_[d] = 0.5 / (static_cast<double>(o.transition_factor) * d);
}

std::pair<float, float> PitchTracker::frame(int64_t t) const {
  const Frame &frame = frames_[t];
  return {frame.correlations[frame.best], static_cast<float>(1.0 / options_.lags[frame.best])};
}

int64_t PitchTracker::num_available(int64_t samples, bool last) const {
  const int64_t length = options_.window + (last ? 0 : options_.last_lag);
  if (samples < length) return 0;
  if (options_.snip_edges) return (samples - length) / options_.shift + 1;
  const int64_t counted = last ? samples : samples - length / 2;
  return static_cast<int64_t>(counted * 1.0f / options_.shift + 0.5f);
}

int64_t PitchTracker::start_of(int64_t frame) const {
  if (options_.snip_edges) return frame * options_.shift;
  return static_cast<int64_t>((frame + 0.5) * options_.shift) - (options_.window + options_.last_lag) / 2;
}

// Samples from `start` on; before and after those of the waveform there are zeros.
void PitchTracker::extract(int64_t start, float *window) const {
  const int64_t length = options_.window + options_.last_lag;
  const int64_t begin = std::max<int64_t>(start, 0), end = std::min(start + length, received_);
  std::fill(window, window + length, 0.0f);
  if (begin >= end) return;
  float *inside = window + (begin - start);
  std::copy(kept_.begin() + (begin - offset_), kept_.begin() + (end - offset_), inside);
  if (options_.preemphasis == 0) return;
  for (int64_t i = end - begin - 1; i > 0; i--) inside[i] -= options_.preemphasis * inside[i - 1];
  inside[0] *= 1.0 - options_.preemphasis;
}

void PitchTracker::correlate(const std::vector<float> &window, std::vector<float> &inner,
                             std::vector<float> &product) const {
  const int64_t n = options_.window;
  const float *x = window.data();
  const float energy = sdot(x, x, n);
  for (int64_t lag = options_.first_lag; lag <= options_.last_lag; lag++) {
    const float *later = x + lag;
    inner[lag - options_.first_lag] = sdot(x, later, n);
    product[lag - options_.first_lag] = energy * sdot(later, later, n);
  }
}

void PitchTracker::interpolate(const std::vector<float> &measured, std::vector<float> &made) const {
  for (size_t i = 0; i < made.size(); i++) {
    const Interpolation &interpolation = options_.interpolations[i];
    made[i] = row_product(measured.data() + interpolation.first, interpolation.weights.data(),
                          static_cast<int64_t>(interpolation.weights.size()));
  }
}

void PitchTracker::advance(const std::vector<float> &correlations, Frame &frame) {
  const size_t states = costs_.size();
  std::vector<float> least(states);
  frame.previous.resize(states);
  frame.best = -1;
  least_transitions(costs_, options_.transition_factor, half_inverses_, least, frame.previous);
  for (size_t i = 0; i < states; i++) {
    const float scaled = options_.soft_min_f0 * correlations[i];
    least[i] += (1.0f - correlations[i]) + options_.lags[i] * scaled;
  }
  const float smallest = *std::min_element(least.begin(), least.end());
  for (size_t i = 0; i < states; i++) costs_[i] = least[i] - smallest;
}

void PitchTracker::accept(const float *samples, int64_t count, bool last) {
  kept_.insert(kept_.end(), samples, samples + count);
  double sum = sum_, squares = sum_of_squares_;
  int64_t counted = received_, heard = 0;  // samples of the ballast; of those that are new, if it grows by frame
  if (!options_.ballast_by_frame) {
    squares += sdot(samples, samples, count);
    sum += sum_of(samples, count);
    counted += count;
  }
  const int64_t before = received_;
  received_ += count;
  const int64_t full = options_.window + options_.last_lag, measured = options_.last_lag + 1 - options_.first_lag;
  const int64_t first = static_cast<int64_t>(frames_.size()), end = num_available(received_, last);
  std::vector<float> window(full), inner(measured), product(measured), with_ballast(measured), without(measured);
  std::vector<float> interpolated(costs_.size());
  sum_of_squares_ += sdot(samples, samples, count);
  sum_ += sum_of(samples, count);
  for (int64_t t = first; t < end; t++) {
    const int64_t start = start_of(t);
    extract(start, window.data());
    if (options_.ballast_by_frame) {
      const int64_t until = std::clamp<int64_t>(start + full - before, heard, count);
      squares += sdot(samples + heard, samples + heard, until - heard);
      sum += sum_of(samples + heard, until - heard);
      counted += until - heard;
      heard = until;
    }
    const double mean = sum / counted, mean_square = squares / counted - mean * mean;
    const float offset = sum_of(window.data(), options_.window) / options_.window;
    for (float &x : window) x += -offset;
    correlate(window, inner, product);
    const double energy = mean_square * options_.window;
    const float ballast = static_cast<float>(energy * energy * options_.ballast);
    for (int64_t i = 0; i < measured; i++) {
      const float norm = static_cast<float>(std::sqrt(static_cast<double>(product[i] + ballast)));
      const float bare = static_cast<float>(std::sqrt(static_cast<double>(product[i])));
      with_ballast[i] = norm != 0 ? inner[i] / norm : 0;
      without[i] = bare != 0 ? inner[i] / bare : 0;
    }
    frames_.emplace_back();
    Frame &frame = frames_.back();
    frame.correlations.resize(costs_.size());
    interpolate(without, frame.correlations);
    interpolate(with_ballast, interpolated);
    advance(interpolated, frame);
    if (options_.ballast_by_frame || t >= options_.recompute_frame) continue;
    early_.push_back({interpolated, sum_of(product.data(), measured) / measured, static_cast<float>(mean_square)});
    if (t == options_.recompute_frame - 1) recompute();
  }
  if (last && !options_.ballast_by_frame && static_cast<int64_t>(frames_.size()) < options_.recompute_frame) recompute();
  if (end > first) trace_back();
  latency_ = last ? 0 : compute_latency();
  const int64_t needed = std::clamp<int64_t>(start_of(static_cast<int64_t>(frames_.size())), offset_, received_);
  kept_.erase(kept_.begin(), kept_.begin() + (needed - offset_));
  offset_ = needed;
}

// With the ballast of the energy as it is known now: correlations change by about one factor in each frame.
void PitchTracker::recompute() {
  const double mean = sum_ / received_;
  const float mean_square = static_cast<float>(sum_of_squares_ / received_ - mean * mean);
  const bool changed = std::any_of(early_.begin(), early_.end(), [&](const Early &early) {
    return !nearly_equal(early.mean_square, mean_square, 0.01f);
  });
  if (changed) {
    auto ballast_of = [&](float energy) { return static_cast<float>(square(energy * options_.window) * options_.ballast); };
    const float ballast = ballast_of(mean_square);
    std::fill(costs_.begin(), costs_.end(), 0.0f);
    for (size_t t = 0; t < early_.size(); t++) {
      Early &early = early_[t];
      const float ratio = (ballast_of(early.mean_square) + early.mean_product) / (ballast + early.mean_product);
      const float scale = std::pow(ratio, 0.5f);
      for (float &correlation : early.correlations) correlation *= scale;
      advance(early.correlations, frames_[t]);
    }
    trace_back();
  }
  early_.clear();
}

void PitchTracker::trace_back() {
  if (frames_.empty()) return;
  int32_t best = static_cast<int32_t>(std::min_element(costs_.begin(), costs_.end()) - costs_.begin());
  for (auto frame = frames_.rbegin(); frame != frames_.rend() && frame->best != best; ++frame) {
    frame->best = best;
    best = frame->previous[best];
  }
}

// How many frames back the paths to all states have not met, but no more than allowed.
int64_t PitchTracker::compute_latency() const {
  int64_t latency = 0;
  int32_t low = 0, high = static_cast<int32_t>(costs_.size()) - 1;
  for (auto frame = frames_.rbegin(); frame != frames_.rend() && latency < options_.max_latency; ++frame) {
    low = frame->previous[low];
    high = frame->previous[high];
    if (low == high) break;
    latency++;
  }
  return latency;
}

}  // namespace kaldi_bridge
