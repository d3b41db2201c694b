#pragma once

#include "core/memory/held.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace weft {

/// Sees when spilled values are read back one after the other, and says which come next.
///
/// Spilled values stand in a list in the order in which they went. When the value missed last and the one missed now
/// were neighbours, reading is taken to go on in that direction; any other miss ends that. What was read ahead and
/// used, or given up, makes place for more. Owns: the links of the entries in the list, not the entries.  Threading:
/// any thread; one mutex, innermost.
class ReadAhead {
 public:
  struct Next {
    Held* held = nullptr;
    std::uint64_t serial = 0;
    std::size_t bytes = 0;
  };

  /// A value has gone to disk.
  void went(Held& held) noexcept;
  /// A value on disk is released, or being read ahead.
  void forget(Held& held) noexcept;
  /// A value on disk is read because somebody waits for it.
  void missed(Held& held) noexcept;

  /// Bytes are to be read ahead without having been asked for here.
  void begun(std::size_t bytes) noexcept;
  /// Bytes that were to be read ahead have been used, or will not be.
  void done(std::size_t bytes) noexcept;
  /// Returns what to read now so that `window` bytes are ahead; begun() is implied. A value larger than the window is
  /// read when nothing else is ahead.
  std::vector<Next> next(std::size_t window);

 private:
  enum class Direction : std::uint8_t { None, Older, Newer };

  void unlink(Held& held) noexcept;

  std::mutex mutex_;
  // Guarded by mutex_.
  Held* oldest_ = nullptr;
  Held* newest_ = nullptr;
  // The neighbours of the last miss, and where to go on. They move on when what they point to leaves the list.
  Held* before_miss_ = nullptr;
  Held* after_miss_ = nullptr;
  Held* cursor_ = nullptr;
  Direction direction_ = Direction::None;
  std::size_t ahead_bytes_ = 0;
};

}  // namespace weft
