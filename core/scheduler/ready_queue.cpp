#include "core/scheduler/ready_queue.hpp"

#include <algorithm>

#include "core/diagnostics/assert.hpp"

namespace weft::machine {

ReadyQueue::ReadyQueue() {
  find_class(kNone, 0);
  find_class(kNone, class_bits::kRoots);
}

std::uint32_t ReadyQueue::find_class(std::uint32_t needs, std::uint8_t bits) {
  for (std::uint32_t kind = 0; kind != class_count(); ++kind) {
    if (classes_[kind].needs == needs && classes_[kind].bits == bits) return kind;
  }
  ReadyClass made;
  made.needs = needs;
  made.bits = bits;
  classes_.push_back(std::move(made));
  return class_count() - 1;
}

void ReadyQueue::insert(std::uint32_t kind, std::int32_t priority, PacketId packet) {
  ReadyClass& group = classes_[kind];
  auto level = group.levels.begin();
  while (level != group.levels.end() && level->priority > priority) ++level;
  if (level == group.levels.end() || level->priority != priority) {
    level = group.levels.insert(level, ReadyClass::Level{priority, {}});
  }
  const bool added = level->packets.insert(packet);
  WEFT_ASSERT(added, "a packet is in the ready queue once");
  ++group.size;
  ++size_;
}

void ReadyQueue::erase(std::uint32_t kind, std::int32_t priority, PacketId packet) {
  ReadyClass& group = classes_[kind];
  bool erased = false;
  for (ReadyClass::Level& level : group.levels) {
    if (level.priority == priority) erased = level.packets.erase(packet);
  }
  WEFT_ASSERT(erased, "a ready packet is in the queue of its class");
  --group.size;
  --size_;
}

bool ReadyQueue::contains(std::uint32_t kind, std::int32_t priority, PacketId packet) const {
  for (const ReadyClass::Level& level : classes_[kind].levels) {
    if (level.priority == priority) return level.packets.contains(packet);
  }
  return false;
}

ReadyQueue::Pick ReadyQueue::first() const {
  Pick best;
  bool best_urgent = false;
  for (std::uint32_t kind = 0; kind != class_count(); ++kind) {
    const ReadyClass& group = classes_[kind];
    if (group.size == 0 || group.blocked) continue;
    const bool urgent = (group.bits & class_bits::kUrgent) != 0;
    if (best_urgent && !urgent) continue;
    for (const ReadyClass::Level& level : group.levels) {
      if (level.packets.empty()) continue;
      const PacketId packet = level.packets.first();
      const bool better = best.kind == kNone || (urgent && !best_urgent) || level.priority > best.priority ||
                          (level.priority == best.priority && packet < best.packet);
      if (better) {
        best = {kind, level.priority, packet};
        best_urgent = urgent;
      }
      break;
    }
  }
  return best;
}

void ReadyQueue::unblock_all() {
  for (ReadyClass& group : classes_) group.blocked = false;
}

}  // namespace weft::machine
