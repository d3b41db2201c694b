#include "core/simulate/store.hpp"

#include <algorithm>
#include <utility>

namespace weft::sim {

bool Store::put(PacketId packet, Attempt attempt, Held held) {
  held.last_use = ++clock_;
  const std::uint64_t bytes = held.bytes;
  if (!held_.emplace(key(packet, attempt), std::move(held)).second) return false;
  used_ += bytes;
  peak_ = std::max(peak_, used_);
  return true;
}

const Held* Store::find(PacketId packet, Attempt attempt) const {
  const auto found = held_.find(key(packet, attempt));
  return found == held_.end() ? nullptr : &found->second;
}

const Held* Store::find_any(PacketId packet) const {
  const auto found = held_.lower_bound(key(packet, 0));
  return found == held_.end() || found->first >> 16 != packet ? nullptr : &found->second;
}

std::uint64_t Store::touch(PacketId packet) {
  const auto found = held_.lower_bound(key(packet, 0));
  if (found == held_.end() || found->first >> 16 != packet) return 0;
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
  const auto found = held_.find(key(packet, attempt));
  if (found == held_.end()) return false;
  (found->second.on_disk ? disk_used_ : used_) -= found->second.bytes;
  held_.erase(found);
  return true;
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
