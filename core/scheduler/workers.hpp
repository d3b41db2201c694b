#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/messages/packet.hpp"

namespace weft::machine {

/// In which part of the load index a worker is.
enum class WorkerGroup : std::uint8_t {
  Open,    ///< Takes any packet.
  Enough,  ///< Has enough data: takes no packets with roots.
  Full,    ///< Its queue is deep enough: takes urgent packets, and some whose inputs it holds.
  Closed,  ///< Gone, draining, paused, or alone with a packet that kills.
};
inline constexpr int kIndexedGroups = 3;

/// The packets that run at one worker, in the order in which they were dealt. Each knows its position, so that taking
/// one out touches no neighbour.
/// Owns: a ring of ids, with gaps.  Threading: none.
class RunningQueue {
 public:
  [[nodiscard]] std::uint32_t size() const { return size_; }

  /// `renumber(packet, position)` is called for those whose position changes.
  template <class Renumber>
  std::uint32_t append(PacketId packet, Renumber&& renumber) {
    if (end_ - first_ == ring_.size()) make_room(renumber);
    ring_[end_ & (ring_.size() - 1)] = packet;
    ++size_;
    return end_++;
  }

  /// The share of the queue that ends with the packet at this position.
  [[nodiscard]] double share_up_to(std::uint32_t position) const {
    return static_cast<double>(position - first_ + 1) / static_cast<double>(end_ - first_);
  }

  void erase(std::uint32_t position) {
    ring_[position & (ring_.size() - 1)] = kNone;
    --size_;
    while (first_ != end_ && ring_[first_ & (ring_.size() - 1)] == kNone) ++first_;
    while (first_ != end_ && ring_[(end_ - 1) & (ring_.size() - 1)] == kNone) --end_;
  }

  /// The last packet, and the one before a packet's position; kNone if there is none.
  [[nodiscard]] PacketId last() const { return before(end_); }
  [[nodiscard]] PacketId before(std::uint32_t position) const {
    while (position != first_) {
      const PacketId packet = ring_[--position & (ring_.size() - 1)];
      if (packet != kNone) return packet;
    }
    return kNone;
  }

  [[nodiscard]] std::vector<PacketId> in_order() const {
    std::vector<PacketId> packets;
    for (std::uint32_t at = first_; at != end_; ++at) {
      const PacketId packet = ring_[at & (ring_.size() - 1)];
      if (packet != kNone) packets.push_back(packet);
    }
    return packets;
  }

 private:
  /// At most half of the ring is in use afterwards, so this is done once for as many packets.
  template <class Renumber>
  void make_room(Renumber&& renumber) {
    const std::vector<PacketId> packets = in_order();
    ring_.assign(std::bit_ceil(std::max<std::size_t>(8, 2 * packets.size())), kNone);
    first_ = 0;
    end_ = static_cast<std::uint32_t>(packets.size());
    for (std::uint32_t at = 0; at != end_; ++at) {
      ring_[at] = packets[at];
      renumber(packets[at], at);
    }
  }

  std::vector<PacketId> ring_;  // a power of two
  std::uint32_t first_ = 0;     // positions count on for ever
  std::uint32_t end_ = 0;
  std::uint32_t size_ = 0;
};

struct WorkerRecord {
  std::uint32_t slots = 1;
  std::uint32_t queued = 0;   // Running packets: the size of `running`
  std::uint32_t blocked = 0;  // of them: only wait for what other tasks do
  Nanoseconds queued_ns = 0;  // their expected time
  double held_bytes = 0;      // outputs InMemory here
  double promised_bytes = 0;  // expected outputs of Running packets
  double budget_bytes = 0;    // 0: no limit
  double ns_share = 1;        // 1 / slots
  float load_scale = 0;       // of LoadIndex
  std::uint16_t bucket = 0;   // of LoadIndex
  WorkerGroup group = WorkerGroup::Closed;
  bool present = false;
  bool draining = false;
  bool paused = false;
  bool spilling = false;        // while paused: there will be room
  PacketId alone_with = kNone;  // a solitary packet
  std::uint32_t mark = 0;       // while places are compared: where it is among the owners
  RunningQueue running;
  std::vector<ResourceAmount> resources;

