#include "core/executor/futex.hpp"

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

namespace weft::futex {
namespace {

long call(const std::atomic<std::uint32_t>& word, int operation, std::uint32_t value,
          const timespec* timeout) noexcept {
  return ::syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, timeout, nullptr, 0);
}

bool register_membarrier() noexcept {
  return ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

}  // namespace

void wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, Nanoseconds timeout_ns) noexcept {
  const timespec timeout{static_cast<time_t>(timeout_ns / 1'000'000'000),
                         static_cast<long>(timeout_ns % 1'000'000'000)};
  call(word, FUTEX_WAIT, expected, timeout_ns < 0 ? nullptr : &timeout);
}

void wake_one(const std::atomic<std::uint32_t>& word) noexcept { call(word, FUTEX_WAKE, 1, nullptr); }
void wake_all(const std::atomic<std::uint32_t>& word) noexcept { call(word, FUTEX_WAKE, INT_MAX, nullptr); }

void heavy_fence() noexcept {
  static const bool registered = register_membarrier();
  std::atomic_thread_fence(std::memory_order_seq_cst);
  // Where the kernel refuses, sleepers fall back on their timed sleeps.
  if (registered) ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

}  // namespace weft::futex
