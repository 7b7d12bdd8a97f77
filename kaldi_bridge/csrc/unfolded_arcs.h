// The arcs of states that unfold on demand, kept to a bound.

#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "graph.h"

namespace kaldi_bridge {

class UnfoldedArcs {
 public:
  static constexpr size_t kKeptArcs = 1 << 21;  // 40 MB

  explicit UnfoldedArcs(size_t kept_arcs = kKeptArcs) : kept_arcs_(kept_arcs) {}

  bool has(int32_t state) const { return static_cast<size_t>(state) < places_.size() && places_[state].begin != nullptr; }

  GraphArcs of(int32_t state) const {
    const Place &place = places_[state];
    return {place.begin, place.begin + place.epsilons, place.begin + place.count};
  }

  // Those with an input label emit.
  void add(int32_t state, const std::vector<FstArc> &arcs) {
    if (static_cast<size_t>(state) >= places_.size()) places_.resize(state + 1 + state / 2);
    FstArc *at = room_for(arcs.size());
    Place made{at, 0, static_cast<uint32_t>(arcs.size())};
    for (const bool emits : {false, true})
      for (const FstArc &arc : arcs) {
        if ((arc.ilabel != 0) != emits) continue;
        *at++ = arc;
        if (!emits) made.epsilons++;
      }
    places_[state] = made;
  }

  // Forgets all, if it is more than is to be kept.
  void trim() {
    if (num_arcs_ <= kept_arcs_) return;
    blocks_.clear();
    num_arcs_ = used_ = size_ = 0;
    std::fill(places_.begin(), places_.end(), Place());
  }

 private:
  static constexpr size_t kBlock = 1 << 14;
  struct Place {
    const FstArc *begin = nullptr;
    uint32_t epsilons = 0, count = 0;
  };

  FstArc *room_for(size_t count) {
    if (size_ - used_ < count || blocks_.empty()) {
      size_ = std::max(kBlock, count);
      used_ = 0;
      blocks_.emplace_back(new FstArc[size_]);
    }
    FstArc *place = blocks_.back().get() + used_;
    used_ += count;
    num_arcs_ += count;
    return place;
  }

  const size_t kept_arcs_;
  std::vector<Place> places_;  // by state
  std::vector<std::unique_ptr<FstArc[]>> blocks_;
  size_t num_arcs_ = 0, used_ = 0, size_ = 0;  // arcs in all blocks; of the last block, those used and its size
};

}  // namespace kaldi_bridge
