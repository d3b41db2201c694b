#include "core/runtime/layout.hpp"

#include "core/memory/bytes_text.hpp"
#include "core/memory/spill_directory.hpp"
#include "core/runtime/machine.hpp"

#include <weft/memory.hpp>

#include <fmt/format.h>

#include <cstdlib>

namespace weft {
namespace {

LayoutMaker& maker() {
  static LayoutMaker* const instance = new LayoutMaker;
  return *instance;
}

std::string row(const std::string& name, const std::string& value, const std::string& where) {
  return fmt::format("  {:<12} {:<28} {}\n", name, value, where);
}

/// Where a value came from: the place it was written at, or how it was chosen.
std::string origin_of(const Settings& settings, std::string_view option, const std::string& chosen) {
  const Origin& origin = settings.origin(option);
  return origin.source == Source::Default ? "default: " + chosen : origin.where;
}

std::string spill_rows(const Settings& settings) {
  if (!settings.spill) return row("spill", "off", settings.origin("spill").where);
  const SpillDirectory directory = choose_spill_directory(settings.spill_dir);
  if (!directory.usable()) return row("spill", "nowhere", directory.note);
  std::string text = row("spill", directory.path, origin_of(settings, "spill-dir", "the first usable folder"));
  text += row("", spill_directory_text(directory, true), directory.note);
  return text;
}

std::string library_threads() {
  std::string text;
  for (const char* const name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}) {
    if (const char* const value = std::getenv(name)) text += row(name, value, "environment");
  }
  return text;
}

}  // namespace

void set_layout_maker(LayoutMaker made) { maker() = std::move(made); }

std::string layout_text(const Settings& settings) {
  if (maker()) {
    if (std::string text = maker()(settings); !text.empty()) return text;
  }
  const MemoryLimits limits = memory_limits();
  const ExecutorOptions executor = machine::executor_options(settings);
  const std::uint64_t budget = machine::memory_budget(settings);
  std::string text = row("scheduler", machine::is_sync(settings) ? "sync" : "threads",
                         origin_of(settings, "scheduler", "one process"));
  text += row("slots", std::to_string(executor.slots),
              machine::is_sync(settings) ? "sync has one" : origin_of(settings, "threads", limits.cores_source));
  text += row("pinned", executor.pin ? "yes, each to a core" : "no", settings.origin("pin").where);
  text += row("memory", bytes_text(budget),
              origin_of(settings, "memory", "a share of " + bytes_text(limits.bytes) + ", " + limits.bytes_source));
  text += row("graphs", "up to " + bytes_text(machine::graph_limit(settings, budget)),
              origin_of(settings, "graph-limit-bytes", "half of the memory"));
  return text + spill_rows(settings) + library_threads();
}

}  // namespace weft
