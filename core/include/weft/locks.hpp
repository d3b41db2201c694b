#pragma once

#include <weft/waiting.hpp>

#include <utility>
#include <vector>

// Semaphores and locks. Part of <weft/coordination.hpp>, which includes it.

namespace weft {

/// Leases of a Semaphore or a Lock that are held; its end, however it comes about, gives them back. So does the loss of
/// the process that holds them.
/// Owns: the leases.  Threading: one thread at a time; may be handed to another.
class [[nodiscard]] Lease {
 public:
  Lease() = default;
  Lease(detail::Named from, std::size_t count) : from_(std::move(from)), count_(count) {}
  Lease(Lease&& other) noexcept : from_(std::move(other.from_)), count_(std::exchange(other.count_, 0)) {}
  Lease& operator=(Lease&& other) noexcept {
    std::swap(from_, other.from_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~Lease() { release(); }
  /// Gives the leases back now.
  void release() noexcept;
  /// Gives the responsibility up: the leases stay taken until unlock().
  void keep() noexcept { count_ = 0; }
  std::size_t count() const { return count_; }
  explicit operator bool() const { return count_ != 0; }

 private:
  detail::Named from_;
  std::size_t count_ = 0;
};

/// A number of leases shared by name: how many tasks may do something, such as talk to a database, at a time.
///
///     Semaphore connections(client, "database", 4);
///     client.map([](int id, Semaphore connections) { auto lease = connections.acquire(); return ask(id); }, ids,
///     connections);
///
/// Who waits is served in no particular order. Owns: a share of the semaphore.  Threading: any thread.
class Semaphore {
 public:
  Semaphore() = default;
  Semaphore(const Client& client, const std::string& name, std::size_t leases = 1);

  /// Waits for leases and takes them. Asking for more than there are is an error at once.
  Lease acquire(std::size_t count = 1) const;
  /// Waits no longer than that; an empty lease if there were none.
  Lease acquire_for(Milliseconds longest, std::size_t count = 1) const;
  Lease try_acquire(std::size_t count = 1) const;
  std::size_t leases() const { return static_cast<std::size_t>(named_.size()); }
  /// Returns how many are not taken now.
  std::size_t free() const;

  template <class Archive>
  friend void weft_fields(Archive& archive, Semaphore& semaphore) {
    semaphore.named_.exchange(archive);
  }

 private:
  detail::Named named_;
};

/// Lets one task or thread of a client in at a time, shared by name. `auto held = lock.acquire();`, or std::lock_guard.
/// Who holds it and asks again gets an error instead of waiting for itself.
/// Owns: a share of the lock.  Threading: any thread; the one that locked it unlocks it.
class Lock {
 public:
  Lock() = default;
  Lock(const Client& client, const std::string& name)
      : named_(client.serial(), detail::NamedKind::Lock, name, "a lock", 1) {}

  Lease acquire() const;
  Lease try_acquire() const;
  bool is_locked() const;
  void lock() const;
  bool try_lock() const;
  void unlock() const;

  template <class Archive>
  friend void weft_fields(Archive& archive, Lock& lock) {
    lock.named_.exchange(archive);
  }

 private:
  detail::Named named_;
};

/// Several Locks as one: taken in the order of their names, whoever asks, so that holders of some never wait for each
/// other. `const auto held = locks.acquire();`, or std::lock_guard. Owns: shares of the locks.  Threading: as a Lock.
class MultiLock {
 public:
  MultiLock() = default;
  MultiLock(const Client& client, std::vector<std::string> names);

  /// Waits for all of them; the leases' end gives them back.
  [[nodiscard]] std::vector<Lease> acquire() const;
  /// Takes all of them if they are free now, else none: then the result is empty.
  [[nodiscard]] std::vector<Lease> try_acquire() const;
  void lock() const;
  void unlock() const;

  template <class Archive>
  friend void weft_fields(Archive& archive, MultiLock& locks) {
    archive(locks.locks_);
  }

 private:
  std::vector<Lock> locks_;
};

}  // namespace weft
