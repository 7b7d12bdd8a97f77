// How the weights of paths that become one are added. Along a path weights are added with `+`, and divided by with `-`.

#pragma once

#include <algorithm>
#include <cmath>

#include "packed_fst.h"
#include "timed_weight.h"

namespace kaldi_bridge {

inline bool about_equal(float a, float b, float delta) { return a <= b + delta && b <= a + delta; }
inline bool about_equal(const TimedWeight &a, const TimedWeight &b, float delta) {
  return about_equal(a.cost, b.cost, delta) && about_equal(a.begin, b.begin, delta) && about_equal(a.end, b.end, delta);
}

// The cost of both of two ways, as probabilities.
inline float log_plus(float a, float b) {
  if (a == kNoEnd) return b;
  if (b == kNoEnd) return a;
  const float least = std::min(a, b);
  return static_cast<float>(least - std::log1p(std::exp(-static_cast<double>(std::abs(a - b)))));
}

struct CostSemiring {
  using Weight = float;

  bool in_log;  // costs are added as probabilities, else the best one counts

  static float zero() { return kNoEnd; }
  static float one() { return 0.0f; }
  float plus(float a, float b) const { return in_log ? log_plus(a, b) : std::min(a, b); }
};

// Of the parts of lattices that are to be found (KwsProductWeight): probabilities, the first beginning and the last end.
struct FactorSemiring {
  using Weight = TimedWeight;

  static TimedWeight zero() { return {kNoEnd, kNoEnd, -kNoEnd}; }
  static TimedWeight one() { return {0.0f, 0.0f, 0.0f}; }
  static TimedWeight plus(const TimedWeight &a, const TimedWeight &b) {
    return {log_plus(a.cost, b.cost), std::min(a.begin, b.begin), std::max(a.end, b.end)};
  }
};

// Of indices (KwsLexicographicWeight): the best one counts.
struct IndexSemiring {
  using Weight = TimedWeight;

  static TimedWeight zero() { return no_end<TimedWeight>(); }
  static TimedWeight one() { return {0.0f, 0.0f, 0.0f}; }
  static TimedWeight plus(const TimedWeight &a, const TimedWeight &b) { return b < a ? b : a; }
};

}  // namespace kaldi_bridge
