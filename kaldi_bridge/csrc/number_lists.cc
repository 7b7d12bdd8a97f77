#include "number_lists.h"

namespace kaldi_bridge {

namespace {

constexpr int32_t kMostFrames = 10000000;  // Kaldi's own bound

template <class T>
char *put(T value, char *out) {
  *out = static_cast<char>(sizeof value);
  std::memcpy(out + 1, &value, sizeof value);
  return out + 1 + sizeof value;
}

}  // namespace

std::vector<int32_t> parse_integers(Cursor &in) {
  const int32_t count = in.basic<int32_t>();
  if (count < 0) throw OtherForm();
  const char *data = in.take(kCount * static_cast<uint64_t>(count));
  std::vector<int32_t> values(count);
  for (int32_t &value : values) {
    if (*data != 4) throw OtherForm();
    value = load<int32_t>(data + 1);
    data += kCount;
  }
  return values;
}

void pack_integers(const int32_t *values, size_t count, char *out) {
  out = put(static_cast<int32_t>(count), out);
  for (size_t i = 0; i < count; i++) out = put(values[i], out);
}

std::vector<std::vector<int32_t>> parse_vectors(Cursor &in) {
  const int32_t count = in.basic<int32_t>();
  if (count < 0) throw OtherForm();
  std::vector<std::vector<int32_t>> vectors;
  for (int32_t i = 0; i < count; i++) {
    const int32_t size = in.basic<int32_t>();
    if (size < 0) throw OtherForm();
    const char *data = in.take(sizeof(int32_t) * static_cast<uint64_t>(size));
    std::vector<int32_t> &values = vectors.emplace_back(size);
    if (size > 0) std::memcpy(values.data(), data, sizeof(int32_t) * values.size());
  }
  return vectors;
}

std::string packed_vectors(const std::vector<std::vector<int32_t>> &vectors) {
  size_t size = kCount * (vectors.size() + 1);
  for (const std::vector<int32_t> &values : vectors) size += sizeof(int32_t) * values.size();
  std::string bytes(size, '\0');
  char *out = put(static_cast<int32_t>(vectors.size()), bytes.data());
  for (const std::vector<int32_t> &values : vectors) {
    out = put(static_cast<int32_t>(values.size()), out);
    if (!values.empty()) std::memcpy(out, values.data(), sizeof(int32_t) * values.size());
    out += sizeof(int32_t) * values.size();
  }
  return bytes;
}

PackedPosterior parse_posterior(Cursor &in) {
  const int32_t frames = in.basic<int32_t>();
  if (frames < 0 || frames > kMostFrames) throw OtherForm();
  PackedPosterior made;
  for (int32_t t = 0; t < frames; t++) {
    const int32_t count = in.basic<int32_t>();
    if (count < 0 || count > kMostFrames) throw OtherForm();
    for (int32_t i = 0; i < count; i++) {
      made.indexes.push_back(in.basic<int32_t>());
      made.weights.push_back(in.basic<float>());
    }
    made.offsets.push_back(static_cast<int64_t>(made.indexes.size()));
  }
  return made;
}

void pack_posterior(const int64_t *offsets, size_t frames, const int32_t *indexes, const float *weights, char *out) {
  out = put(static_cast<int32_t>(frames), out);
  for (size_t t = 0; t < frames; t++) {
    out = put(static_cast<int32_t>(offsets[t + 1] - offsets[t]), out);
    for (int64_t i = offsets[t]; i < offsets[t + 1]; i++) out = put(weights[i], put(indexes[i], out));
  }
}

}  // namespace kaldi_bridge
