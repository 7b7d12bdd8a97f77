// Many small objects, made and freed quickly.

#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace kaldi_bridge {

// Objects of one type, freed one by one or all at once.
template <class T>
class Pool {
 public:
  T *make(const T &value) {
    T *place;
    if (free_ != nullptr) {
      place = reinterpret_cast<T *>(free_);
      free_ = free_->next;
    } else {
      if (used_ == kBlock || blocks_.empty()) {
        blocks_.emplace_back(new Slot[kBlock]);
        used_ = 0;
      }
      place = reinterpret_cast<T *>(&blocks_.back()[used_++]);
    }
    return new (place) T(value);
  }
  void free(T *object) {
    Slot *slot = reinterpret_cast<Slot *>(object);
    slot->next = free_;
    free_ = slot;
  }

 private:
  static constexpr size_t kBlock = 4096;
  union Slot {
    Slot *next;
    alignas(T) char space[sizeof(T)];
  };
  std::vector<std::unique_ptr<Slot[]>> blocks_;
  Slot *free_ = nullptr;
  size_t used_ = 0;
};

}  // namespace kaldi_bridge
