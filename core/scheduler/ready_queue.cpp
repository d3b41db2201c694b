#include "core/scheduler/ready_queue.hpp"

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

void ReadyQueue::insert(std::uint32_t kind, const Place& place) {
  const bool added = classes_[kind].packets.insert(place);
  WEFT_ASSERT(added, "a packet is in the ready queue once");
  ++size_;
}

void ReadyQueue::erase(std::uint32_t kind, const Place& place) {
  const bool erased = classes_[kind].packets.erase(place);
  WEFT_ASSERT(erased, "a ready packet is in the queue of its class");
  --size_;
}

ReadyQueue::Pick ReadyQueue::first() const {
  Pick best;
  Place best_place;
  bool best_urgent = false;
  for (std::uint32_t kind = 0; kind != class_count(); ++kind) {
    const ReadyClass& group = classes_[kind];
    if (group.packets.empty() || group.blocked) continue;
    const bool urgent = (group.bits & class_bits::kUrgent) != 0;
    if (best_urgent && !urgent) continue;
    const Place place = group.packets.first();
    if (best.kind != kNone && urgent == best_urgent && !place.precedes(best_place)) continue;
    best = {kind, place.packet};
    best_place = place;
    best_urgent = urgent;
  }
  return best;
}

void ReadyQueue::unblock_all() {
  for (ReadyClass& group : classes_) group.blocked = false;
}

}  // namespace weft::machine