  [[nodiscard]] bool usable() const { return present && !draining && !paused; }
  /// Expected time of what waits here, a slot.
  [[nodiscard]] Nanoseconds wait_ns() const {
    return static_cast<Nanoseconds>(static_cast<double>(queued_ns) * ns_share);
  }
  /// When a packet that runs here will have ended, at the earliest: it takes its time, and comes behind those before
  /// it.
  [[nodiscard]] Nanoseconds end_ns(std::uint32_t position, float expected_ns) const {
    const double turn = static_cast<double>(queued_ns) * ns_share * running.share_up_to(position);
    return static_cast<Nanoseconds>(std::max(turn, static_cast<double>(expected_ns)));
  }
};

/// A set of workers that gives its smallest, one bit a worker: for ids by the thousand, where IdSet is for any.
/// Owns: the bits.  Threading: none.
class WorkerSet {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] bool contains(WorkerId id) const {
    return id >> 6 < words_.size() && (words_[id >> 6] >> (id & 63) & 1) != 0;
  }
  /// `id` is not there.
  void insert(WorkerId id) {
    if (id >> 6 >= words_.size()) {
      words_.resize((id >> 6) + 1);
      summary_.resize((id >> 12) + 1);
    }
    words_[id >> 6] |= 1ull << (id & 63);
    summary_[id >> 12] |= 1ull << (id >> 6 & 63);
    ++size_;
  }
  /// `id` is there.
  void erase(WorkerId id) {
    words_[id >> 6] &= ~(1ull << (id & 63));
    if (words_[id >> 6] == 0) summary_[id >> 12] &= ~(1ull << (id >> 6 & 63));
    --size_;
  }
  /// The smallest, or kNone.
  [[nodiscard]] WorkerId first() const {
    for (std::uint32_t at = 0; at != summary_.size(); ++at) {
      if (summary_[at] != 0) return in_word(at * 64 + static_cast<std::uint32_t>(std::countr_zero(summary_[at])));
    }
    return kNone;
  }
  /// The smallest that is larger than `id`, or kNone.
  [[nodiscard]] WorkerId next(WorkerId id) const {
    ++id;
    std::uint32_t word = id >> 6;
    if (word >= words_.size()) return kNone;
    const std::uint64_t here = words_[word] & (~0ull << (id & 63));
    if (here != 0) return word * 64 + static_cast<std::uint32_t>(std::countr_zero(here));
    while (++word < words_.size()) {
      if (words_[word] != 0) return in_word(word);
    }
    return kNone;
  }

 private:
  [[nodiscard]] WorkerId in_word(std::uint32_t word) const {
    return word * 64 + static_cast<std::uint32_t>(std::countr_zero(words_[word]));
  }

  std::vector<std::uint64_t> words_;
  std::vector<std::uint64_t> summary_;  // bit i of word w: words_[64 w + i] != 0
  std::uint32_t size_ = 0;
};

/// Workers ordered by load in steps of a fifth or so: least and most loaded in constant time, ties by id.
/// Owns: three groups of 192 sets of workers.  Threading: none.
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
  [[nodiscard]] const WorkerSet& set(WorkerGroup group, std::uint32_t bucket) const {
    return groups_[static_cast<int>(group)].sets[bucket];
  }
  [[nodiscard]] bool empty(WorkerGroup group) const { return lowest(group) == kBuckets; }

 private:
  static constexpr std::uint32_t kWords = kBuckets / 64;
  struct Group {
    std::uint64_t mask[kWords] = {};
    WorkerSet sets[kBuckets];
  };
  Group groups_[kIndexedGroups];
};

}  // namespace weft::machine
