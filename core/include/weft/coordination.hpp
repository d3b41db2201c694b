#pragma once

#include <weft/locks.hpp>

#include <chrono>
#include <deque>
#include <optional>
#include <vector>

namespace weft {

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
      : Queue(client.serial(), name, maxsize) {}

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
  Variable(const Client& client, const std::string& name) : named_(client.serial(), "Variable", name, type_name<T>()) {}

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
  Event(const Client& client, const std::string& name) : named_(client.serial(), "Event", name, "a flag") {}

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
  detail::add_published(client.serial(), name, type_name<T>(), std::move(state));
}
/// Returns what was published under the name; throws if there is nothing, or something of another type.
template <class T>
Future<T> get_published(const Client& client, const std::string& name) {
  const auto found = detail::find_published(client.serial(), name, type_name<T>());
  return static_cast<const detail::PublishedState<T>&>(*found).future;
}
/// Forgets the name; the result lives on while somebody else has its future.
void unpublish(const Client& client, const std::string& name);
/// Returns the published names in alphabetical order.
std::vector<std::string> list_published(const Client& client);

}  // namespace weft

#include <weft/actor.hpp>
