#pragma once

#include <cstdint>
#include <vector>

#include "core/messages/packet.hpp"
#include "core/scheduler/ordered_packets.hpp"

namespace weft::machine {

/// The bits of ReadyClass::bits.
namespace class_bits {
inline constexpr std::uint8_t kRoots = 1;     // begins new data: withheld from workers that have enough
inline constexpr std::uint8_t kLarge = 2;     // its peak fits only some workers
inline constexpr std::uint8_t kSolitary = 4;  // may kill its worker: dealt to one that has nothing else
inline constexpr std::uint8_t kUrgent = 8;    // others wait for it in workers' queues: dealt beyond any queue's depth
}  // namespace class_bits

/// Ready packets that the same workers can take: so that one which has to wait for its worker blocks only its like.
struct ReadyClass {
  std::uint32_t needs = kNone;  // index into the scheduler's distinct needs
  std::uint8_t bits = 0;
  OrderedPackets packets;
  // Workers that fit `needs`, in id order; filled when `membership` is behind that of the workers.
  std::vector<WorkerId> feasible;
  std::uint64_t membership = 0;
  // During one round of dealing: none of its packets can go.
  bool blocked = false;
};

/// Packets in the state Ready, by class, and in each by priority and age.
/// Owns: the sets of ids.  Threading: none.
class ReadyQueue {
 public:
  struct Pick {
    std::uint32_t kind = kNone;
    PacketId packet = kNone;
  };
  using Place = OrderedPackets::Place;

  ReadyQueue();

  /// Returns the class of these needs and bits, made on first use.
  std::uint32_t class_of(std::uint32_t needs, std::uint8_t bits) {
    if (needs == kNone && bits <= class_bits::kRoots) return bits;  // the constructor made these first
    return find_class(needs, bits);
  }
  ReadyClass& operator[](std::uint32_t kind) { return classes_[kind]; }
  const ReadyClass& operator[](std::uint32_t kind) const { return classes_[kind]; }

  void insert(std::uint32_t kind, const Place& place);
  void erase(std::uint32_t kind, const Place& place);
  [[nodiscard]] bool contains(std::uint32_t kind, const Place& place) const {
    return classes_[kind].packets.contains(place);
  }

  /// The first packet of the classes that are not blocked: urgent ones, then by priority, then the oldest.
  [[nodiscard]] Pick first() const;

  void unblock_all();
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint32_t class_count() const { return static_cast<std::uint32_t>(classes_.size()); }

 private:
  std::uint32_t find_class(std::uint32_t needs, std::uint8_t bits);

  std::vector<ReadyClass> classes_;
  std::uint64_t size_ = 0;
};

}  // namespace weft::machine
