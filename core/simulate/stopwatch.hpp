#pragma once

#include <chrono>
#include <cstdint>

#include <sys/resource.h>
#include <time.h>

#include "core/messages/ids.hpp"

namespace weft::sim {

/// Measures how long decisions take. One during which the kernel gave the core to somebody else is taken for an average
/// one, so that other programs of this machine do not show as decisions.
/// Owns: an average.  Threading: one thread, the one that decides.
class Stopwatch {
 public:
  template <typename Work>
  Nanoseconds measure(Work&& work) {
    const auto begun = std::chrono::steady_clock::now();
    work();
    const auto passed = std::chrono::steady_clock::now() - begun;
    const auto took = static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(passed).count());
    if (took > kSuspicious && was_interrupted()) return static_cast<Nanoseconds>(average_);
    average_ += (took - average_) / kMemory;
    return static_cast<Nanoseconds>(took);
  }

  /// For what takes long by nature: the time of the processor, which costs more to ask for.
  template <typename Work>
  Nanoseconds measure_long(Work&& work) {
    const Nanoseconds begun = processor_time();
    work();
    return processor_time() - begun;
  }

 private:
  static constexpr double kSuspicious = 20'000;
  static constexpr double kMemory = 256;

  bool was_interrupted() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    const long switches = usage.ru_nivcsw + usage.ru_nvcsw;
    const bool is_new = switches != switches_;
    switches_ = switches;
    return is_new;
  }

  static Nanoseconds processor_time() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<Nanoseconds>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  }

  double average_ = 1'000;
  long switches_ = 0;
};

}  // namespace weft::sim
