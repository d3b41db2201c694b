#pragma once

#include <weft/waiting.hpp>

#include <chrono>
#include <deque>
#include <optional>
#include <vector>

namespace weft {

using Milliseconds = std::chrono::milliseconds;

/// Values in order of their arrival, shared by name among the threads and tasks of a client. With `maxsize` a full
/// queue makes `put` wait, which slows a producer down to its consumers. A queue is a reference: copy it, pass it to
/// tasks. Its values stay until they are taken or the client is closed. Owns: a share of the queue.  Threading: any
/// thread.
template <class T>
class Queue {
 public:
  Queue() = default;
  /// Opens the client's queue of this name; makes it if there is none. `maxsize` 0: without a limit.
  Queue(const Client& client, const std::string& name, std::size_t maxsize = 0)
      : Queue(detail::serial_of(client), name, maxsize) {}

  void put(T value) const {
    State& state = named_.state();
    named_.wait([&] { return state.put(value); });
    named_.wake();
  }
  /// Puts the value if there is room now.
  bool try_put(T value) const {
    if (!named_.state().put(value)) return false;
    named_.wake();
    return true;
  }
  /// Waits for a value and takes it.
  T get() const {
    std::optional<T> value;
    State& state = named_.state();
    named_.wait([&] { return state.get(value); });
    named_.wake();
    return std::move(*value);
  }
  /// Waits no longer than that; nothing if no value came.
  std::optional<T> get_for(Milliseconds longest) const {
    std::optional<T> value;
    State& state = named_.state();
    if (named_.wait_for(longest, [&] { return state.get(value); })) named_.wake();
    return value;
  }
  std::optional<T> try_get() const {
    std::optional<T> value;
    if (named_.state().get(value)) named_.wake();
    return value;
  }
  std::size_t size() const {
    const std::lock_guard lock(named_.state().mutex);
    return named_.state().values.size();
  }
  std::size_t maxsize() const { return named_.state().maxsize; }
  template <class Archive>
  friend void weft_fields(Archive& archive, Queue& queue) {
    queue.named_.exchange(archive);
  }

 private:
  struct State : detail::SharedObject {
    std::mutex mutex;
    std::deque<T> values;
    std::size_t maxsize = 0;
    bool put(T& value) {
      const std::lock_guard lock(mutex);
      if (maxsize != 0 && values.size() >= maxsize) return false;
      values.push_back(std::move(value));
      return true;
    }
    bool get(std::optional<T>& value) {
      const std::lock_guard lock(mutex);
      if (values.empty()) return false;
      value.emplace(std::move(values.front()));
      values.pop_front();
      return true;
    }
  };
  Queue(std::uint32_t client, const std::string& name, std::size_t maxsize)
      : named_(client, "Queue", name, type_name<T>(), [maxsize](State& state) { state.maxsize = maxsize; }) {
    if (maxsize != 0 && named_.state().maxsize != maxsize) {
      detail::refuse_size("Queue", name, "a maxsize", named_.state().maxsize, maxsize);
    }
  }
  detail::Named<State> named_;
};

/// A value that is set by one and read by others, shared by name among the threads and tasks of a client.
/// Owns: a share of the variable.  Threading: any thread.
template <class T>
class Variable {
 public:
  Variable() = default;
  Variable(const Client& client, const std::string& name)
      : named_(detail::serial_of(client), "Variable", name, type_name<T>()) {}

  void set(T value) const {
    {
      const std::lock_guard lock(named_.state().mutex);
      named_.state().value.emplace(std::move(value));
    }
    named_.wake();
  }
  /// Waits until the variable has been set, and returns what it is now.
  T get() const {
    std::optional<T> value;
    named_.wait([&] { return (value = try_get()).has_value(); });
    return std::move(*value);
  }
  std::optional<T> get_for(Milliseconds longest) const {
    std::optional<T> value;
    named_.wait_for(longest, [&] { return (value = try_get()).has_value(); });
    return value;
  }
  std::optional<T> try_get() const {
    const std::lock_guard lock(named_.state().mutex);
    return named_.state().value;
  }
  /// Makes readers wait again.
  void clear() const {
    const std::lock_guard lock(named_.state().mutex);
    named_.state().value.reset();
  }

  template <class Archive>
  friend void weft_fields(Archive& archive, Variable& variable) {
    variable.named_.exchange(archive);
  }

