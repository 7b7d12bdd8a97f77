// A cost with the times between which something was said: the weights of keyword indices (kws/kaldi-kws.h).

#pragma once

#include <cmath>
#include <limits>

#include "packed_fst.h"

namespace kaldi_bridge {

struct TimedWeight {
  float cost, begin, end;  // the times in frames

  TimedWeight operator+(const TimedWeight &other) const {
    return {cost + other.cost, begin + other.begin, end + other.end};
  }
  TimedWeight operator-(const TimedWeight &other) const {
    return {cost - other.cost, begin - other.begin, end - other.end};
  }
  bool operator==(const TimedWeight &other) const {
    return cost == other.cost && begin == other.begin && end == other.end;
  }
  // The cheaper one, of the same cost the one that begins before the other, then the one that ends before it.
  bool operator<(const TimedWeight &other) const {
    if (cost != other.cost) return cost < other.cost;
    return begin != other.begin ? begin < other.begin : end < other.end;
  }
};

template <>
constexpr TimedWeight no_end<TimedWeight>() {
  return {kNoEnd, kNoEnd, kNoEnd};
}
inline bool is_no_end(const TimedWeight &weight) { return weight.cost == kNoEnd; }

}  // namespace kaldi_bridge
