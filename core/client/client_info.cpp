#include <weft/client.hpp>

#include "core/memory/bytes_text.hpp"

#include <weft/log.hpp>

#include <fmt/format.h>

#include <mutex>
#include <set>

namespace weft {

void detail::warn_of_copy(const std::source_location& where, std::size_t bytes) {
  static std::mutex mutex;
  static std::set<std::pair<const char*, std::uint_least32_t>> warned;
  {
    const std::lock_guard lock(mutex);
    if (warned.size() > 1000 || !warned.emplace(where.file_name(), where.line()).second) return;
  }
  logging::warning(
      "client", where.file_name(), ":", where.line(), ": a task gets a copy of an argument of ", bytes_text(bytes),
      "; hand it over once with client.scatter(value) or delayed(value) and give tasks the handle, or move "
      "it into its only task: std::move(value)");
}

std::string ClientInfo::to_text() const {
  std::string text =
      fmt::format("weft {}, scheduler {}: {} worker{}, {} slots; {} of {} tasks done, {} failed\n", version, scheduler,
                  workers.size(), workers.size() == 1 ? "" : "s", slots, counts.done, counts.total, counts.failed);
  for (const WorkerInfo& worker : workers) {
    text += fmt::format("  {} on {}: {} slots, {} busy; memory {} of {}; spills to {}\n", worker.name, worker.host,
                        worker.slots, worker.running, bytes_text(worker.used_bytes), bytes_text(worker.memory_bytes),
                        worker.spill_directory.empty() ? "nowhere" : worker.spill_directory);
    for (const auto& [name, amount] : worker.resources) text += fmt::format("    {} {}\n", amount, name);
  }
  return text;
}

}  // namespace weft
