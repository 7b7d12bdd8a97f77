#include "vector_fst.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "timed_weight.h"

namespace kaldi_bridge {

namespace {

template <class T>
T value_at(const char *data) {
  T value;
  std::memcpy(&value, data, sizeof(T));
  return value;
}

float number_at(const char *data, int i, bool doubles) {
  return doubles ? static_cast<float>(value_at<double>(data + 8 * i)) : value_at<float>(data + 4 * i);
}

uint32_t bits(float value) {
  uint32_t word;
  std::memcpy(&word, &value, sizeof(word));
  return word;
}

template <class T>
void put(std::string *out, const T &value) {
  out->append(reinterpret_cast<const char *>(&value), sizeof(T));
}

}  // namespace

size_t VectorReader::feed(const char *data, size_t size) {
  size_t taken = 0;
  while (!done()) {
    const size_t step = arcs_left_ > 0 ? take_arcs(data + taken, size - taken) : take_state(data + taken, size - taken);
    if (step == 0) break;
    taken += step;
  }
  return taken;
}

int64_t VectorReader::string_length(const char *data) const {
  const int32_t length = value_at<int32_t>(data);
  if (length < 0) throw std::invalid_argument("a string of transition-ids has the length " + std::to_string(length));
  return length;
}

size_t VectorReader::take_state(const char *data, size_t size) {
  const size_t weight = weight_size();
  size_t head = weight + 8, length = 0;
  if (layout_.has_strings) {
    wanted_ = head + 4;
    if (size < wanted_) return 0;
    length = string_length(data + weight);
    head += 4 + 4 * length;
  }
  wanted_ = head;
  if (size < head) return 0;
  const int64_t count = value_at<int64_t>(data + head - 8);
  if (count < 0) throw std::invalid_argument("a state has " + std::to_string(count) + " arcs");
  for (int i = 0; i < layout_.numbers; i++) finals.push_back(number_at(data, i, layout_.doubles));
  if (layout_.has_strings) {
    const size_t before = final_strings.size();
    final_strings.resize(before + length);
    if (length) std::memcpy(&final_strings[before], data + weight + 4, 4 * length);
    final_string_ends.push_back(static_cast<int64_t>(final_strings.size()));
  }
  arcs_left_ = count;
  offsets.push_back(offsets.back());
  return head;
}

size_t VectorReader::take_arcs(const char *data, size_t size) {
  const size_t weight = weight_size();
  if (!layout_.has_strings && !layout_.doubles) {  // as they are
    const size_t arc_size = 4 * arc_words();
    wanted_ = arc_size;
    const int64_t count = std::min<int64_t>(arcs_left_, static_cast<int64_t>(size / arc_size));
    if (count == 0) return 0;
    const size_t before = arcs.size();
    arcs.resize(before + count * arc_words());
    std::memcpy(&arcs[before], data, count * arc_size);
    arcs_left_ -= count;
    offsets.back() += count;
    return count * arc_size;
  }
  size_t arc_size = 8 + weight + 4, length = 0;
  if (layout_.has_strings) {
    wanted_ = arc_size + 4;
    if (size < wanted_) return 0;
    length = string_length(data + 8 + weight);
    arc_size += 4 + 4 * length;
  }
  wanted_ = arc_size;
  if (size < arc_size) return 0;
  arcs.push_back(value_at<uint32_t>(data));
  if (!layout_.has_strings) arcs.push_back(value_at<uint32_t>(data + 4));
  for (int i = 0; i < layout_.numbers; i++) arcs.push_back(bits(number_at(data + 8, i, layout_.doubles)));
  arcs.push_back(value_at<uint32_t>(data + arc_size - 4));
  if (layout_.has_strings) {
    const size_t before = arc_strings.size();
    arc_strings.resize(before + length);
    if (length) std::memcpy(&arc_strings[before], data + 8 + weight + 4, 4 * length);
    arc_string_ends.push_back(static_cast<int64_t>(arc_strings.size()));
  }
  arcs_left_--;
  offsets.back()++;
  return arc_size;
}

template <class Weight>
std::string vector_bytes(const WeightedFstView<Weight> &fst) {
  constexpr size_t state_size = sizeof(Weight) + sizeof(int64_t), arc_size = sizeof(WeightedArc<Weight>);
  std::string out;
  out.reserve(state_size * fst.num_states + arc_size * (fst.offsets[fst.num_states] - fst.offsets[0]));
  for (int32_t s = 0; s < fst.num_states; s++) {
    put(&out, fst.finals[s]);
    put(&out, fst.offsets[s + 1] - fst.offsets[s]);
    out.append(reinterpret_cast<const char *>(fst.begin(s)), arc_size * (fst.end(s) - fst.begin(s)));
  }
  return out;
}

template std::string vector_bytes(const FstView &fst);
template std::string vector_bytes(const WeightedFstView<TimedWeight> &fst);

std::string vector_bytes(const FlatLattice &lattice) {
  std::string out;
  out.reserve(16 * lattice.finals.size() + sizeof(FlatArc) * lattice.arcs.size());
  for (int32_t s = 0; s < lattice.num_states(); s++) {
    put(&out, lattice.finals[s]);
    put(&out, lattice.offsets[s + 1] - lattice.offsets[s]);
    out.append(reinterpret_cast<const char *>(lattice.arcs.data() + lattice.offsets[s]),
               sizeof(FlatArc) * (lattice.offsets[s + 1] - lattice.offsets[s]));
  }
  return out;
}

std::string vector_bytes(const FlatCompactLattice &lattice) {
  std::string out;
  out.reserve(20 * lattice.finals.size() + 24 * lattice.arcs.size() + 4 * lattice.strings.size());
  auto put_string = [&](int64_t i) {
    const int64_t begin = lattice.string_offsets[i], end = lattice.string_offsets[i + 1];
    put(&out, static_cast<int32_t>(end - begin));
    out.append(reinterpret_cast<const char *>(lattice.strings.data() + begin), 4 * (end - begin));
  };
  for (int32_t s = 0; s < lattice.num_states(); s++) {
    put(&out, lattice.finals[s]);
    put_string(static_cast<int64_t>(lattice.arcs.size()) + s);
    put(&out, lattice.offsets[s + 1] - lattice.offsets[s]);
    for (int64_t i = lattice.offsets[s]; i < lattice.offsets[s + 1]; i++) {
      const FlatCompactArc &arc = lattice.arcs[i];
      put(&out, arc.label);
      put(&out, arc.label);
      put(&out, Weight{arc.graph, arc.acoustic});
      put_string(i);
      put(&out, arc.nextstate);
    }
  }
  return out;
}

}  // namespace kaldi_bridge
