#pragma once

#include <weft/arena.hpp>

#include <utility>

namespace weft {

/// Owns one use of a task: the base of `Delayed` and `Future`. Eight bytes; copying adds a use.
/// Threading: as an int; different copies may be used by different threads.
class Handle {
 public:
  Handle() = default;
  Handle(const Handle& other) noexcept : task_(other.task_), client_(other.client_) {
    if (task_ != kNone) arena::add_use(task_);
  }
  Handle(Handle&& other) noexcept : task_(std::exchange(other.task_, kNone)), client_(other.client_) {}
  Handle& operator=(const Handle& other) noexcept {
    Handle copy(other);
    swap(copy);
    return *this;
  }
  Handle& operator=(Handle&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Handle() {
    if (task_ != kNone) arena::drop_use(task_);
  }

  void swap(Handle& other) noexcept {
    std::swap(task_, other.task_);
    std::swap(client_, other.client_);
  }

  /// Returns whether this handle names a task at all.
  bool valid() const noexcept { return task_ != kNone; }
  TaskId task_id() const noexcept { return task_; }
  /// Returns the serial number of the client the task was given to; 0 while it is only described.
  std::uint32_t client_serial() const noexcept { return client_; }

 protected:
  struct Adopt {};
  /// Takes over a use that the caller owns.
  Handle(Adopt, TaskId task, std::uint32_t client) noexcept : task_(task), client_(client) {}

 private:
  TaskId task_ = kNone;
  std::uint32_t client_ = 0;
};

}  // namespace weft
