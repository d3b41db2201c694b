#include "mpi_launch/start/walltime.hpp"

#include <chrono>
#include <cstdlib>

namespace weft::launch {

namespace {

std::optional<double> number(const HostView& host, const char* name) {
  const std::string text = host.variable(name);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value > 0)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<JobEnd> read_job_end(const Settings& settings, double now, const HostView& host) {
  if (settings.walltime > 0) return JobEnd{settings.walltime, settings.origin("walltime").where};
  for (const char* name : {"WEFT_INTERNAL_JOB_END", "SLURM_JOB_END_TIME"}) {
    if (const auto end = number(host, name)) return JobEnd{*end - now, name};
  }
  // Torque tells how long the job may take, not since when: taken from the start of the program, which is a little
  // late.
  if (const auto seconds = number(host, "PBS_WALLTIME")) return JobEnd{*seconds, "PBS_WALLTIME"};
  return std::nullopt;
}

Deadline::Deadline(double seconds, std::function<void()> stop) {
  thread_ = std::thread([this, seconds, stop = std::move(stop)] {
    {
      std::unique_lock lock(mutex_);
      const auto most = std::chrono::duration<double>(seconds > 0 ? seconds : 0);
      if (changed_.wait_for(lock, most, [this] { return over_; })) return;
      passed_ = true;
    }
    stop();
  });
}

Deadline::~Deadline() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool Deadline::passed() const {
  const std::lock_guard lock(mutex_);
  return passed_;
}

}  // namespace weft::launch
