#pragma once

#include "gpu/batches/batches.hpp"
#include "gpu/driver/driver.hpp"
#include "gpu/driver/watcher.hpp"
#include "gpu/memory/host_room.hpp"

#include <weft/gpu.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace weft::gpu {

namespace detail {
class Store;
struct Ticket;

/// The bytes behind the copies of one DeviceBuffer: on the host, on one device, on disk, or several of them.
/// Owns: the copies.  Threading: `size` is constant; the store is set once, under kHomes; all else is guarded by the
/// store's mutex, and constant while there is no store.
struct Entry {
  explicit Entry(std::size_t size_in_bytes) : size(size_in_bytes) {}
  ~Entry();
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  /// The device that has, or once had, a copy; null where none ever had.
  std::shared_ptr<Store> home() const;
  /// Makes the store its home; false where another is.
  bool settle(const std::shared_ptr<Store>& where);

  const std::size_t size;
  std::shared_ptr<Store> store;
  void* device = nullptr;
  /// When the device copy is complete; when the host's is, where it comes from the device.
  Event written, downloaded;
  bool host_valid = false;
  Buffer host;
  /// The work that makes it is gathered and not on its stream yet, so `written` is not known; and why it was never
  /// made, although the device goes on.
  bool gathered = false;
  std::string problem;
  /// The work that is to put the bytes on the device, until they are on its stream.
  Ticket* loader = nullptr;
  unsigned pins = 0;
  /// Of the host's room: whether its copy there counts, whether the disk is at it, how many are about to need it there,
  /// and where it lies on disk.
  bool counted = false, moving = false;
  unsigned wanted = 0;
  SpillTicket kept;
  std::list<Entry*>::iterator host_place;
  std::list<Entry*>::iterator place;  // among the unpinned ones of the store
};

/// Wakes a work that waits: a task by its client, another thread by itself.
struct Waiter {
  bool in_task = false;
  std::uint32_t client = 0;
};

/// A work, as the store sees it.
struct Ticket : ShortWork {
  struct Operand {
    std::shared_ptr<Entry> entry;
    bool output = false;
  };
  int wanted_device = -1;
  std::shared_ptr<Store> store;
  std::vector<Operand> operands;
  // Unset until begin(). What follows is the store's, guarded by its mutex.
  std::vector<Entry*> pinned, loads, wanted;
  StreamId stream = 0;
  Waiter waiter;
  bool granted = false, uploading = false, uploaded = false, ended = false, failed = false;
  /// The device's time before its copies, after them, and after what was launched.
  std::uint32_t began = 0, copied = 0, done = 0;
  double launch_seconds = 0;
  /// What profilers call it, and the range they show.
  std::string name = "weft";
  std::uint64_t range = 0;
  std::string refused;  // why it will never be granted
  /// It may go with others (Work::join_batches), and nobody waits for its end (Work::leave).
  bool joins = false, left = false;
};

/// The memory of one device and who may use it.
///
/// grant() gives a work room for all of its operands at once, in the order of arrival; what is longest unused and not
/// pinned goes to the host first. A work that waits holds nothing, so two of them cannot wait for each other, and the
/// first of the queue gets its room when those that run have ended: with operands of more than half the budget, works
/// run one after the other instead of evicting each other for ever.
/// A work takes its room itself, once its thread looks: that of a task may be running other tasks above it, which would
/// wait for ever for room given to it meanwhile. Works behind it overtake it until then.
/// Where the device refuses what the budget has room for (somebody else uses the card), everything idle goes to the
/// host; then the work waits for those that run.
/// The room of a work is free as soon as the device is done with it, whether its thread has woken or not: that thread
/// may be running another task meanwhile, which waits for just this room.
/// Works that join batches take none of the four streams: their inputs come on one that feeds all batches.
/// Owns: the driver; the room of every entry on the device.  Threading: any thread; one mutex. Copies to pageable host
/// memory happen under it, those to pinned memory are only put on a stream.
class Store {
 public:
  Store(std::unique_ptr<Driver> driver, std::size_t budget, unsigned number);
  ~Store();

