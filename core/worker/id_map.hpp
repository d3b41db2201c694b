#pragma once

#include <cstdint>
#include <vector>

#include "core/messages/ids.hpp"

namespace weft::machine {

/// Finds the slot of a packet id among those that one worker knows: few of many.
/// Owns: one flat table with linear probing, at most half full.  Threading: none.
class IdMap {
 public:
  /// Returns the slot, or kNone.
  [[nodiscard]] std::uint32_t find(std::uint32_t id) const {
    if (entries_.empty()) return kNone;
    for (std::uint32_t at = home(id);; at = (at + 1) & mask_) {
      if (entries_[at].slot == kNone) return kNone;
      if (entries_[at].id == id) return entries_[at].slot;
    }
  }

  /// `id` must not be there.
  void insert(std::uint32_t id, std::uint32_t slot) {
    if (2 * (size_ + 1) > entries_.size()) grow();
    place(id, slot);
    ++size_;
  }

  /// Closes the gap, so that no entry is cut off from its home.
  void erase(std::uint32_t id) {
    if (entries_.empty()) return;
    std::uint32_t at = home(id);
    while (entries_[at].id != id || entries_[at].slot == kNone) {
      if (entries_[at].slot == kNone) return;
      at = (at + 1) & mask_;
    }
    --size_;
    std::uint32_t gap = at;
    for (std::uint32_t next = (gap + 1) & mask_; entries_[next].slot != kNone; next = (next + 1) & mask_) {
      const std::uint32_t distance = (next - home(entries_[next].id)) & mask_;
      if (distance < ((next - gap) & mask_)) continue;
      entries_[gap] = entries_[next];
      gap = next;
    }
    entries_[gap].slot = kNone;
  }

  [[nodiscard]] std::uint32_t size() const { return size_; }

 private:
  struct Entry {
    std::uint32_t id = 0;
    std::uint32_t slot = kNone;
  };

  [[nodiscard]] std::uint32_t home(std::uint32_t id) const { return (id * 2654435769u >> 8) & mask_; }

  void place(std::uint32_t id, std::uint32_t slot) {
    std::uint32_t at = home(id);
    while (entries_[at].slot != kNone) at = (at + 1) & mask_;
    entries_[at] = {id, slot};
  }

  void grow() {
    std::vector<Entry> old(entries_.empty() ? 64 : entries_.size() * 2);
    old.swap(entries_);
    mask_ = static_cast<std::uint32_t>(entries_.size()) - 1;
    for (const Entry& entry : old) {
      if (entry.slot != kNone) place(entry.id, entry.slot);
    }
  }

  std::vector<Entry> entries_;
  std::uint32_t mask_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace weft::machine
