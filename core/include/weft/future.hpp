#pragma once

#include <weft/delayed.hpp>

#include <exception>
#include <functional>

namespace weft {

/// How a future stands.
enum class FutureStatus : std::uint8_t { Pending, Finished, Failed, Cancelled };

namespace detail {

/// Waits until the task has ended and pins its value; throws what it ended with instead.
PinnedValue await_value(const Handle& handle, const ValueType& type);
bool only_owner(const Handle& handle) noexcept;
FutureStatus status_of(const Handle& handle);
std::exception_ptr exception_of(const Handle& handle);
void cancel_task(const Handle& handle);
void add_callback(const Handle& handle, std::function<void()> callback);
/// Throws if the client the handle belongs to is gone.
void require_client(const Handle& handle);

}  // namespace detail

/// Runs the task that a failure began with again, on the calling thread and with the same arguments, so that a debugger
/// stops where it throws. What it throws comes out as it is; when nothing is thrown this time, the call just returns.
/// Throws Error for a task that did not fail, or that gave its arguments away.
void rerun_locally(const Handle& failed);

/// A result that is being computed. The task's result is kept while a Future (or a task that needs it) exists.
/// Owns: one use of the task.  Threading: as an int; waiting may be done by any thread, also from inside a task.
template <class T>
class Future : public Handle {
 public:
  using value_type = T;

  Future() = default;
  static Future adopt(TaskId task, std::uint32_t client) { return Future(Handle::Adopt{}, task, client); }

  /// Waits for the result and returns it. Rethrows as TaskError what the task threw; CancelledError if it was
  /// cancelled.
  T result() const& {
    static_assert(std::is_copy_constructible_v<T>,
                  "weft: this result cannot be copied: take it out of the future with std::move(future).result()");
    const detail::PinnedValue pinned = detail::await_value(*this, weft::value_type<T>);
    return *static_cast<const T*>(pinned.value());
  }
  /// Waits for the result and moves it out, if nobody else holds it.
  T result() && {
    const detail::PinnedValue pinned = detail::await_value(*this, weft::value_type<T>);
    T& value = *static_cast<T*>(pinned.value());
    if constexpr (std::is_copy_constructible_v<T>) {
      return detail::only_owner(*this) ? T(std::move(value)) : T(value);
    } else {
      return T(std::move(value));
    }
  }
  /// Waits, calls `look` with the result where it lies, and returns what that returns: reads without copying.
  template <class Look>
  auto inspect(Look&& look) const {
    const detail::PinnedValue pinned = detail::await_value(*this, weft::value_type<T>);
    return look(*static_cast<const T*>(pinned.value()));
  }
  /// Waits and returns what the task threw, or null.
  std::exception_ptr exception() const { return detail::exception_of(*this); }
  FutureStatus status() const { return detail::status_of(*this); }
  /// Returns whether the task has ended, in whatever way.
  bool done() const { return status() != FutureStatus::Pending; }
  bool cancelled() const { return status() == FutureStatus::Cancelled; }
  /// Asks that the task is not run; one that runs is told through this_task::cancelled().
  void cancel() const { detail::cancel_task(*this); }
  /// Calls `callback(future)` once the task has ended, on the thread that ended it; now, if it has.
  template <class F>
  void add_done_callback(F callback) const {
    detail::add_callback(*this, [copy = *this, callback = std::move(callback)]() mutable { callback(copy); });
  }
  /// Gives the result up; the future is empty afterwards.
  void release() { *this = Future(); }

  // A future is not its value: reading it may wait, and that is written out.
  template <class U>
  requires(std::is_arithmetic_v<U> || std::is_same_v<U, T>) operator U() const {
    static_assert(detail::never<U>, "weft: a Future is not its value: write future.result(), which waits for it");
    return std::declval<U>();
  }

 private:
  Future(Handle::Adopt tag, TaskId task, std::uint32_t client) : Handle(tag, task, client) {}
};

}  // namespace weft
