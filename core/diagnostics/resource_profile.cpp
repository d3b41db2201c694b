#include <weft/resource_profile.hpp>

#include "core/diagnostics/resource_profile.hpp"
#include "core/diagnostics/write_file.hpp"
#include "core/memory/bytes_text.hpp"
#include "core/runtime/look.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace weft {
namespace {

constexpr std::size_t kMostSamples = 10'000;

using Series = std::map<std::string, std::vector<ResourceSample>>;

/// One picture: a line over the time for each process, its title, and its largest value.
std::string picture(const Series& all, const char* title, std::string (*text)(double),
                    double (*value)(const ResourceSample&)) {
  constexpr double kWidth = 900;
  constexpr double kHeight = 120;
  double most = 0;
  double longest = 0;
  for (const auto& [process, samples] : all) {
    for (const ResourceSample& sample : samples) {
      most = std::max(most, value(sample));
      longest = std::max(longest, sample.seconds);
    }
  }
  std::string lines;
  std::size_t number = 0;
  for (const auto& [process, samples] : all) {
    std::string points;
    for (const ResourceSample& sample : samples) {
      points += fmt::format("{:.1f},{:.1f} ", longest > 0 ? kWidth * sample.seconds / longest : 0,
                            kHeight - (most > 0 ? kHeight * value(sample) / most : 0));
    }
    lines += fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"hsl({},60%,45%)\" stroke-width=\"1.5\" "
        "vector-effect=\"non-scaling-stroke\"><title>{}</title></polyline>",
        points, 210 + 137 * number++, html_text(process));
  }
  return fmt::format(
      "<h2>{}, at most {}</h2>\n<svg viewBox=\"0 0 {} {}\" width=\"100%\" height=\"{}\" preserveAspectRatio=\"none\">"
      "<rect width=\"{}\" height=\"{}\" fill=\"#f4f4f4\"/>{}</svg>\n",
      title, text(most), kWidth, kHeight, kHeight, kWidth, kHeight, lines);
}

std::string as_number(double value) { return fmt::format("{:.4g}", value); }
std::string as_bytes(double value) { return bytes_text(static_cast<std::uint64_t>(value)); }

}  // namespace

/// The samples and the thread that takes them. Threading: guarded by its mutex; workers are looked at without it,
/// because that may run a user's callbacks.
struct ResourceProfile::Parts {
  Parts(std::uint32_t its_client, const ResourceProfileOptions& options)
      : client(its_client), looks_at_workers(options.workers), interval(options.interval.count()) {
    take();
    thread = std::thread([this] { run(); });
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, std::chrono::duration<double>(interval), [this] { return stopping; })) {
      lock.unlock();
      take();
      lock.lock();
    }
  }

  void take() {
    Runtime* const runtime = Runtime::find(client);
    if (runtime == nullptr) return;
    std::vector<WorkerLook> seen;
    if (looks_at_workers && !runtime->alone() && !runtime->closing()) {
      try {
        seen = runtime->look({});
      } catch (const Error&) {
        looks_at_workers = false;  // they are another program's
      }
    }
    const MemoryReport memory = runtime->memory_report();
    const Runtime::Counts counts = runtime->counts();
    const std::lock_guard lock(mutex);
    ResourceSample sample;
    sample.resident_bytes = memory.resident_bytes;
    sample.used_bytes = memory.used_bytes;
    sample.spilled_bytes = memory.spilled_bytes;
    sample.tasks_done = counts.tasks_done;
    sample.tasks_left = counts.tasks_total - std::min(counts.tasks_total, counts.tasks_done);
    add(here, sample, processor_seconds());
    for (const WorkerLook& look : seen) {
      sample.resident_bytes = look.resident_bytes;
      sample.used_bytes = look.used_bytes;
      sample.spilled_bytes = look.spilled_bytes;
      sample.tasks_done = look.tasks_done;
      sample.tasks_left = 0;
      add(workers[look.worker], sample, look.processor_seconds);
    }
    if (here.samples.size() < kMostSamples) return;
    halve(here);
    for (auto& [name, process] : workers) halve(process);
    interval *= 2;
  }

  /// What is known of a process.
  struct Process {
    double last_busy = -1;
    std::vector<ResourceSample> samples;
  };

  void add(Process& process, ResourceSample sample, double busy) {
    sample.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const double since = process.samples.empty() ? 0 : sample.seconds - process.samples.back().seconds;
    // Where another process came in the place of one that was lost, it counts from its own beginning.
    const double before = busy < process.last_busy ? 0 : process.last_busy;
    sample.busy_cores = since > 0 ? (busy - before) / since : 0;
    process.last_busy = busy;
    process.samples.push_back(sample);
  }

  static void halve(Process& process) {
    std::vector<ResourceSample>& samples = process.samples;
    const std::size_t half = samples.size() / 2;
    for (std::size_t i = 0; i < half; ++i) {
      const double both = (samples[2 * i].busy_cores + samples[2 * i + 1].busy_cores) / 2;
      samples[i] = samples[2 * i + 1];
      samples[i].busy_cores = both;
    }
    samples.resize(half);
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      if (stopping) return;
      stopping = true;
    }
    changed.notify_all();
    thread.join();
    take();
  }

  const std::uint32_t client;
  bool looks_at_workers;  // by who takes samples: first the constructor, then the thread, then who stops it
  const std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  double interval;
  bool stopping = false;
  Process here;
  std::map<std::string, Process> workers;
  std::thread thread;  // started last, joined by the first `stop`
};

