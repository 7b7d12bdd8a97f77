// Objects of one kind in the binary form of today, found where they lie: several at once in the buffer of a stream, or in
// a file. Whatever has another form, or is damaged, is left to the readers in Python.

#pragma once

#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "cursor.h"

namespace kaldi_bridge {

class ObjectForm {
 public:
  // Makes an object of what follows its marker. Throws Incomplete or OtherForm.
  using Parse = std::function<pybind11::object(Cursor &in)>;
  // Reads one whose first bytes are in `head` from a position of a file, and tells its size, both without marker. Null
  // where all of it is in `head`, where the file does not hold it, or where it is left to `Parse`.
  using Read = std::function<pybind11::object(Cursor head, int fd, int64_t position, size_t *size)>;

  // `read`: for objects that are better not held twice. `marker`: what Kaldi's binary objects begin with, FSTs do not.
  explicit ObjectForm(Parse parse, Read read = nullptr, std::string_view marker = kBinary)
      : parse_(std::move(parse)), read_(std::move(read)), marker_(marker) {}

  // (where the first other one begins, [(key, object), ...]) of the entries of an archive that lie whole in buffer[pos:end].
  pybind11::tuple entries(const pybind11::handle &buffer, size_t pos, size_t end) const;

  // (size, object) of the one at a position of a file, marker included; (0, None) for another form, (-1, None) where it
  // is truncated or too long. About `expected` bytes are read at first.
  pybind11::tuple at(int fd, int64_t position, size_t expected) const;

  // (size, key, object) of an entry of an archive at a position of a file, whose object goes straight from there to where
  // it stays; (0, None, None) where that cannot be.
  pybind11::tuple entry_at(int fd, int64_t position) const;

 private:
  static constexpr std::string_view kBinary{"\0B", 2};

  bool marked(const char *data, size_t size) const { return std::string_view(data, std::min(size, marker_.size())) == marker_; }

  Parse parse_;
  Read read_;
  std::string_view marker_;
};

// Whether a regular file has so many bytes from a position on.
bool holds(int fd, int64_t position, uint64_t size);

// Reads up to `count` bytes of a file; fewer only at its end, or where it cannot be read.
size_t read_at(int fd, int64_t position, size_t count, char *out);

// Adds the class, and the forms by name as the dictionary "forms", to which others can be added.
void add_object_forms(pybind11::module_ &m);

}  // namespace kaldi_bridge
