// A phonetic decision tree (tree/event-map.h): which pdf a phone in context has.

#pragma once

#include <cstdint>
#include <vector>

#include "cursor.h"

namespace kaldi_bridge {

struct TreeNode {
  enum Kind : int32_t { kAnswer, kSplit, kTable };

  int32_t kind;
  int32_t key;  // an answer's: itself; else the place of a phone in the window, or -1, the pdf class
  int32_t first, count;  // in `values`: of a split its two children, for yes and no, and what is answered with yes, ascending;
                         // of a table the children by value, kNone where there is none
};

// The root is the first node; children come after their parents.
struct TreeNodes {
  std::vector<TreeNode> nodes;
  std::vector<int32_t> values;
};

// Throws Incomplete or OtherForm.
TreeNodes parse_tree(Cursor &in);

class DecisionTree {
 public:
  static constexpr int32_t kNone = -1;  // no child, no answer

  // Throws std::invalid_argument where it is none, for windows of `width` phones.
  DecisionTree(TreeNodes parts, int32_t width);

  int32_t width() const { return width_; }

  // The pdf of a class of a window's middle phone; kNone where there is none.
  int32_t answer(const int32_t *window, int32_t pdf_class) const;

 private:
  std::vector<TreeNode> nodes_;
  std::vector<int32_t> values_;
  int32_t width_;
};

}  // namespace kaldi_bridge
