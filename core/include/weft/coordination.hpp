#pragma once

#include <weft/far_actor.hpp>
#include <weft/locks.hpp>

#include <algorithm>
#include <optional>
#include <vector>

namespace weft {

/// Values in order of their arrival, shared by name among the threads and tasks of a client. With `maxsize` a full
/// queue makes `put` wait, which slows a producer down to its consumers. A queue is a reference: copy it, pass it to
/// tasks, on whatever worker they run. Its values stay until they are taken or the client is closed.
/// Owns: a share of the queue.  Threading: any thread.
template <class T>
class Queue {
 public:
  Queue() = default;
  /// Opens the client's queue of this name; makes it if there is none. `maxsize` 0: without a limit.
  Queue(const Client& client, const std::string& name, std::size_t maxsize = 0)
      : named_(client.serial(), detail::NamedKind::Queue, name, type_name<T>(), maxsize) {}

  void put(T value) const {
    detail::NamedAnswer answer;
    named_.perform(detail::NamedAct::Put, answer, detail::kWaits, 0, detail::Parcel::of(std::move(value)));
  }
  /// Puts the value if there is room now.
  bool try_put(T value) const {
    detail::NamedAnswer answer;
    return named_.perform(detail::NamedAct::Put, answer, detail::kNow, 0, detail::Parcel::of(std::move(value)));
  }
  /// Waits for a value and takes it.
  T get() const {
    detail::NamedAnswer answer;
    named_.perform(detail::NamedAct::Get, answer);
    return answer.parcel.template take<T>();
  }
  /// Waits no longer than that; nothing if no value came.
  std::optional<T> get_for(Milliseconds longest) const { return get_within(longest.count()); }
  std::optional<T> try_get() const { return get_within(detail::kNow); }
  std::size_t size() const { return static_cast<std::size_t>(named_.number_of(detail::NamedAct::Size)); }
  std::size_t maxsize() const { return static_cast<std::size_t>(named_.size()); }
  template <class Archive>
  friend void weft_fields(Archive& archive, Queue& queue) {
    queue.named_.exchange(archive);
  }

 private:
  std::optional<T> get_within(std::int64_t longest_ms) const {
    detail::NamedAnswer answer;
    if (!named_.perform(detail::NamedAct::Get, answer, std::max<std::int64_t>(longest_ms, 0))) return std::nullopt;
    return answer.parcel.template take<T>();
  }
  detail::Named named_;
};

/// A value that is set by one and read by others, shared by name among the threads and tasks of a client.
/// Owns: a share of the variable.  Threading: any thread.
template <class T>
class Variable {
 public:
  Variable() = default;
  Variable(const Client& client, const std::string& name)
      : named_(client.serial(), detail::NamedKind::Variable, name, type_name<T>()) {}

  void set(T value) const {
    detail::NamedAnswer answer;
    named_.perform(detail::NamedAct::Set, answer, detail::kWaits, 0, detail::Parcel::of(std::move(value)));
  }
  /// Waits until the variable has been set, and returns what it is now.
  T get() const {
    detail::NamedAnswer answer;
    named_.perform(detail::NamedAct::Look, answer);
    return answer.parcel.template copy<T>();
  }
  std::optional<T> get_for(Milliseconds longest) const { return get_within(longest.count()); }
  std::optional<T> try_get() const { return get_within(detail::kNow); }
  /// Makes readers wait again.
  void clear() const {
    detail::NamedAnswer answer;
    named_.perform(detail::NamedAct::Clear, answer);
  }

  template <class Archive>
  friend void weft_fields(Archive& archive, Variable& variable) {
    variable.named_.exchange(archive);
  }

 private:
  std::optional<T> get_within(std::int64_t longest_ms) const {
    detail::NamedAnswer answer;
    if (!named_.perform(detail::NamedAct::Look, answer, std::max<std::int64_t>(longest_ms, 0))) return std::nullopt;
    return answer.parcel.template copy<T>();
  }
  detail::Named named_;
};

/// A flag that threads and tasks of a client wait for, shared by name.
/// Owns: a share of the flag.  Threading: any thread.
class Event {
 public:
  Event() = default;
  Event(const Client& client, const std::string& name)
      : named_(client.serial(), detail::NamedKind::Event, name, "a flag") {}

  void set() const;
  void clear() const;
  bool is_set() const;
  void wait() const;
  /// Waits no longer than that; returns whether the flag was set.
  bool wait_for(Milliseconds longest) const;

  template <class Archive>
  friend void weft_fields(Archive& archive, Event& event) {
    event.named_.exchange(archive);
  }

 private:
  detail::Named named_;
};

namespace detail {
void add_published(std::uint32_t client, const std::string& name, std::string_view type, const Handle& future);
/// Returns a future's task, with a use that the caller owns. `site`: what makes a value of this type, for a stand-in.
TaskId find_published(std::uint32_t client, const std::string& name, std::string_view type, std::uint32_t site);
}  // namespace detail

/// Keeps a result under a name until it is unpublished or the client is closed, so that other parts of a program find
/// it.
template <class T>
void publish(const Client& client, const std::string& name, const Future<T>& future) {
  detail::require_client(future);
  detail::add_published(client.serial(), name, type_name<T>(), future);
}
/// Returns what was published under the name, computed or not; throws if there is nothing, or something of another
/// type.
template <class T>
Future<T> get_published(const Client& client, const std::string& name) {
  return Future<T>::adopt(detail::find_published(client.serial(), name, type_name<T>(), detail::site_of_arrivals<T>()),
                          client.serial());
}
/// Forgets the name; the result lives on while somebody else has its future.
void unpublish(const Client& client, const std::string& name);
/// Returns the published names in alphabetical order.
std::vector<std::string> list_published(const Client& client);

}  // namespace weft

#include <weft/actor.hpp>
