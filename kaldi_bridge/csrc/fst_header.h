// The header of OpenFst's binary files (fst/fst.h, FstHeader), and numbers as they stand in these.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cursor.h"

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

constexpr int32_t kFstMagic = 2125659606, kFstVersion = 2, kNoFlags = 0;

constexpr size_t kPropertiesToEnd = 32;  // bytes from where the properties stand to the end of the header

// One of the second version of its type, without symbol tables or alignment. The start is one of the states, which fit 32 bits;
// -1 where there are none. Its names stay where they are. Throws Incomplete or OtherForm.
inline FstHeader header_at(Cursor &in) {
  constexpr int32_t kLongestName = 64;
  if (in.raw<int32_t>() != kFstMagic) throw OtherForm();
  FstHeader header{};
  for (std::string_view *name : {&header.fst_type, &header.arc_type}) {
    const int32_t length = in.raw<int32_t>();
    if (length < 0 || length > kLongestName) throw OtherForm();
    *name = std::string_view(in.take(length), length);
  }
  const int32_t version = in.raw<int32_t>(), flags = in.raw<int32_t>();
  header.properties = in.raw<uint64_t>();
  for (int64_t *number : {&header.start, &header.num_states, &header.num_arcs}) *number = in.raw<int64_t>();
  if (version != kFstVersion || flags != kNoFlags || header.num_states < 0 || header.num_states >= INT32_MAX ||
      header.start < (header.num_states > 0 ? 0 : -1) || header.start >= header.num_states)
    throw OtherForm();
  return header;
}

// Of the second version of its type, without symbol tables.
inline void append_header(const FstHeader &header, std::string *out) {
  append_raw(kFstMagic, out);
  for (const std::string_view name : {header.fst_type, header.arc_type}) {
    append_raw(static_cast<int32_t>(name.size()), out);
    out->append(name);
  }
  append_raw(kFstVersion, out);
  append_raw(kNoFlags, out);
  append_raw(header.properties, out);
  for (const int64_t number : {header.start, header.num_states, header.num_arcs}) append_raw(number, out);
}

}  // namespace kaldi_bridge