namespace {

/// The profiles that take samples: what a client that is closed stops. Never destroyed.
struct Profiles {
  std::mutex mutex;
  std::vector<std::shared_ptr<ResourceProfile::Parts>> all;
};
Profiles& profiles() {
  static Profiles* const instance = new Profiles;
  return *instance;
}

}  // namespace

void stop_profiles(std::uint32_t client) {
  std::vector<std::shared_ptr<ResourceProfile::Parts>> its;
  {
    const std::lock_guard lock(profiles().mutex);
    for (const auto& profile : profiles().all) {
      if (profile->client == client) its.push_back(profile);
    }
  }
  for (const auto& profile : its) profile->stop();
}

ResourceProfile::ResourceProfile(const Client& client, const ResourceProfileOptions& options) {
  if (!(options.interval.count() > 0)) throw ConfigError("a profile's interval must be above 0 seconds");
  static_cast<void>(client.slots());  // throws for a closed one
  parts_ = std::make_shared<Parts>(client.serial(), options);
  const std::lock_guard lock(profiles().mutex);
  profiles().all.push_back(parts_);
}

ResourceProfile::~ResourceProfile() {
  {
    const std::lock_guard lock(profiles().mutex);
    std::erase(profiles().all, parts_);
  }
  stop();
}

void ResourceProfile::stop() { parts_->stop(); }

std::vector<ResourceSample> ResourceProfile::samples() const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->here.samples;
}

std::map<std::string, std::vector<ResourceSample>> ResourceProfile::worker_samples() const {
  const std::lock_guard lock(parts_->mutex);
  Series all;
  for (const auto& [name, process] : parts_->workers) all[name] = process.samples;
  return all;
}

void ResourceProfile::write_csv(const std::string& path) const {
  std::string text = "seconds,busy_cores,resident_bytes,used_bytes,spilled_bytes,tasks_done,tasks_left,process\n";
  Series all = worker_samples();
  all["client"] = samples();
  for (const auto& [process, its] : all) {
    for (const ResourceSample& sample : its) {
      text += fmt::format("{:.6f},{:.3f},{},{},{},{},{},{}\n", sample.seconds, sample.busy_cores, sample.resident_bytes,
                          sample.used_bytes, sample.spilled_bytes, sample.tasks_done, sample.tasks_left, process);
    }
  }
  write_file("profile", path, text);
}

void ResourceProfile::write_html(const std::string& path) const {
  const std::vector<ResourceSample> own = samples();
  Series all = worker_samples();
  const std::size_t workers = all.size();
  all["client"] = own;
  std::string page = fmt::format(
      "<!doctype html>\n<meta charset=\"utf-8\"><title>weft: resources</title>\n"
      "<body style=\"font-family: sans-serif; max-width: 960px; margin: auto\">\n"
      "<h1>What {} used in {:.3f} s, {} tasks done</h1>\n",
      workers == 0 ? "the process" : fmt::format("the client and {} workers", workers),
      own.empty() ? 0.0 : own.back().seconds, own.empty() ? 0 : own.back().tasks_done);
  using S = const ResourceSample&;
  page += picture(all, "Busy cores", as_number, [](S s) { return s.busy_cores; });
  page += picture(all, "Resident memory", as_bytes, [](S s) { return static_cast<double>(s.resident_bytes); });
  page += picture(all, "Budget in use", as_bytes, [](S s) { return static_cast<double>(s.used_bytes); });
  page += picture(all, "On disk", as_bytes, [](S s) { return static_cast<double>(s.spilled_bytes); });
  page += picture({{"client", own}}, "Tasks left", as_number, [](S s) { return static_cast<double>(s.tasks_left); });
  write_file("profile", path, page);
}

}  // namespace weft
