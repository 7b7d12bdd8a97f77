// Independent pieces of work on several threads.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace nnet3_compat {

// Does pieces 0 to count - 1, each once. make_worker() is called in each thread for what does one: a function of the piece.
// Rethrows the first exception.
template <class MakeWorker>
void in_parallel(int64_t count, int num_threads, const MakeWorker &make_worker) {
  std::atomic<int64_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  auto run = [&] {
    try {
      auto worker = make_worker();
      for (int64_t i; (i = next++) < count;) worker(i);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  std::vector<std::thread> threads;
  for (int64_t i = 1; i < std::min<int64_t>(num_threads, count); i++) threads.emplace_back(run);
  run();
  for (std::thread &thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace nnet3_compat
