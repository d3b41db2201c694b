#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "core/scheduler/id_set.hpp"

namespace weft::machine {

/// Packets that wait: highest priority first, then the oldest. A packet is as old as its id says, or as the packet that
/// its submission names: those of one age go by their turns, then by id.
/// Owns: one set of ids a priority, and beside it those that have an age of their own.  Threading: none.
class OrderedPackets {
 public:
  struct Place {
    std::int32_t priority = 0;
    PacketId packet = kNone;
    PacketId age = kNone;  // kNone: its own
    std::uint32_t turn = 0;
    /// Returns whether it goes before the other; the place of no packet goes behind all.
    [[nodiscard]] bool precedes(const Place& other) const;
  };

  /// Returns false if the packet was there.
  bool insert(const Place& place);
  /// Returns false if the packet was not there.
  bool erase(const Place& place);
  [[nodiscard]] bool contains(const Place& place) const;
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Place first() const {
    if (size_ == 0) return {};
    for (const Level& level : levels_) {
      if (!level.aged.empty()) return level.earlier(level.packets.first(), level.aged.begin());
      if (!level.packets.empty()) return {level.priority, level.packets.first(), kNone, 0};
    }
    return {};
  }
  /// The one behind `place`, which may have gone; the place of no packet behind the last.
  [[nodiscard]] Place next(const Place& place) const;

 private:
  struct Aged {
    PacketId age;
    std::uint32_t turn;
    PacketId packet;
    auto operator<=>(const Aged&) const = default;
  };
  struct Level {
    std::int32_t priority = 0;
    IdSet packets;
    std::set<Aged> aged;
    /// The place of a plain packet or of an aged one, whichever comes first.
    [[nodiscard]] Place earlier(PacketId plain, std::set<Aged>::const_iterator at) const;
  };
  Level& level_of(std::int32_t priority);

  std::vector<Level> levels_;  // highest priority first
  std::uint64_t size_ = 0;
};

}  // namespace weft::machine
