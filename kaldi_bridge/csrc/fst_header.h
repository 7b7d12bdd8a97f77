// The header of OpenFst's binary files (fst/fst.h, FstHeader), and numbers as they stand in these.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kaldi_bridge {

template <class T>
void append_raw(const T &value, std::string *out) {
  out->append(reinterpret_cast<const char *>(&value), sizeof value);
}

template <class T>
void append_all(const std::vector<T> &values, std::string *out) {
  out->append(reinterpret_cast<const char *>(values.data()), sizeof(T) * values.size());
}

struct FstHeader {
  std::string_view fst_type, arc_type;
  uint64_t properties;
  int64_t start, num_states, num_arcs;
};

// Of the second version of its type, without symbol tables.
inline void append_header(const FstHeader &header, std::string *out) {
  constexpr int32_t kMagic = 2125659606, kVersion = 2, kFlags = 0;
  append_raw(kMagic, out);
  for (const std::string_view name : {header.fst_type, header.arc_type}) {
    append_raw(static_cast<int32_t>(name.size()), out);
    out->append(name);
  }
  append_raw(kVersion, out);
  append_raw(kFlags, out);
  append_raw(header.properties, out);
  for (const int64_t number : {header.start, header.num_states, header.num_arcs}) append_raw(number, out);
}

}  // namespace kaldi_bridge
