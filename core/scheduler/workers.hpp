#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "core/messages/packet.hpp"
#include "core/scheduler/id_set.hpp"

namespace weft::machine {

/// In which part of the load index a worker is.
enum class WorkerGroup : std::uint8_t {
  Open,    ///< Takes any packet.
  Enough,  ///< Has enough data: takes no packets with roots.
  Full,    ///< Its queue is deep enough: takes urgent packets, and some whose inputs it holds.
  Closed,  ///< Gone, draining, paused, or alone with a packet that kills.
};
inline constexpr int kIndexedGroups = 3;

struct WorkerRecord {
  std::uint32_t slots = 1;
  std::uint32_t queued = 0;   // Running packets
  Nanoseconds queued_ns = 0;  // their expected time
  double held_bytes = 0;      // outputs InMemory here
  double promised_bytes = 0;  // expected outputs of Running packets
  double budget_bytes = 0;    // 0: no limit
  PacketId first = kNone;     // list of Running packets, in the order in which they were dealt
  PacketId last = kNone;
  double ns_share = 1;       // 1 / slots
  float load_scale = 0;      // of LoadIndex
  std::uint16_t bucket = 0;  // of LoadIndex
  WorkerGroup group = WorkerGroup::Closed;
  bool present = false;
  bool draining = false;
  bool paused = false;
  PacketId alone_with = kNone;  // a solitary packet
  std::vector<ResourceAmount> resources;

  [[nodiscard]] bool usable() const { return present && !draining && !paused; }
  /// Expected time of what waits here, a slot.
  [[nodiscard]] Nanoseconds wait_ns() const {
    return static_cast<Nanoseconds>(static_cast<double>(queued_ns) * ns_share);
  }
};

/// Workers ordered by load in steps of a fifth or so: least and most loaded in constant time, ties by id.
/// Owns: three groups of 192 sets of ids.  Threading: none.
class LoadIndex {
 public:
  static constexpr std::uint32_t kBuckets = 192;

  /// Four steps for each doubling of `load`, which is at least 0.
  static std::uint16_t bucket_of(float load) {
    const std::uint32_t steps = (std::bit_cast<std::uint32_t>(load + 1.0f) >> 21) - (127u << 2);
    return static_cast<std::uint16_t>(steps < kBuckets ? steps : kBuckets - 1);
  }

  void insert(WorkerGroup group, std::uint16_t bucket, WorkerId worker) {
    Group& where = groups_[static_cast<int>(group)];
    where.sets[bucket].insert(worker);
    where.mask[bucket >> 6] |= 1ull << (bucket & 63);
  }
  void erase(WorkerGroup group, std::uint16_t bucket, WorkerId worker) {
    Group& where = groups_[static_cast<int>(group)];
    where.sets[bucket].erase(worker);
    if (where.sets[bucket].empty()) where.mask[bucket >> 6] &= ~(1ull << (bucket & 63));
  }

  /// The smallest bucket of the group that is not empty and at least `from`; kBuckets if none.
  [[nodiscard]] std::uint32_t lowest(WorkerGroup group, std::uint32_t from = 0) const {
    const Group& where = groups_[static_cast<int>(group)];
    for (std::uint32_t word = from >> 6; word < kWords; ++word) {
      std::uint64_t bits = where.mask[word];
      if (word == from >> 6) bits &= ~0ull << (from & 63);
      if (bits != 0) return word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
    }
    return kBuckets;
  }
  /// The largest bucket that is not empty; kBuckets if none.
  [[nodiscard]] std::uint32_t highest(WorkerGroup group) const {
    const Group& where = groups_[static_cast<int>(group)];
    for (std::uint32_t word = kWords; word-- != 0;) {
      if (where.mask[word] != 0) return word * 64 + 63 - static_cast<std::uint32_t>(std::countl_zero(where.mask[word]));
    }
    return kBuckets;
  }
  [[nodiscard]] const IdSet& set(WorkerGroup group, std::uint32_t bucket) const {
    return groups_[static_cast<int>(group)].sets[bucket];
  }
  [[nodiscard]] bool empty(WorkerGroup group) const { return lowest(group) == kBuckets; }

 private:
  static constexpr std::uint32_t kWords = kBuckets / 64;
  struct Group {
    std::uint64_t mask[kWords] = {};
    IdSet sets[kBuckets];
  };
  Group groups_[kIndexedGroups];
};

}  // namespace weft::machine
