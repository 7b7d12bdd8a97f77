#include "rows_read.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

namespace nnet3_compat {

namespace {

constexpr int64_t MOST_ROWS = int64_t{1} << 40;  // so that no product of numbers of rows overflows

void expect(bool condition, const char *what) {
  if (!condition) throw std::invalid_argument(what);
}

bool within(int64_t first, int64_t step, int64_t count, int64_t rows) {
  if (first < 0 || first >= rows || step < 0) return false;
  return count == 1 || step <= (rows - 1 - first) / (count - 1);
}

// The integers of a spec, one after the other.
class Reader {
 public:
  explicit Reader(const std::vector<int64_t> &integers) : integers_(integers) {}

  bool at_end() const { return at_ == static_cast<int64_t>(integers_.size()); }

  int64_t next() {
    expect(!at_end(), "a layout ends too early");
    return integers_[at_++];
  }

  int64_t next_size() {
    const int64_t size = next();
    expect(size >= 0 && size <= MOST_ROWS, "a layout of a negative number of rows");
    return size;
  }

  bool is_negative() const { return !at_end() && integers_[at_] < 0; }

  RowsRead next_leaf() {
    constexpr int64_t SIZE = 5;  // of a progression
    RowsRead read;
    const int64_t left = integers_.size() - at_;
    int64_t count = next();
    if (count < 0) {  // row by row
      count = next_size();
      expect(count <= (left - 2) / 2, "a layout ends too early");
      for (int64_t i = at_; i < at_ + count; i++) read.push_back({integers_[i], 1, integers_[i + count], 1, 1});
      at_ += 2 * count;
      return read;
    }
    expect(count <= (left - 1) / SIZE, "a layout ends too early");
    for (const int64_t end = at_ + SIZE * count; at_ < end; at_ += SIZE)
      read.push_back({integers_[at_], integers_[at_ + 1], integers_[at_ + 2], integers_[at_ + 3], integers_[at_ + 4]});
    return read;
  }

 private:
  const std::vector<int64_t> &integers_;
  int64_t at_ = 0;
};

// The spec of a recurrence says where its members lie on a grid of blocks of rows, and reads rows of the grid. Here become
// of that rows of each member: those that it has, which are no more than the grid's.
class Recurrence {
 public:
  Recurrence(const std::vector<int64_t> &integers, const Group &group, const std::vector<int64_t> &carried)
      : group_(group), carried_(carried), reader_(integers) {
    block_rows_ = reader_.next_size();
    blocks_ = reader_.next_size();
    expect(block_rows_ > 0 && blocks_ <= MOST_ROWS / block_rows_, "a layout of a negative number of rows");
    grid_rows_ = block_rows_ * blocks_;
    expect(grid_rows_ <= std::numeric_limits<int32_t>::max(), "a layout of too many rows");
    const int64_t direction = reader_.next();
    expect(direction == -1 || direction == 1, "a layout of a recurrence in no direction");
    last_first_ = direction > 0;
    for (const Member &member : group_.members) read_member(member);
    if (!reader_.at_end()) read_carried();
  }

  void write(std::vector<Spec> *specs) const {
    const std::vector<std::vector<int64_t>> places = all_places();
    for (size_t m = 0; m < members_.size(); m++) {
      const OnGrid &member = members_[m];
      Spec &spec = (*specs)[group_.members[m].value];
      spec.rows = member.rows.size();
      spec.last_first = last_first_;
      spec.blocks.assign(1, 0);
      for (int64_t block = 1; block <= blocks_; block++)
        spec.blocks.push_back(std::lower_bound(member.rows.begin(), member.rows.end(), block * block_rows_) -
                              member.rows.begin());
      spec.blocks.back() = spec.rows;
      for (const Leaf &leaf : member.leaves) {
        std::vector<int64_t> read;
        for (const int64_t row : member.rows)
          read.push_back(leaf.source == NO_VALUE ? leaf.rows[row] : place(places[leaf.source], row, leaf.blocks_away));
        spec.leaves.push_back(compress(read));
      }
    }
  }

 private:
  struct Leaf {
    int64_t source;             // a member, or NO_VALUE
    int64_t blocks_away;        // of a member
    std::vector<int64_t> rows;  // per row of the grid, of another value
  };
  struct OnGrid {
    std::vector<int64_t> rows;  // of the grid
    std::vector<Leaf> leaves;
  };

