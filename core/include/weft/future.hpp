#pragma once

#include <weft/delayed.hpp>
#include <weft/timeout.hpp>

#include <exception>
#include <functional>
#include <string>
#include <vector>

namespace weft {

/// How a future stands.
enum class FutureStatus : std::uint8_t { Pending, Finished, Failed, Cancelled };

namespace detail {

/// Waits until the task has ended and pins its value; throws what it ended with instead, or TimeoutError.
PinnedValue await_value(const Handle& handle, const ValueType& type, Seconds longest = kForever);
bool only_owner(const Handle& handle) noexcept;
/// Throws if others than this handle hold the task or will read it.
void require_only_owner(const Handle& handle);
FutureStatus status_of(const Handle& handle);
std::exception_ptr exception_of(const Handle& handle, Seconds longest = kForever);
std::string traceback_of(const Handle& handle);
void cancel_task(const Handle& handle);
void add_callback(const Handle& handle, std::function<void()> callback);
/// Throws if the client the handle belongs to is gone.
void require_client(const Handle& handle);
/// Throws TimeoutError: says what was waited for, how long, and which of these tasks have not ended.
[[noreturn]] void throw_late(const char* what, Seconds longest, std::size_t all, const std::vector<Handle>& unfinished);

}  // namespace detail

/// Returns the bytes of a result that is there, its heap included; 0 while it is not.
std::size_t nbytes(const Handle& handle);

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
  /// As above, but waits no longer than that: then throws TimeoutError, and the task goes on.
  T result(Seconds longest) const {
    static_assert(std::is_copy_constructible_v<T>,
                  "weft: this result cannot be copied: wait for it, then take it out with future.take()");
    const detail::PinnedValue pinned = detail::await_value(*this, weft::value_type<T>, longest);
    return *static_cast<const T*>(pinned.value());
  }
  /// Waits for the result and moves it out, if nobody else holds it; a result that cannot be copied is refused while
  /// other handles or tasks that have not ended need it.
  T result() && {
    const detail::PinnedValue pinned = detail::await_value(*this, weft::value_type<T>);
    T& value = *static_cast<T*>(pinned.value());
    if constexpr (std::is_copy_constructible_v<T>) {
      return detail::only_owner(*this) ? T(std::move(value)) : T(value);
    } else {
      detail::require_only_owner(*this);
      return T(std::move(value));
    }
  }
  /// Waits for the result, moves it out as `std::move(future).result()` does, and gives the future up.
  T take() {
    T value = std::move(*this).result();
    release();
    return value;
  }
  /// Waits, calls `look` with the result where it lies, and returns what that returns: reads without copying.
  template <class Look>
  auto inspect(Look&& look) const {
    const detail::PinnedValue pinned = detail::await_value(*this, weft::value_type<T>);
    return look(*static_cast<const T*>(pinned.value()));
  }
  /// Waits and returns what the task ended with, or null; TimeoutError if it has not ended by then.
  std::exception_ptr exception(Seconds longest = kForever) const { return detail::exception_of(*this, longest); }
  /// Waits and returns the text of the failure: what was thrown, by which task at which line, with which arguments, and
  /// the tasks that needed it. Empty if there is none.
  std::string traceback() const { return detail::traceback_of(*this); }
  /// Returns what errors call the task.
  std::string name() const { return detail::name_of(*this); }
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
