#include "core/scheduler/ordered_packets.hpp"

#include <tuple>

namespace weft::machine {
namespace {

PacketId age_of(const OrderedPackets::Place& place) { return place.age == kNone ? place.packet : place.age; }

}  // namespace

bool OrderedPackets::Place::precedes(const Place& other) const {
  if (packet == kNone || other.packet == kNone) return packet != kNone;
  if (priority != other.priority) return priority > other.priority;
  return std::tuple(age_of(*this), turn, packet) < std::tuple(age_of(other), other.turn, other.packet);
}

OrderedPackets::Level& OrderedPackets::level_of(std::int32_t priority) {
  auto level = levels_.begin();
  while (level != levels_.end() && level->priority > priority) ++level;
  if (level == levels_.end() || level->priority != priority) level = levels_.insert(level, Level{priority, {}, {}});
  return *level;
}

bool OrderedPackets::insert(const Place& place) {
  Level& level = level_of(place.priority);
  const bool fresh = place.age == kNone ? level.packets.insert(place.packet)
                                        : level.aged.insert({place.age, place.turn, place.packet}).second;
  size_ += fresh ? 1 : 0;
  return fresh;
}

bool OrderedPackets::erase(const Place& place) {
  for (Level& level : levels_) {
    if (level.priority != place.priority) continue;
    const bool there = place.age == kNone ? level.packets.erase(place.packet)
                                          : level.aged.erase({place.age, place.turn, place.packet}) != 0;
    size_ -= there ? 1 : 0;
    return there;
  }
  return false;
}

bool OrderedPackets::contains(const Place& place) const {
  for (const Level& level : levels_) {
    if (level.priority != place.priority) continue;
    return place.age == kNone ? level.packets.contains(place.packet)
                              : level.aged.contains({place.age, place.turn, place.packet});
  }
  return false;
}

OrderedPackets::Place OrderedPackets::Level::earlier(PacketId plain, std::set<Aged>::const_iterator at) const {
  const Place first{priority, plain, kNone, 0};
  if (at == aged.end()) return first;
  const Place other{priority, at->packet, at->age, at->turn};
  return first.precedes(other) ? first : other;
}

OrderedPackets::Place OrderedPackets::next(const Place& place) const {
  for (const Level& level : levels_) {
    if (level.priority > place.priority) continue;
    Place found;
    if (level.priority < place.priority) {
      found = level.earlier(level.packets.first(), level.aged.begin());
    } else {
      const PacketId age = age_of(place);
      const bool same_age = place.age != kNone && level.packets.contains(age) && place.precedes({place.priority, age});
      found = level.earlier(same_age ? age : level.packets.next(age),
                            level.aged.upper_bound({age, place.turn, place.packet}));
    }
    if (found.packet != kNone) return found;
  }
  return {};
}

}  // namespace weft::machine
