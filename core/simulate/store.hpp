#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "core/simulate/workload.hpp"

namespace weft::sim {

/// Outputs of one packet, or a copy of them.
struct Held {
  Attempt attempt = 0;
  TaskId first_task = 0;
  std::vector<Value> values;
  std::uint64_t bytes = 0;
  std::uint64_t last_use = 0;
  bool on_disk = false;
};

/// The memory and the disk of one worker, pretended: it counts bytes and keeps the values of tasks. A packet is held
/// once, whatever its attempts: they give the same bits. What was made here takes the place of a copy. Owns: what is
/// held.  Threading: none.
class Store {
 public:
  /// A disk of 0 bytes is one that is absent.
  explicit Store(std::uint64_t disk_bytes = 0) : disk_bytes_(disk_bytes) {}

  /// Takes a copy from elsewhere. Returns false if the packet is held already; then nothing changes.
  bool put_copy(PacketId packet, Held held);
  /// Takes what was made here.
  void put(PacketId packet, Held held);
  /// Returns nullptr if the packet is not held.
  [[nodiscard]] const Held* find(PacketId packet) const;
  /// Brings it into memory; returns the bytes read from disk.
  std::uint64_t touch(PacketId packet);
  /// Returns false if it was not there. What is there by another attempt stays: it took the place of this one.
  bool erase(PacketId packet, Attempt attempt);
  void clear() { *this = Store(disk_bytes_); }

  /// Moves what was not used for longest to disk until `bytes` are moved, none is left or the disk is full.
  std::uint64_t spill(std::uint64_t bytes);
  void limit_disk(std::uint64_t bytes) { disk_bytes_ = bytes; }

  [[nodiscard]] std::size_t size() const { return held_.size(); }
  [[nodiscard]] PacketId first_packet() const { return held_.begin()->first; }
  [[nodiscard]] std::uint64_t used_bytes() const { return used_; }
  [[nodiscard]] std::uint64_t peak_bytes() const { return peak_; }
  [[nodiscard]] std::uint64_t spilled_bytes() const { return spilled_; }
  [[nodiscard]] std::uint64_t spillable_bytes() const {
    return disk_bytes_ > disk_used_ ? std::min(used_, disk_bytes_ - disk_used_) : 0;
  }

 private:
  void remove(std::map<PacketId, Held>::iterator which);

  std::uint64_t disk_bytes_;
  // Ordered, so that equal runs choose equally.
  std::map<PacketId, Held> held_;
  std::uint64_t clock_ = 0;
  std::uint64_t used_ = 0;
  std::uint64_t peak_ = 0;
  std::uint64_t disk_used_ = 0;
  std::uint64_t spilled_ = 0;
};

}  // namespace weft::sim
