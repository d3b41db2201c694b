#include "core/simulate/store.hpp"

#include <algorithm>
#include <utility>

namespace weft::sim {

bool Store::put_copy(PacketId packet, Held held) {
  if (held_.contains(packet)) return false;
  put(packet, std::move(held));
  return true;
}

void Store::put(PacketId packet, Held held) {
  const auto before = held_.find(packet);
  if (before != held_.end()) remove(before);
  held.last_use = ++clock_;
  held.on_disk = false;
  used_ += held.bytes;
  peak_ = std::max(peak_, used_);
  held_.emplace(packet, std::move(held));
}

const Held* Store::find(PacketId packet) const {
  const auto found = held_.find(packet);
  return found == held_.end() ? nullptr : &found->second;
}

std::uint64_t Store::touch(PacketId packet) {
  const auto found = held_.find(packet);
  if (found == held_.end()) return 0;
  Held& held = found->second;
  held.last_use = ++clock_;
  if (!held.on_disk) return 0;
  held.on_disk = false;
  disk_used_ -= held.bytes;
  used_ += held.bytes;
  peak_ = std::max(peak_, used_);
  return held.bytes;
}

bool Store::erase(PacketId packet, Attempt attempt) {
  const auto found = held_.find(packet);
  if (found == held_.end() || found->second.attempt != attempt) return false;
  remove(found);
  return true;
}

void Store::remove(std::map<PacketId, Held>::iterator which) {
  (which->second.on_disk ? disk_used_ : used_) -= which->second.bytes;
  held_.erase(which);
}

std::uint64_t Store::spill(std::uint64_t bytes) {
  std::vector<std::pair<std::uint64_t, Held*>> order;
  for (auto& [unused, held] : held_) {
    if (!held.on_disk && held.bytes > 0) order.emplace_back(held.last_use, &held);
  }
  std::sort(order.begin(), order.end());
  std::uint64_t moved = 0;
  for (const auto& [unused, held] : order) {
    if (moved >= bytes) break;
    if (disk_used_ + held->bytes > disk_bytes_) continue;
    held->on_disk = true;
    disk_used_ += held->bytes;
    used_ -= held->bytes;
    moved += held->bytes;
  }
  spilled_ += moved;
  return moved;
}

}  // namespace weft::sim
