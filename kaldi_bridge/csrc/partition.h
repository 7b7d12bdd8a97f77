// Numbers 0, 1, ... in classes, which are split in two again and again (fst/partition.h). What is split off becomes the new
// class where it is the smaller part, else what is left does. A class keeps its members in a list, those that came last in
// front.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kaldi_bridge {

class Partition {
 public:
  explicit Partition(size_t size) : elements_(size) {}

  int32_t num_classes() const { return static_cast<int32_t>(classes_.size()); }
  int32_t class_of(int32_t element) const { return elements_[element].own; }
  int32_t size(int32_t c) const { return classes_[c].size; }
  int32_t first(int32_t c) const { return classes_[c].head; }  // -1: of an empty class
  int32_t next(int32_t element) const { return elements_[element].next; }  // -1: it is the last one of its class

  // The number of the first one.
  int32_t add_classes(int32_t count) {
    classes_.resize(classes_.size() + count);
    return num_classes() - count;
  }
  void add(int32_t element, int32_t c) {
    elements_[element] = {c, 0, -1, -1};
    put_in_front(element, &classes_[c].head);
    classes_[c].size++;
  }
  void move(int32_t element, int32_t c) {
    Class &old = classes_[elements_[element].own];
    take_out(element, &old.head);
    old.size--;
    add(element, c);
  }

  // Marks an element: `finish_split` will part it from those of its class that are not marked.
  void split_on(int32_t element) {
    Element &own = elements_[element];
    if (own.round == round_) return;
    Class &of = classes_[own.own];
    take_out(element, &of.head);
    if (of.marked_head < 0) touched_.push_back(own.own);
    own.round = round_;
    put_in_front(element, &of.marked_head);
    of.num_marked++;
  }
  // Appends the new classes' numbers to `made`.
  void finish_split(std::vector<int32_t> *made) {
    for (const int32_t c : touched_) split(c, made);
    touched_.clear();
    round_++;
  }

 private:
  struct Element {
    int32_t own, round, next, before;  // `round`: in which it was marked last
  };
  struct Class {
    int32_t size = 0, head = -1, num_marked = 0, marked_head = -1;
  };

  void put_in_front(int32_t element, int32_t *head) {
    if (*head >= 0) elements_[*head].before = element;
    elements_[element].next = *head;
    elements_[element].before = -1;
    *head = element;
  }
  void take_out(int32_t element, int32_t *head) {
    const Element &own = elements_[element];
    (own.before >= 0 ? elements_[own.before].next : *head) = own.next;
    if (own.next >= 0) elements_[own.next].before = own.before;
  }
  void split(int32_t c, std::vector<int32_t> *made) {
    const Class old = classes_[c];
    const Class marked = {old.num_marked, old.marked_head, 0, -1};
    const Class rest = {old.size - old.num_marked, old.head, 0, -1};
    if (rest.size == 0) {
      classes_[c] = marked;
      return;
    }
    const bool rest_is_new = rest.size < marked.size;
    classes_[c] = rest_is_new ? marked : rest;
    classes_.push_back(rest_is_new ? rest : marked);
    made->push_back(num_classes() - 1);
    for (int32_t e = classes_.back().head; e >= 0; e = elements_[e].next) elements_[e].own = num_classes() - 1;
  }

  std::vector<Element> elements_;
  std::vector<Class> classes_;
  std::vector<int32_t> touched_;
  int32_t round_ = 1;
};

}  // namespace kaldi_bridge
