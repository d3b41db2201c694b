#include "mpi_launch/start/walltime.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>

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

std::optional<double> slurm_seconds(std::string_view text) {
  double days = 0;
  double seconds = 0;
  int parts = 0;
  const auto take = [&text](double& value) {
    unsigned whole = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    value = whole;
    return error == std::errc();
  };
  for (double value = 0; take(value);) {
    if (text.starts_with('-') && parts == 0) {
      days = value;
    } else {
      seconds = seconds * 60 + value;
      ++parts;
      if (text.empty()) return parts >= 2 && parts <= 3 ? std::optional(days * 86'400 + seconds) : std::nullopt;
      if (!text.starts_with(':')) return std::nullopt;
    }
    text.remove_prefix(1);
  }
  return std::nullopt;
}

std::optional<JobEnd> ask_slurm(const HostView& host) {
  const std::string job = host.variable("SLURM_JOB_ID");
  if (job.empty() || job.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const std::string command = "timeout 1.5 squeue -h -j " + job + " -o %L 2>/dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> answer(::popen(command.c_str(), "re"), &::pclose);
  char line[64] = "";
  if (answer == nullptr || std::fgets(line, sizeof line, answer.get()) == nullptr) return std::nullopt;
  std::string_view text(line);
  text = text.substr(0, text.find('\n'));
  const auto seconds = slurm_seconds(text);
  if (!seconds) return std::nullopt;
  return JobEnd{*seconds, "squeue"};
}

Deadline::Deadline(DeadlineCalls calls, double margin)
    : thread_([this, calls = std::move(calls), margin] { watch(calls, margin); }) {}

/// Nothing fits once that was so twice, in the same words, with a moment between: what ends may make others ready.
void Deadline::watch(const DeadlineCalls& calls, double margin) {
  using Seconds = std::chrono::duration<double>;
  constexpr Seconds kLook(0.2);
  const std::optional<JobEnd> known = calls.end();
  if (!known) return;
  const double most = std::max(0.0, known->seconds_left - margin);
  const auto stop_at = std::chrono::steady_clock::now() + Seconds(most);
  if (calls.known) calls.known(most);
  std::string before;
  for (;;) {
    Seconds left = stop_at - std::chrono::steady_clock::now();
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, calls.nothing_fits ? std::min(left, kLook) : left, [this] { return over_; })) return;
    }
    left = stop_at - std::chrono::steady_clock::now();
    std::string why = left.count() > 0 && calls.nothing_fits ? calls.nothing_fits() : "";
    if (left.count() > 0 && (why.empty() || why != before)) {
      before = std::move(why);
      continue;
    }
    {
      const std::lock_guard lock(mutex_);
      if (over_) return;
      passed_ = true;
    }
    return calls.stop(*known, why, std::max(0.0, left.count()));
  }
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