  /// Waits until the ticket is granted, then copies its inputs; throws DeviceError.
  void begin(const std::shared_ptr<Ticket>& ticket);
  /// Waits for all that was launched and gives the room back; throws DeviceError where the device failed.
  void end(const std::shared_ptr<Ticket>& ticket);
  /// Returns at once: the room is given back when the device is done. The ticket is not touched any more.
  void leave(const std::shared_ptr<Ticket>& ticket);
  /// Gives everything back after an error: waits, throws nothing.
  void abandon(Ticket& ticket) noexcept;

  Buffer fetch(const std::shared_ptr<Entry>& entry);
  void drop(Entry& entry) noexcept;
  bool resident(const Entry& entry) const;
  bool on_host(const Entry& entry) const;

  Driver& driver() noexcept { return *driver_; }
  unsigned number() const noexcept { return number_; }
  std::string text() const;
  DeviceReport report();
  void set_budget(std::size_t bytes);
  void set_host_limits(HostLimits limits);
  unsigned active() const noexcept { return active_.load(std::memory_order_relaxed); }

 private:
  std::size_t missing(const Ticket& ticket) const;
  void check_alone(const Ticket& ticket) const;
  void pump();
  bool take_turn(Ticket& ticket);
  bool has_room(const Ticket& ticket);
  void bring_back_inputs(Ticket& ticket);
  void want_no_more(Ticket& ticket) noexcept;
  bool try_grant(Ticket& ticket);
  bool allocate_operands(Ticket& ticket);
  void pin(Ticket& ticket);
  void unpin(Ticket& ticket) noexcept;
  std::vector<Entry*> victims_for(std::size_t bytes, const Ticket* spared) const;
  bool make_room(std::size_t bytes, const Ticket* spared);
  void evict(Entry& entry);
  void take_from_device(Entry& entry) noexcept;
  void upload(Ticket& ticket);
  void upload_claimed(Ticket& ticket, std::unique_lock<std::mutex>& lock);
  void wait_until(const Waiter& waiter, const std::string& what, const std::function<bool()>& settled);
  void complete(Ticket& ticket, bool failed) noexcept;
  void gather(const std::shared_ptr<Ticket>& ticket);
  void end_in_batch(const std::shared_ptr<Ticket>& ticket);
  void batch_launched(const Batches::Works& works, const Event& done) noexcept;
  void batch_ended(const BatchEnd& batch) noexcept;
  void wait_for_batch(Entry& entry, std::unique_lock<std::mutex>& lock);
  void wake(const Waiter& waiter) noexcept;
  void throw_if_failed() const;
  static void throw_if_never_made(const Entry& entry);

  void book(Ticket& ticket) noexcept;
  void book_copies() noexcept;

  const std::unique_ptr<Driver> driver_;
  const unsigned number_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::size_t budget_;
  DeviceReport report_;
  /// Copies to the host that are not booked yet.
  struct TimedCopy {
    Event end;
    std::uint32_t from = 0, to = 0;
    bool evicts = false;
  };
  std::deque<TimedCopy> copies_timed_;
  std::list<Entry*> unpinned_;  // the longest unused first
  std::deque<Ticket*> queue_;
  std::deque<StreamId> idle_streams_;  // the longest unused first
  StreamId copies_, feed_;
  Event evicted_;
  unsigned running_ = 0;
  std::atomic<unsigned> active_{0};
  HostRoom host_;
  Batches batches_;
  Watcher watcher_;  // the last member: its thread ends first
};

/// The devices of the process.
const std::vector<std::shared_ptr<Store>>& stores();
std::string why_no_store();

Waiter this_waiter();

}  // namespace detail
}  // namespace weft::gpu
