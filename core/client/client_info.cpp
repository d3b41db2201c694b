#include <weft/client.hpp>

#include "core/memory/bytes_text.hpp"

#include <fmt/format.h>

namespace weft {

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
