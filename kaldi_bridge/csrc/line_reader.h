// Lines of a text that arrives block by block.

#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace kaldi_bridge {

// The next bytes, which stay valid until it is called again; none: the end.
using ReadBlock = std::function<std::string_view()>;

class LineReader {
 public:
  explicit LineReader(ReadBlock read) : read_(std::move(read)) {}

  // Whether there was a line that ends in a newline. Otherwise `line` is what stands after the last newline, once; after
  // that it is left as it is.
  bool next(std::string *line) {
    if (ended_) return false;
    line->clear();
    while (true) {
      const size_t newline = block_.find('\n');
      line->append(block_.substr(0, newline));
      if (newline != block_.npos) {
        block_.remove_prefix(newline + 1);
        return true;
      }
      block_ = read_();
      if (block_.empty()) {
        ended_ = true;
        return false;
      }
    }
  }

 private:
  ReadBlock read_;
  std::string_view block_;
  bool ended_ = false;
};

}  // namespace kaldi_bridge
