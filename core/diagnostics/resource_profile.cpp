#include <weft/resource_profile.hpp>

#include "core/diagnostics/resource_profile.hpp"
#include "core/memory/bytes_text.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <fmt/format.h>

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <system_error>
#include <thread>

namespace weft {
namespace {

constexpr std::size_t kMostSamples = 10'000;

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void write_file(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  const bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = file != nullptr && std::fclose(file) == 0;
  if (!written || !closed) {
    throw ConfigError("the profile \"" + path + "\" cannot be written: " + std::system_category().message(errno) +
                      "; name another file");
  }
}

/// One picture: a line over the time, its title, and its largest value.
std::string picture(const std::vector<ResourceSample>& samples, const char* title, std::string (*text)(double),
                    double (*value)(const ResourceSample&)) {
  constexpr double kWidth = 900;
  constexpr double kHeight = 120;
  double most = 0;
  for (const ResourceSample& sample : samples) most = std::max(most, value(sample));
  const double longest = samples.empty() ? 0 : samples.back().seconds;
  std::string points;
  for (const ResourceSample& sample : samples) {
    points += fmt::format("{:.1f},{:.1f} ", longest > 0 ? kWidth * sample.seconds / longest : 0,
                          kHeight - (most > 0 ? kHeight * value(sample) / most : 0));
  }
  return fmt::format(
      "<h2>{}, at most {}</h2>\n<svg viewBox=\"0 0 {} {}\" width=\"100%\" height=\"{}\" preserveAspectRatio=\"none\">"
      "<rect width=\"{}\" height=\"{}\" fill=\"#f4f4f4\"/><polyline points=\"{}\" fill=\"none\" stroke=\"#2b6cb0\" "
      "stroke-width=\"1.5\" vector-effect=\"non-scaling-stroke\"/></svg>\n",
      title, text(most), kWidth, kHeight, kHeight, kWidth, kHeight, points);
}

std::string as_number(double value) { return fmt::format("{:.4g}", value); }
std::string as_bytes(double value) { return bytes_text(static_cast<std::uint64_t>(value)); }

}  // namespace

/// The samples and the thread that takes them. Threading: guarded by its mutex.
struct ResourceProfile::Parts {
  Parts(std::uint32_t its_client, double interval_s) : client(its_client), interval(interval_s) {
    take();
    thread = std::thread([this] { run(); });
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, std::chrono::duration<double>(interval), [this] { return stopping; })) take_locked();
  }
  void take() {
    const std::lock_guard lock(mutex);
    take_locked();
  }
  void take_locked() {
    Runtime* const runtime = Runtime::find(client);
    if (runtime == nullptr) return;
    const auto now = std::chrono::steady_clock::now();
    const double busy = processor_seconds();
    const MemoryReport memory = runtime->memory_report();
    const Runtime::Counts counts = runtime->counts();
    ResourceSample sample;
    sample.seconds = std::chrono::duration<double>(now - begin).count();
    const double since = samples.empty() ? 0 : sample.seconds - samples.back().seconds;
    sample.busy_cores = since > 0 ? (busy - last_busy) / since : 0;
    last_busy = busy;
    sample.resident_bytes = memory.resident_bytes;
    sample.used_bytes = memory.used_bytes;
    sample.spilled_bytes = memory.spilled_bytes;
    sample.tasks_done = counts.tasks_done;
    sample.tasks_left = counts.tasks_total - std::min(counts.tasks_total, counts.tasks_done);
    samples.push_back(sample);
    if (samples.size() < kMostSamples) return;
    for (std::size_t i = 0; 2 * i + 1 < samples.size(); ++i) {
      const double both = (samples[2 * i].busy_cores + samples[2 * i + 1].busy_cores) / 2;
      samples[i] = samples[2 * i + 1];
      samples[i].busy_cores = both;
    }
    samples.resize(kMostSamples / 2);
    interval *= 2;
  }
  void stop() {
    {
      const std::lock_guard lock(mutex);
      if (stopping) return;
      take_locked();
      stopping = true;
    }
    changed.notify_all();
    thread.join();
  }

  const std::uint32_t client;
  const std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  double interval;
  bool stopping = false;
  double last_busy = processor_seconds();
  std::vector<ResourceSample> samples;
  std::thread thread;  // started last, joined by the first `stop`
};

namespace {

/// The profiles that take samples: what a client that is closed stops. Never destroyed.
struct Profiles {
  std::mutex mutex;
  std::vector<std::pair<std::uint32_t, ResourceProfile*>> all;
};
Profiles& profiles() {
  static Profiles* const instance = new Profiles;
  return *instance;
}

}  // namespace

void stop_profiles(std::uint32_t client) {
  const std::lock_guard lock(profiles().mutex);
  for (const auto& [serial, profile] : profiles().all) {
    if (serial == client) profile->stop();
  }
}

ResourceProfile::ResourceProfile(const Client& client, const ResourceProfileOptions& options) {
  if (!(options.interval.count() > 0)) throw ConfigError("a profile's interval must be above 0 seconds");
  static_cast<void>(client.slots());  // throws for a closed one
  const std::lock_guard lock(profiles().mutex);
  parts_ = std::make_unique<Parts>(client.serial(), options.interval.count());
  profiles().all.emplace_back(client.serial(), this);
}

ResourceProfile::~ResourceProfile() {
  {
    const std::lock_guard lock(profiles().mutex);
    std::erase_if(profiles().all, [this](const auto& entry) { return entry.second == this; });
  }
  stop();
}

void ResourceProfile::stop() { parts_->stop(); }

std::vector<ResourceSample> ResourceProfile::samples() const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->samples;
}

void ResourceProfile::write_csv(const std::string& path) const {
  std::string text = "seconds,busy_cores,resident_bytes,used_bytes,spilled_bytes,tasks_done,tasks_left\n";
  for (const ResourceSample& sample : samples()) {
    text += fmt::format("{:.6f},{:.3f},{},{},{},{},{}\n", sample.seconds, sample.busy_cores, sample.resident_bytes,
                        sample.used_bytes, sample.spilled_bytes, sample.tasks_done, sample.tasks_left);
  }
  write_file(path, text);
}

void ResourceProfile::write_html(const std::string& path) const {
  const std::vector<ResourceSample> all = samples();
  std::string page = fmt::format(
      "<!doctype html>\n<meta charset=\"utf-8\"><title>weft: resources</title>\n"
      "<body style=\"font-family: sans-serif; max-width: 960px; margin: auto\">\n"
      "<h1>What the process used in {:.3f} s, {} tasks done</h1>\n",
      all.empty() ? 0.0 : all.back().seconds, all.empty() ? 0 : all.back().tasks_done);
  using S = const ResourceSample&;
  page += picture(all, "Busy cores", as_number, [](S s) { return s.busy_cores; });
  page += picture(all, "Resident memory", as_bytes, [](S s) { return static_cast<double>(s.resident_bytes); });
  page += picture(all, "Budget in use", as_bytes, [](S s) { return static_cast<double>(s.used_bytes); });
  page += picture(all, "On disk", as_bytes, [](S s) { return static_cast<double>(s.spilled_bytes); });
  page += picture(all, "Tasks left", as_number, [](S s) { return static_cast<double>(s.tasks_left); });
  write_file(path, page);
}

}  // namespace weft
