#include "weights_memory.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "cache_lines.h"

namespace nnet3_compat {

namespace {

constexpr std::size_t BLOCK = std::size_t{1} << 23;

struct Block {
  explicit Block(std::size_t size) : size(size), data(LineAllocator<char>().allocate(size)) {}
  ~Block() { LineAllocator<char>().deallocate(data, size); }
  Block(const Block &) = delete;
  Block &operator=(const Block &) = delete;

  const std::size_t size;
  char *const data;
  std::size_t used = 0;
};

std::mutex mutex;
std::weak_ptr<Block> current;  // which has room for more

}  // namespace

std::shared_ptr<void> weights_memory(std::size_t bytes) {
  bytes = (bytes + LINE - 1) / LINE * LINE;
  const std::lock_guard<std::mutex> lock(mutex);
  std::shared_ptr<Block> block = current.lock();
  if (!block || block->size - block->used < bytes) current = block = std::make_shared<Block>(std::max(BLOCK, bytes));
  char *const begin = block->data + block->used;
  block->used += bytes;
  std::memset(begin, 0, bytes);
  return {block, begin};
}

}  // namespace nnet3_compat
