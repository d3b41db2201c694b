#pragma once

#include <cstdint>
#include <string>
#include <thread>

namespace weft::launch {

/// While it lives, a signal that ends the program (Ctrl-C, the SIGTERM of a launcher, SIGHUP) first says what it ended:
///
///     weft: ended by signal 15 (Terminated) after 12 s: 310 of 1500 tasks were done; the same command goes on from the
///     journal /scratch/me/run.journal
///
/// and then ends it as it would have. A signal for which the program has a handler of its own, or which it ignores, is
/// left alone; a second one ends the program at once. One at a time in a process.
/// Owns: a thread and a pipe.  Threading: made and destroyed by one thread.
class Interruption {
 public:
  /// `client`: the serial number of the one whose tasks are counted. `journal`: its folder, "" where it has none.
  Interruption(std::uint32_t client, const std::string& journal);
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

 private:
  std::thread thread_;
};

}  // namespace weft::launch
