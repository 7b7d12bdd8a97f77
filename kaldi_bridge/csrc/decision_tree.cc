#include "decision_tree.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace kaldi_bridge {
namespace {

constexpr int kMostDepth = 400;
constexpr uint32_t kLargestTable = 10'000'000;
constexpr int32_t kMostPdfs = 1 << 24;
constexpr uint64_t kSmallest = std::string_view("NULL ").size();  // bytes of a table's child

class TreeParser {
 public:
  explicit TreeParser(Cursor *in) : in_(*in) { parse(0); }

  TreeNodes take() { return std::move(made_); }

 private:
  // The number of the node, or kNone.
  int32_t parse(int depth) {
    if (depth > kMostDepth) throw OtherForm();
    const std::string_view kind = in_.name();
    if (kind == "NULL") return DecisionTree::kNone;
    const int32_t number = static_cast<int32_t>(made_.nodes.size()), first = static_cast<int32_t>(made_.values.size());
    made_.nodes.push_back({TreeNode::kAnswer, in_.basic<int32_t>(), first, 0});
    if (kind == "CE") {
      if (made_.nodes[number].key < 0 || made_.nodes[number].key >= kMostPdfs) throw OtherForm();
    } else if (kind == "TE") {
      if (*in_.take(1) != -4) throw OtherForm();  // the size of an unsigned number
      const uint32_t size = in_.raw<uint32_t>();
      if (size > kLargestTable) throw OtherForm();
      in_.expect("( ");
      expected_ += size;
      if (kSmallest * expected_ > in_.left()) throw Incomplete{in_.pos() + kSmallest * expected_};
      made_.values.resize(first + size);
      parse_children(number, TreeNode::kTable, size, depth);
      in_.expect(") ");
    } else if (kind == "SE") {
      const int32_t size = in_.basic<int32_t>();
      if (size < 0) throw OtherForm();
      const char *values = in_.take(sizeof(int32_t) * static_cast<uint64_t>(size));
      made_.values.resize(first + 2 + size);
      int32_t *answered = made_.values.data() + first + 2;
      if (size > 0) std::memcpy(answered, values, sizeof(int32_t) * size);
      std::sort(answered, answered + size);
      in_.expect("{ ");
      parse_children(number, TreeNode::kSplit, 2, depth);
      in_.expect("} ");
      if (made_.values[first] == DecisionTree::kNone || made_.values[first + 1] == DecisionTree::kNone) throw OtherForm();
    } else {
      throw OtherForm();
    }
    return number;
  }

  void parse_children(int32_t number, TreeNode::Kind kind, uint32_t children, int depth) {
    const int32_t first = made_.nodes[number].first;
    made_.nodes[number].kind = kind;
    made_.nodes[number].count = static_cast<int32_t>(made_.values.size()) - first;
    for (uint32_t i = 0; i < children; i++) {
      if (kind == TreeNode::kTable) expected_--;
      const int32_t child = parse(depth + 1);
      made_.values[first + i] = child;
    }
  }

  Cursor &in_;
  TreeNodes made_;
  uint64_t expected_ = 0;  // children of tables that are still to come
};

}  // namespace

TreeNodes parse_tree(Cursor &in) { return TreeParser(&in).take(); }

DecisionTree::DecisionTree(TreeNodes parts, int32_t width)
    : nodes_(std::move(parts.nodes)), values_(std::move(parts.values)), width_(width) {
  const auto fits = [&](size_t number) {
    const TreeNode &node = nodes_[number];
    if (node.kind == TreeNode::kAnswer) return true;
    const int64_t end = static_cast<int64_t>(node.first) + node.count;
    if (node.kind != TreeNode::kSplit && node.kind != TreeNode::kTable) return false;
    if (node.key < -1 || node.key >= width || node.first < 0 || node.count < 0 || end > static_cast<int64_t>(values_.size()))
      return false;
    if (node.kind == TreeNode::kSplit && node.count < 2) return false;
    const auto children = values_.begin() + node.first;
    return std::all_of(children, children + (node.kind == TreeNode::kSplit ? 2 : node.count), [&](int32_t child) {
      return (child == kNone && node.kind == TreeNode::kTable) ||
             (child > static_cast<int64_t>(number) && child < static_cast<int64_t>(nodes_.size()));
    });
  };
  for (size_t number = 0; number < nodes_.size(); number++)
    if (!fits(number)) throw std::invalid_argument("the nodes of a decision tree do not fit together");
}

int32_t DecisionTree::answer(const int32_t *window, int32_t pdf_class) const {
  int32_t number = nodes_.empty() ? kNone : 0;
  while (number != kNone && nodes_[number].kind != TreeNode::kAnswer) {
    const TreeNode &node = nodes_[number];
    const int32_t value = node.key < 0 ? pdf_class : window[node.key];
    const int32_t *first = values_.data() + node.first, *end = first + node.count;
    if (node.kind == TreeNode::kSplit)
      number = first[!std::binary_search(first + 2, end, value)];
    else
      number = value >= 0 && value < node.count ? first[value] : kNone;
  }
  return number == kNone ? kNone : nodes_[number].key;
}

}  // namespace kaldi_bridge
