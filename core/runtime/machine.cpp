#include "core/runtime/machine.hpp"

#include "core/graph/graph_size.hpp"
#include "core/memory/pool.hpp"
#include "core/runtime/watchdog.hpp"

#include <weft/error.hpp>
#include <weft/memory.hpp>

#include <sched.h>

#include <memory>
#include <string>
#include <utility>

namespace weft::machine {
namespace {

/// Results may take this share of the limit; the rest is for the program, its stacks and the allocator.
constexpr double kShareOfLimit = 0.7;
/// A graph may take this share of the memory for results, unless it is configured.
constexpr double kGraphShare = 0.5;
/// So few slots are not bound to processors.
constexpr unsigned kFewSlots = 8;
/// More threads than any machine has processors for.
constexpr unsigned kMostSlots = 1024;

std::vector<int> usable_processors() {
  std::vector<int> processors;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return processors;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) processors.push_back(i);
  }
  return processors;
}

}  // namespace

bool is_sync(const Settings& settings) { return settings.scheduler == "sync"; }

ExecutorOptions executor_options(const Settings& settings) {
  ExecutorOptions options;
  const MemoryLimits limits = memory_limits();
  const std::vector<int> processors = usable_processors();
  const auto cores = static_cast<unsigned>(limits.usable_cores);
  options.threads = !is_sync(settings);
  options.slots = !options.threads ? 1 : settings.threads > 0 ? static_cast<unsigned>(settings.threads) : cores;
  if (options.slots > kMostSlots) {
    throw ConfigError("--weft-threads=" + std::to_string(options.slots) + " (" + settings.origin("threads").where +
                      "): a process has at most " + std::to_string(kMostSlots) +
                      " slots; start more processes instead");
  }
  options.spin_ns = options.slots > cores ? 0 : settings.spin_us * 1000;
  options.most_lent_threads = static_cast<unsigned>(settings.max_waiting_threads);
  // A quota gives time, not processors: then the kernel decides where slots run. So it does among few: a caller that
  // waits takes a slot on whatever processor it is, and a bound thread cannot make room for it.
  const bool own_cores = options.slots <= processors.size() && processors.size() <= cores;
  options.pin = settings.pin == "on" || (settings.pin == "auto" && own_cores && options.slots > kFewSlots);
  if (options.pin) options.processors = processors;
  return options;
}

std::uint64_t memory_budget(const Settings& settings) {
  const MemoryLimits limits = memory_limits();
  if (!settings.memory.automatic()) return settings.memory.of(limits.bytes);
  return static_cast<std::uint64_t>(kShareOfLimit * static_cast<double>(limits.bytes));
}

void check_needed(std::span<const TaskId> wanted, const Settings& settings) {
  constexpr std::size_t kSmall = std::size_t{64} << 20;
  const ByteAmount& amount = settings.graph_limit_bytes;
  const std::size_t most = arena::most_bytes();
  if (most <= (amount.bytes != 0 ? amount.bytes : kSmall)) return;
  const std::uint64_t limit = graph_limit(settings, memory_budget(settings));
  if (most > limit) check_needed_size(wanted, limit);
}

std::uint64_t graph_limit(const Settings& settings, std::uint64_t budget_bytes) {
  if (!settings.graph_limit_bytes.automatic()) return settings.graph_limit_bytes.of(budget_bytes);
  return static_cast<std::uint64_t>(kGraphShare * static_cast<double>(budget_bytes));
}

std::shared_ptr<ResultMemory> result_memory(const Settings& settings, std::uint64_t budget_bytes) {
  Pool::global().set_resident_cap(budget_bytes);
  Pool::global().set_cache_cap(budget_bytes / 4);
  ObjectStoreOptions options;
  if (settings.spill) options.directory = choose_spill_directory(settings.spill_dir);
  return std::make_shared<ResultMemory>(budget_bytes, options);
}

Progress::Source progress_of(Runtime& runtime) {
  return {[](void* context) {
            const Runtime::Counts now = static_cast<Runtime*>(context)->counts();
            ProgressSnapshot snapshot;
            snapshot.done = now.tasks_done;
            snapshot.total = now.tasks_total;
            snapshot.failed = now.tasks_failed;
            return snapshot;
          },
          &runtime};
}

WaitDisplay::Watch watch_of(Runtime& runtime, const Settings& settings, std::function<std::string()> why_idle) {
  if (is_sync(settings)) return {{}, 0};
  auto watchdog = std::make_shared<Watchdog>(runtime, 2 * settings.worker_timeout, std::move(why_idle));
  const auto look = [watchdog](double now) {
    try {
      return watchdog->look(now);
    } catch (const Error&) {
      return std::string();  // its workers cannot be looked at from here
    }
  };
  return {look, watchdog->interval_seconds()};
}

}  // namespace weft::machine
