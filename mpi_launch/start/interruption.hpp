#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace weft::launch {

/// While it lives, a signal that ends the program (Ctrl-C, the SIGTERM of a launcher, SIGHUP) first says what it ended:
///
///     weft: ended by signal 15 (Terminated) after 12 s: 310 of 1,500 tasks were done
///
/// and then ends it as it would have. A signal for which the program has a handler of its own, or which it ignores, is
/// left alone; a second one ends the program at once. One at a time in a process.
/// Owns: a thread and a pipe.  Threading: made and destroyed by one thread.
class Interruption {
 public:
  /// `how_far` is called by the thread, at most once.
  explicit Interruption(std::function<std::string()> how_far);
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

 private:
  void wait_and_tell();

  const std::function<std::string()> how_far_;
  std::thread thread_;
};

/// Returns "310 of 1,500 tasks were done" for the counts of a run.
std::string how_far_text(std::uint64_t done, std::uint64_t failed, std::uint64_t total);

}  // namespace weft::launch
