#pragma once

#include "core/memory/limits.hpp"

#include <weft/config.hpp>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace weft::launch {

/// The exit code that asks for the same program to be run again: what it did stands, the rest is left. (EX_TEMPFAIL)
inline constexpr int kExitResume = 75;

/// When the program must have ended, and who says so.
struct JobEnd {
  double seconds_left = 0;
  std::string source;
};

/// Returns how long the program may still run: as --weft-walltime says, as `weft submit` wrote (WEFT_INTERNAL_JOB_END),
/// or as SLURM (SLURM_JOB_END_TIME) and Torque (PBS_WALLTIME) tell. `now`: seconds since 1970. Nothing where nobody
/// says.
std::optional<JobEnd> read_job_end(const Settings& settings, double now, const HostView& host = {});

/// Calls `stop` once, from a thread of its own, when the time is up but for the margin.
/// Owns: the thread. Threading: made and destroyed by one thread.
class Deadline {
 public:
  Deadline(double seconds, std::function<void()> stop);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  bool passed() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;    // guarded by mutex_
  bool passed_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace weft::launch
