#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace weft {

class Runtime;

/// Notices that a run stands still: somebody waits, tasks are left, and for long none has ended and no worker has used
/// its processors.
///
/// For: WaitDisplay, whose thread asks. Owns: what it saw last.  Threading: one thread.
class Watchdog {
 public:
  /// `why_idle`: called where no worker runs anything; tells what the rest waits for.
  Watchdog(Runtime& runtime, double patience_seconds, std::function<std::string()> why_idle = {});

  double interval_seconds() const;
  /// Returns what to say: once when the patience is over, again after twice as long, and so on; else "".
  std::string look(double now_seconds);

 private:
  /// Notes what processors each worker has used so far; returns whether that grew much since the last time.
  bool take_sample(double now_seconds);
  std::string sentence(double quiet_seconds) const;

  Runtime& runtime_;
  const double patience_seconds_;
  const std::function<std::string()> why_idle_;
  std::uint64_t ended_ = 0;
  double since_ = -1;  // when `ended_` changed last
  double next_ = 0;    // seconds of quiet at which to speak
  double sampled_ = -1;
  std::map<std::string, double> processors_;
};

}  // namespace weft
