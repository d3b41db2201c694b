#pragma once

#include "core/memory/spill_directory.hpp"
#include "core/memory/spill_file.hpp"
#include "gpu/driver/driver.hpp"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace weft::gpu::detail {

struct Entry;

/// How much of the host's memory what was evicted may take, and where the rest goes.
struct HostLimits {
  std::size_t bytes = 0;
  SpillDirectory directory = {};
  Disk* disk = &Disk::system();
};
/// Returns those of the client whose task runs here, else what the process may use.
HostLimits host_limits();

/// The copies in the host's memory of what was evicted from a device, and the disk behind them.
///
/// A thread of its own writes the longest evicted ones to a spill file before the limit is reached, so that works
/// seldom wait for the disk. Bytes never change: what was written once is only forgotten the next time. Where the disk
/// takes nothing, the copies stay in memory, however many there are, and one line says why.
/// Owns: the spill file, the thread, and the host copies' count.  Threading: the store's mutex, given as a lock where
/// it is released on the way.
class HostRoom {
 public:
  using Lock = std::unique_lock<std::mutex>;

  /// `moved` is called under the mutex when there is more room.
  HostRoom(Driver& driver, std::mutex& mutex, std::condition_variable& changed, std::function<void()> moved)
      : driver_(driver), mutex_(mutex), changed_(changed), moved_(std::move(moved)) {}
  ~HostRoom();
  HostRoom(const HostRoom&) = delete;
  HostRoom& operator=(const HostRoom&) = delete;

  /// Those of the process are asked for at the first eviction, where none were set.
  void set_limits(HostLimits limits);
  /// Tells whether so many bytes more may come now. Where not, the disk is at work, and `moved` is called.
  bool takes(std::size_t bytes);
  /// Tells whether the entry's eviction will take of the host's memory.
  static bool needs_room(const Entry& entry);
  /// The entry was evicted: its host copy counts from now on, unless somebody else holds the same bytes.
  void add(Entry& entry);
  /// Reads the bytes back where they are on disk alone; throws MemoryError where they cannot be read. Those of an entry
  /// that somebody wants (`Entry::wanted`) stay in memory.
  void bring_back(Entry& entry, Lock& lock);
  /// The entry is about to be destroyed.
  void leave(Entry& entry, Lock& lock) noexcept;

  std::size_t used_bytes() const noexcept { return used_; }
  std::size_t spilled_bytes() const noexcept { return spilled_; }

 private:
  void ensure_limits();
  bool above() const;
  Entry* next() const;
  void forget(Entry& entry);
  void work();
  bool write(Entry& entry, Lock& lock);

  Driver& driver_;
  std::mutex& mutex_;
  std::condition_variable& changed_;
  const std::function<void()> moved_;
  // Guarded by mutex_.
  bool known_ = false, broken_ = false, ending_ = false;
  HostLimits limits_;
  std::list<Entry*> copies_;  // the longest evicted first
  std::size_t used_ = 0;
  std::size_t asked_ = 0;  // what somebody waits for
  std::size_t spilled_ = 0;
  std::condition_variable wake_;
  std::unique_ptr<SpillFile> file_;
  std::thread thread_;
};

}  // namespace weft::gpu::detail
