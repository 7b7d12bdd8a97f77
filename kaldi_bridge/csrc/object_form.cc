#include "object_form.h"

#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "python_arrays.h"
#include "python_text.h"

namespace py = pybind11;

namespace kaldi_bridge {

namespace {

constexpr size_t kFirstRead = 64;
constexpr size_t kHead = 256;                // bytes of an entry in which its key and its size are looked for
constexpr size_t kShort = 1 << 16;           // bytes that are read without a look at the size of the file
constexpr size_t kMostHeld = 1 << 24;        // bytes of an object that are held beside it
constexpr size_t kMostEntries = 1 << 18;     // bytes of entries that are taken at once

bool is_space(char c) { return c == ' ' || ('\t' <= c && c <= '\r'); }

// Passes over white space, a key and the space or tab after it; false, and nothing passed, where there is none.
bool take_key(const char *data, size_t size, size_t *pos, std::string_view *key) {
  size_t begin = *pos;
  while (begin < size && is_space(data[begin])) begin++;
  size_t end = begin;
  while (end < size && !is_space(data[end])) end++;
  if (end == begin || end == size || (data[end] != ' ' && data[end] != '\t')) return false;
  *key = std::string_view(data + begin, end - begin);
  *pos = end + 1;
  return true;
}

}  // namespace

bool holds(int fd, int64_t position, uint64_t size) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && position >= 0 && position <= status.st_size &&
         size <= static_cast<uint64_t>(status.st_size - position);
}

size_t read_at(int fd, int64_t position, size_t count, char *out) {
  size_t have = 0;
  while (have < count) {
    const ssize_t got = pread(fd, out + have, count - have, position + static_cast<int64_t>(have));
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  }
  return have;
}

py::tuple ObjectForm::entries(const py::handle &buffer, size_t pos, size_t end) const {
  const BufferPart whole(buffer, 0, end);
  const char *data = whole.data();
  py::list made;
  const size_t most = std::min(end, pos + kMostEntries);
  while (pos < most) {
    std::string_view key;
    size_t at = pos;
    if (!take_key(data, end, &at, &key) || !marked(data + at, end - at)) break;
    at += marker_.size();
    Cursor in(data + at, end - at);
    try {
      made.append(py::make_tuple(decoded(key), parse_(in)));
    } catch (const Incomplete &) {
      break;
    } catch (const OtherForm &) {
      break;
    }
    pos = at + in.pos();
  }
  return py::make_tuple(pos, made);
}

py::tuple ObjectForm::at(int fd, int64_t position, size_t expected) const {
  thread_local std::vector<char> buffer(kShort);
  size_t have = 0, wanted = std::clamp(expected, kFirstRead, kShort);
  for (;;) {
    if (buffer.size() < wanted) buffer.resize(wanted);
    have += read_at(fd, position + static_cast<int64_t>(have), wanted - have, buffer.data() + have);
    if (have < marker_.size()) break;
    if (!marked(buffer.data(), have)) return py::make_tuple(0, py::none());
    Cursor in(buffer.data() + marker_.size(), have - marker_.size());
    try {
      size_t size = 0;
      py::object made;
      if (read_) made = read_(in, fd, position + static_cast<int64_t>(marker_.size()), &size);
      if (!made) {
        made = parse_(in);
        size = in.pos();
      }
      return py::make_tuple(marker_.size() + size, made);
    } catch (const OtherForm &) {
      return py::make_tuple(0, py::none());
    } catch (const Incomplete &incomplete) {
      if (have < wanted) break;  // the file ends before the object does
      const uint64_t needed = marker_.size() + incomplete.needed;
      if (needed > kShort && (needed > kMostHeld || !holds(fd, position, needed))) break;
      wanted = std::max<size_t>(needed, 2 * have);
    }
  }
  return py::make_tuple(-1, py::none());
}

py::tuple ObjectForm::entry_at(int fd, int64_t position) const {
  char head[kHead];
  const size_t have = read_at(fd, position, kHead, head);
  std::string_view key;
  size_t at = 0;
  if (read_ && take_key(head, have, &at, &key) && marked(head + at, have - at)) {
    at += marker_.size();
    try {
      size_t size = 0;
      const py::object made = read_(Cursor(head + at, have - at), fd, position + static_cast<int64_t>(at), &size);
      if (made) return py::make_tuple(at + size, decoded(key), made);
    } catch (const OtherForm &) {
    } catch (const Incomplete &) {
    }
  }
  return py::make_tuple(0, py::none(), py::none());
}

void add_object_forms(py::module_ &m) {
  py::class_<ObjectForm>(m, "ObjectForm")
      .def("entries", &ObjectForm::entries, "(position, [(key, object), ...]) of the entries of an archive in a buffer.")
      .def("entry_at", &ObjectForm::entry_at, "(size, key, object) of the entry of an archive at a position of a file.")
      .def("at", &ObjectForm::at, "(size, object) of the one at a position of a file.");
  m.attr("forms") = py::dict();
}

}  // namespace kaldi_bridge
