// Kaldi's binary forms, read where they lie in a buffer.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace kaldi_bridge {

// The buffer ends before the object does: so many bytes from its start are needed at least.
struct Incomplete {
  uint64_t needed;
};

// The object has another form (text, an older version, another precision), or is damaged.
struct OtherForm {};

// A number that may lie at any address.
template <class T>
T load(const char *data) {
  T value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

// Takes bytes from the front of a buffer.
class Cursor {
 public:
  Cursor(const char *data, size_t size) : data_(data), size_(size) {}

  const char *take(uint64_t n) {
    if (n > size_ - pos_) throw Incomplete{pos_ + n};
    const char *here = data_ + pos_;
    pos_ += n;
    return here;
  }

  template <class T>
  T raw() {
    return load<T>(take(sizeof(T)));
  }

  // A number with its size before it.
  template <class T>
  T basic() {
    if (*take(1) != static_cast<char>(sizeof(T))) throw OtherForm();
    return raw<T>();
  }

  bool next_is(std::string_view text) {
    take(text.size());
    pos_ -= text.size();
    return std::string_view(data_ + pos_, text.size()) == text;
  }

  void expect(std::string_view text) {
    if (!next_is(text)) throw OtherForm();
    pos_ += text.size();
  }

  bool accept(std::string_view text) {
    if (!next_is(text)) return false;
    pos_ += text.size();
    return true;
  }

  std::string_view name() {
    const std::string_view rest(data_ + pos_, size_ - pos_);
    const size_t length = rest.substr(0, kLongestName).find_first_of(" \t\n\r\f\v");
    if (length == std::string_view::npos) {
      if (rest.size() < kLongestName) throw Incomplete{size_ + 1};
      throw OtherForm();
    }
    if (length == 0 || rest[length] != ' ') throw OtherForm();
    pos_ += length + 1;
    return rest.substr(0, length);
  }

  size_t pos() const { return pos_; }
  size_t left() const { return size_ - pos_; }

 private:
  static constexpr size_t kLongestName = 1000;

  const char *data_;
  size_t size_, pos_ = 0;
};

}  // namespace kaldi_bridge
