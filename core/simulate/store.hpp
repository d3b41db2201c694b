#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/simulate/workload.hpp"

namespace weft::sim {

/// Outputs of one packet, or a copy of them.
struct Held {
  TaskId first_task = 0;
  std::vector<Value> values;
  std::uint64_t bytes = 0;
  std::uint64_t last_use = 0;
  bool on_disk = false;
};

/// The memory and the disk of one worker, pretended: it counts bytes and keeps the values of tasks.
/// Owns: what is held.  Threading: none.
class Store {
 public:
  /// A disk of 0 bytes is one that is absent.
  explicit Store(std::uint64_t disk_bytes = 0) : disk_bytes_(disk_bytes) {}

  /// Returns false if it was there; then nothing changes.
  bool put(PacketId packet, Attempt attempt, Held held);
  [[nodiscard]] const Held* find(PacketId packet, Attempt attempt) const;
  /// Finds the outputs of `packet` of whatever attempt: all attempts give the same values.
  [[nodiscard]] const Held* find_any(PacketId packet) const;
  /// Brings it into memory; returns the bytes read from disk.
  std::uint64_t touch(PacketId packet);
  /// Returns false if it was not there.
  bool erase(PacketId packet, Attempt attempt);
  void clear() { *this = Store(disk_bytes_); }

  /// Moves what was not used for longest to disk until `bytes` are moved, none is left or the disk is full.
  std::uint64_t spill(std::uint64_t bytes);
  void limit_disk(std::uint64_t bytes) { disk_bytes_ = bytes; }

  [[nodiscard]] std::size_t size() const { return held_.size(); }
  [[nodiscard]] PacketId first_packet() const { return static_cast<PacketId>(held_.begin()->first >> 16); }
  [[nodiscard]] std::uint64_t used_bytes() const { return used_; }
  [[nodiscard]] std::uint64_t peak_bytes() const { return peak_; }
  [[nodiscard]] std::uint64_t spilled_bytes() const { return spilled_; }
  [[nodiscard]] std::uint64_t spillable_bytes() const {
    return disk_bytes_ > disk_used_ ? std::min(used_, disk_bytes_ - disk_used_) : 0;
  }

 private:
  static std::uint64_t key(PacketId packet, Attempt attempt) {
    return static_cast<std::uint64_t>(packet) << 16 | attempt;
  }

  std::uint64_t disk_bytes_;
  // Ordered, so that equal runs choose equally.
  std::map<std::uint64_t, Held> held_;
  std::uint64_t clock_ = 0;
  std::uint64_t used_ = 0;
  std::uint64_t peak_ = 0;
  std::uint64_t disk_used_ = 0;
  std::uint64_t spilled_ = 0;
};

}  // namespace weft::sim
