#pragma once

#include <weft/ids.hpp>

#include <atomic>
#include <cstdint>

namespace weft::futex {

/// Sleeps while `word` holds `expected`, at most `timeout_ns` (negative: for ever). May return early.
void wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, Nanoseconds timeout_ns) noexcept;
void wake_one(const std::atomic<std::uint32_t>& word) noexcept;
void wake_all(const std::atomic<std::uint32_t>& word) noexcept;

/// Orders all earlier stores of this thread before its later loads, and makes every other running thread of the process
/// see them in that order too, at the cost of a system call here and nothing there.
void heavy_fence() noexcept;

/// The same as one type, for what takes the kernel as a parameter.
struct Kernel {
  static void wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, Nanoseconds timeout_ns) noexcept {
    futex::wait(word, expected, timeout_ns);
  }
  static void wake_one(const std::atomic<std::uint32_t>& word) noexcept { futex::wake_one(word); }
  static void wake_all(const std::atomic<std::uint32_t>& word) noexcept { futex::wake_all(word); }
  static void heavy_fence() noexcept { futex::heavy_fence(); }
};

}  // namespace weft::futex
