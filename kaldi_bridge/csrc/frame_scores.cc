#include "frame_scores.h"

#include <stdexcept>
#include <string>

namespace kaldi_bridge {

namespace {

uint64_t key(int32_t frame, int32_t tid) { return static_cast<uint64_t>(frame) << 32 | static_cast<uint32_t>(tid); }

// The frame at which each state is left; 0 for states that cannot be reached.
std::vector<int32_t> frames_of(const Lattice &lattice) {
  if (!is_sorted_topologically(lattice))
    throw std::invalid_argument("the lattice must be sorted topologically to find the frames of its acoustic scores");
  std::vector<int32_t> frames(lattice.size(), -1);
  if (!lattice.empty()) frames[0] = 0;
  for (size_t s = 0; s < lattice.size(); s++) {
    if (frames[s] < 0) frames[s] = 0;
    for (const Arc &arc : lattice[s].arcs) {
      const int32_t frame = frames[s] + (arc.tid != 0);
      if (frames[arc.next] >= 0 && frames[arc.next] != frame)
        throw std::invalid_argument("the lattice has paths of different lengths to the same state");
      frames[arc.next] = frame;
    }
  }
  return frames;
}

}  // namespace

FrameScores::FrameScores(const Lattice &lattice) {
  const std::vector<int32_t> frames = frames_of(lattice);
  for (size_t s = 0; s < lattice.size(); s++) {
    for (const Arc &arc : lattice[s].arcs) {
      if (arc.tid == 0) {
        if (arc.cost.acoustic != 0.0f)
          throw std::invalid_argument("the lattice has acoustic costs on arcs without transition-id: is it not from a search?");
        continue;
      }
      Mean &mean = means_[key(frames[s], arc.tid)];
      mean.sum += arc.cost.acoustic;
      mean.count++;
    }
    if (!lattice[s].final.is_infinite() && lattice[s].final.acoustic != 0.0f)
      throw std::invalid_argument("the lattice has acoustic costs on final states: is it not from a search?");
  }
}

void FrameScores::put_back(Lattice *lattice) const {
  if (!is_sorted_topologically(*lattice)) sort_topologically(lattice);
  const std::vector<int32_t> frames = frames_of(*lattice);
  for (size_t s = 0; s < lattice->size(); s++) {
    for (Arc &arc : (*lattice)[s].arcs) {
      arc.cost.acoustic = 0.0f;
      if (arc.tid == 0) continue;
      const auto place = means_.find(key(frames[s], arc.tid));
      if (place == means_.end())
        throw std::invalid_argument("there is no acoustic score of transition-id " + std::to_string(arc.tid) + " at frame " +
                                    std::to_string(frames[s]));
      arc.cost.acoustic = place->second.sum / place->second.count;
    }
    if (!(*lattice)[s].final.is_infinite()) (*lattice)[s].final.acoustic = 0.0f;
  }
}

}  // namespace kaldi_bridge
