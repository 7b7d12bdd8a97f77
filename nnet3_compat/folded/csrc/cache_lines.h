// Memory as the processor's caches see it, in lines of 64 bytes; much of it in huge pages, whose places are found sooner.

#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace nnet3_compat {

constexpr std::size_t LINE = 64, HUGE_PAGE = std::size_t{1} << 21;

// Brings the line of an address, which need not be one that may be read, into the second cache.
inline void fetch(const void *address) {
#ifdef __GNUC__
  __builtin_prefetch(address, 0, 2);
#endif
}

// The same where it will be written.
inline void fetch_to_write(const void *address) {
#ifdef __GNUC__
  __builtin_prefetch(address, 1, 2);
#endif
}

template <class T>
struct LineAllocator {
  using value_type = T;
  LineAllocator() = default;
  template <class U>
  LineAllocator(const LineAllocator<U> &) {}
  T *allocate(std::size_t count) {
    void *const data = ::operator new(count * sizeof(T), alignment(count));
#ifdef __linux__
    if (alignment(count) == std::align_val_t{HUGE_PAGE}) madvise(data, count * sizeof(T), MADV_HUGEPAGE);
#endif
    return static_cast<T *>(data);
  }
  void deallocate(T *data, std::size_t count) { ::operator delete(data, alignment(count)); }
  static std::align_val_t alignment(std::size_t count) {
    return std::align_val_t{count * sizeof(T) < 2 * HUGE_PAGE ? LINE : HUGE_PAGE};
  }
  friend bool operator==(const LineAllocator &, const LineAllocator &) { return true; }
  friend bool operator!=(const LineAllocator &, const LineAllocator &) { return false; }
};

// Begins with a line: vectors of 64 bytes that lie across two take twice as long to read.
template <class T>
using LineVector = std::vector<T, LineAllocator<T>>;

}  // namespace nnet3_compat