  void read_member(const Member &member) {
    OnGrid found;
    if (reader_.is_negative()) {
      reader_.next();
      const int64_t count = reader_.next_size();
      expect(count <= grid_rows_, "a layout of more rows than there are");
      found.rows = expand(reader_.next_leaf(), count, grid_rows_);
      expect(std::is_sorted(found.rows.begin(), found.rows.end()) && (found.rows.empty() || found.rows[0] >= 0),
             "a layout of rows in no order");
    } else {
      const int64_t first = reader_.next_size(), end = reader_.next_size();
      expect(first <= end && end <= grid_rows_, "a layout of rows that are not there");
      for (int64_t row = first; row < end; row++) found.rows.push_back(row);
    }
    for (const int64_t inner : member.inner) {
      if (inner == NO_VALUE) {
        found.leaves.push_back({NO_VALUE, 0, expand(reader_.next_leaf(), grid_rows_, MOST_ROWS)});
        continue;
      }
      const auto is_inner = [&](const Member &other) { return other.value == inner; };
      const auto at = std::find_if(group_.members.begin(), group_.members.end(), is_inner);
      expect(at != group_.members.end(), "a layout reads a member that is not there");
      found.leaves.push_back({at - group_.members.begin(), reader_.next_size(), {}});
    }
    members_.push_back(std::move(found));
  }

  // Blocks that were computed before; of each member what its carried rows are on the grid with these.
  void read_carried() {
    before_ = reader_.next_size() * block_rows_;
    expect(before_ <= std::numeric_limits<int32_t>::max(), "a layout of too many rows");
    for (const Member &member : group_.members)
      known_.push_back(expand(reader_.next_leaf(), before_ + grid_rows_, carried_[member.value]));
  }

  // Per member and row of the grid, with blocks that were computed before: the row of the value, or NO_ROW.
  std::vector<std::vector<int64_t>> all_places() const {
    std::vector<std::vector<int64_t>> places = known_;
    places.resize(members_.size(), std::vector<int64_t>(before_ + grid_rows_, NO_ROW));
    for (size_t m = 0; m < members_.size(); m++) {
      const int64_t carried = carried_[group_.members[m].value], first = last_first_ ? 0 : before_;
      for (size_t row = 0; row < members_[m].rows.size(); row++) places[m][first + members_[m].rows[row]] = carried + row;
    }
    return places;
  }

  // Where is what a member reads for a row of the grid in a block so far away.
  int64_t place(const std::vector<int64_t> &places, int64_t row, int64_t blocks_away) const {
    if (blocks_away > (before_ + grid_rows_) / block_rows_) return NO_ROW;
    const int64_t at = last_first_ ? row + blocks_away * block_rows_ : before_ + row - blocks_away * block_rows_;
    return at >= 0 && at < static_cast<int64_t>(places.size()) ? places[at] : NO_ROW;
  }

  const Group &group_;
  const std::vector<int64_t> &carried_;
  Reader reader_;
  int64_t block_rows_, blocks_, grid_rows_, before_ = 0;
  bool last_first_;
  std::vector<OnGrid> members_;
  std::vector<std::vector<int64_t>> known_;
};

}  // namespace

std::vector<int64_t> expand(const RowsRead &read, int64_t rows, int64_t source_rows) {
  std::vector<int64_t> found(rows, NO_ROW);
  for (const Progression &p : read) {
    expect(p.count >= 0, "a progression of a negative number of rows");
    expect(p.count == 0 || (within(p.to, p.to_step, p.count, rows) && within(p.from, p.from_step, p.count, source_rows)),
           "a reading is of a row that is not there");
    for (int64_t i = 0; i < p.count; i++) found[p.to + p.to_step * i] = p.from + p.from_step * i;
  }
  return found;
}

RowsRead compress(const std::vector<int64_t> &source_rows) {
  RowsRead found;
  const int64_t rows = source_rows.size();
  for (int64_t row = 0; row < rows;) {
    if (source_rows[row] == NO_ROW) {
      row++;
      continue;
    }
    Progression p{row, 1, source_rows[row], 1, 1};
    if (row + 1 < rows && source_rows[row + 1] != NO_ROW && source_rows[row + 1] >= p.from)
      p.from_step = source_rows[row + 1] - p.from;
    while (row + p.count < rows && source_rows[row + p.count] == p.from + p.from_step * p.count) p.count++;
    found.push_back(p);
    row += p.count;
  }
  return found;
}

Spec decode(const std::vector<int64_t> &integers) {
  Reader reader(integers);
  Spec spec{reader.next_size(), {}, {}};
  while (!reader.at_end()) spec.leaves.push_back(reader.next_leaf());
  spec.blocks = {0, spec.rows};
  return spec;
}

std::vector<Spec> decode(const std::vector<std::vector<int64_t>> &layout, const std::vector<Group> &groups,
                         const std::vector<int64_t> &carried) {
  expect(layout.size() == groups.size(), "a layout of another number of groups");
  std::vector<Spec> specs(carried.size());
  for (size_t g = 0; g < groups.size(); g++) {
    if (groups[g].is_recurrent)
      Recurrence(layout[g], groups[g], carried).write(&specs);
    else
      specs[groups[g].members[0].value] = decode(layout[g]);
  }
  return specs;
}

}  // namespace nnet3_compat
