#include "core/graph/extras.hpp"

#include <weft/arena.hpp>

#include <array>
#include <mutex>
#include <unordered_map>

namespace weft::extras {
namespace {

struct Shard {
  std::mutex mutex;
  std::unordered_map<TaskId, TaskExtra> entries;
};

/// Lives as long as the process, as the arena does.
Shard& shard_of(TaskId id) {
  static auto* const shards = new std::array<Shard, 64>;
  return (*shards)[id & 63];
}

}  // namespace

void change(TaskId id, const std::function<void(TaskExtra&)>& change) {
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  change(shard.entries[id]);
  arena::task(id).word.fetch_or(task_word::kExtra, std::memory_order_acq_rel);
}

bool read(TaskId id, const std::function<void(const TaskExtra&)>& read) {
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(id);
  if (found == shard.entries.end()) return false;
  read(found->second);
  return true;
}

TaskExtra take(TaskId id) noexcept {
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(id);
  if (found == shard.entries.end()) return {};
  TaskExtra extra = std::move(found->second);
  shard.entries.erase(found);
  return extra;
}

}  // namespace weft::extras
