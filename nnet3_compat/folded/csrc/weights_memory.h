// Where weights are: as much as a model has is spread over thousands of pages, and each page that is not known to the
// processor costs as much as hundreds of products. So matrices share huge pages.

#pragma once

#include <cstddef>
#include <memory>

namespace nnet3_compat {

// Zeros, from the beginning of a line on. Memory is given back when no matrix that shares it is left.
std::shared_ptr<void> weights_memory(std::size_t bytes);

template <class T>
std::shared_ptr<T> weights_of(std::size_t count) {
  return std::static_pointer_cast<T>(weights_memory(count * sizeof(T)));
}

}  // namespace nnet3_compat
