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

/// What a Deadline asks and tells; it calls all of it from a thread of its own.
struct DeadlineCalls {
  /// May take its time. Without an answer nothing is ever stopped.
  std::function<std::optional<JobEnd>()> end;
  /// Once, as soon as the end is known: in so many seconds `stop` is called.
  std::function<void(double)> known = {};
  /// From then on, from time to time: why nothing that is left could end in time, or "".
  std::function<std::string()> nothing_fits = {};
  /// Once: when the time is up but for the margin, or, with why and `seconds` before that, when nothing fits.
  std::function<void(const JobEnd&, const std::string& why, double seconds)> stop;
};

/// Stops the program when its time is up but for the margin, or when nothing is left that could end before that.
/// Owns: the thread. Threading: made and destroyed by one thread.
class Deadline {
 public:
  Deadline(DeadlineCalls calls, double margin);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  bool passed() const;

 private:
  void watch(const DeadlineCalls& calls, double margin);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;    // guarded by mutex_
  bool passed_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace weft::launch
