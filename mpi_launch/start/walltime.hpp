#pragma once

#include "core/memory/limits.hpp"

#include <weft/config.hpp>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
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

/// Asks SLURM's `squeue` how long the job of this process may still run: SLURM before 23.02 puts it in no variable.
/// Nothing outside of jobs, for jobs without a limit, and where no answer comes within 1.5 s.
std::optional<JobEnd> ask_slurm(const HostView& host = {});

/// Returns the seconds in SLURM's way to write them: [days-]hours:minutes:seconds, minutes:seconds.
std::optional<double> slurm_seconds(std::string_view text);

/// Calls `stop` once, from a thread of its own, when the time is up but for the margin.
/// Owns: the thread. Threading: made and destroyed by one thread.
class Deadline {
 public:
  /// `end` may take its time: it is called by the thread. Without an answer nothing is ever stopped.
  Deadline(std::function<std::optional<JobEnd>()> end, double margin, std::function<void(const JobEnd&)> stop);
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