 private:
  struct State : detail::SharedObject {
    std::mutex mutex;
    std::optional<T> value;
  };
  detail::Named<State> named_;
};

/// A flag that threads and tasks of a client wait for, shared by name.
/// Owns: a share of the flag.  Threading: any thread.
class Event {
 public:
  Event() = default;
  Event(const Client& client, const std::string& name) : named_(detail::serial_of(client), "Event", name, "a flag") {}

  void set() const {
    named_.state().raised.store(true);
    named_.wake();
  }
  void clear() const { named_.state().raised.store(false); }
  bool is_set() const { return named_.state().raised.load(); }
  void wait() const {
    named_.wait([&] { return is_set(); });
  }
  /// Waits no longer than that; returns whether the flag was set.
  bool wait_for(Milliseconds longest) const {
    return named_.wait_for(longest, [&] { return is_set(); });
  }

  template <class Archive>
  friend void weft_fields(Archive& archive, Event& event) {
    event.named_.exchange(archive);
  }

 private:
  struct State : detail::SharedObject {
    std::atomic<bool> raised{false};
  };
  detail::Named<State> named_;
};

namespace detail {
struct LeaseState : SharedObject {
  std::mutex mutex;
  std::size_t leases = 1;
  std::size_t free = 1;
  /// The task or thread that holds a Lock.
  std::uint64_t holder = 0;

  bool take(std::size_t count, std::uint64_t by);
  void give(std::size_t count);
};
}  // namespace detail

/// Leases of a Semaphore or a Lock that are held; its end, however it comes about, gives them back.
/// Owns: the leases.  Threading: one thread at a time; may be handed to another.
class [[nodiscard]] Lease {
 public:
  Lease() = default;
  Lease(detail::Named<detail::LeaseState> from, std::size_t count) : from_(std::move(from)), count_(count) {}
  Lease(Lease&& other) noexcept : from_(std::move(other.from_)), count_(std::exchange(other.count_, 0)) {}
  Lease& operator=(Lease&& other) noexcept {
    std::swap(from_, other.from_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~Lease() { release(); }
  /// Gives the leases back now.
  void release() noexcept;
  std::size_t count() const { return count_; }
  explicit operator bool() const { return count_ != 0; }

 private:
  detail::Named<detail::LeaseState> from_;
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
  std::size_t leases() const { return named_.state().leases; }
  /// Returns how many are not taken now.
  std::size_t free() const;

  template <class Archive>
  friend void weft_fields(Archive& archive, Semaphore& semaphore) {
    semaphore.named_.exchange(archive);
  }

 private:
  detail::Named<detail::LeaseState> named_;
};

/// Lets one task or thread of a client in at a time, shared by name. `auto held = lock.acquire();`, or std::lock_guard.
/// Who holds it and asks again gets an error instead of waiting for itself.
/// Owns: a share of the lock.  Threading: any thread; the one that locked it unlocks it.
class Lock {
 public:
  Lock() = default;
  Lock(const Client& client, const std::string& name) : named_(detail::serial_of(client), "Lock", name, "a lock") {}

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
  detail::Named<detail::LeaseState> named_;
};

namespace detail {
template <class T>
struct PublishedState : SharedObject {
  Future<T> future;
};
void add_published(std::uint32_t client, const std::string& name, std::string_view type,
                   std::shared_ptr<SharedObject> object);
std::shared_ptr<SharedObject> find_published(std::uint32_t client, const std::string& name, std::string_view type);
}  // namespace detail

/// Keeps a result under a name until it is unpublished or the client is closed, so that other parts of a program find
/// it.
template <class T>
void publish(const Client& client, const std::string& name, const Future<T>& future) {
  detail::require_client(future);
  auto state = std::make_shared<detail::PublishedState<T>>();
  state->future = future;
  detail::add_published(detail::serial_of(client), name, type_name<T>(), std::move(state));
}
/// Returns what was published under the name; throws if there is nothing, or something of another type.
template <class T>
Future<T> get_published(const Client& client, const std::string& name) {
  const auto found = detail::find_published(detail::serial_of(client), name, type_name<T>());
  return static_cast<const detail::PublishedState<T>&>(*found).future;
}
/// Forgets the name; the result lives on while somebody else has its future.
void unpublish(const Client& client, const std::string& name);
/// Returns the published names in alphabetical order.
std::vector<std::string> list_published(const Client& client);

}  // namespace weft

#include <weft/actor.hpp>
