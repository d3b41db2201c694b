#pragma once

#include <weft/delayed.hpp>

#include <map>
#include <memory>
#include <mutex>

namespace weft {

namespace detail {
struct Content;
/// While it exists, calls that this thread describes are those of pure functions to the journal (--weft-journal): it
/// does not tell the second of equal ones from the first.
struct PureDescription {
  PureDescription() noexcept;
  ~PureDescription();
  PureDescription(const PureDescription&) = delete;
  PureDescription& operator=(const PureDescription&) = delete;
};
}  // namespace detail

/// Describes calls of pure functions: equal calls with equal arguments are one task, which runs once.
///
///     PureCalls pure;
///     Delayed<Image> a = pure(load)("map.tif");
///     Delayed<Image> b = pure(load)("map.tif");      // the same task as a
///
/// Calls outside of it are not merged with these; `delayed(f, {.pure = true})` merges without such an object, and keeps
/// results no longer than their handles do. Arguments are compared by their encoding, lazy ones by what describes them.
/// Owns: each task it has described, with its result, until `forget` or its end.  Threading: any thread.
class PureCalls {
 public:
  PureCalls() = default;
  PureCalls(const PureCalls&) = delete;
  PureCalls& operator=(const PureCalls&) = delete;

  /// A pure function made lazy: calling it gives the task of this call, described now or before.
  template <class F>
  class Function {
   public:
    Function(PureCalls& calls, F function, const std::source_location& where)
        : calls_(calls), lazy_(std::move(function), where) {}

    template <class... A>
    auto operator()(A&&... arguments) const {
      const detail::PureDescription pure;
      auto fresh = lazy_(std::forward<A>(arguments)...);
      const TaskId known = calls_.merge(fresh);
      return known == fresh.task_id() ? std::move(fresh) : decltype(fresh)::adopt(known);
    }

   private:
    PureCalls& calls_;
    DelayedFunction<F> lazy_;
  };

  template <class F>
  auto operator()(F&& function, const std::source_location& where = std::source_location::current()) {
    return Function<std::decay_t<F>>(*this, std::forward<F>(function), where);
  }

  /// Lets go of what it has described; later calls are new tasks.
  void forget();
  /// Returns how many tasks it holds, and how many calls they were described by.
  std::size_t task_count() const;
  std::size_t call_count() const;

 private:
  /// Returns the task that the call is: its own, or an equal one with a use that the caller owns.
  TaskId merge(const Handle& fresh);

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::shared_ptr<const detail::Content>, Handle> known_;
  std::size_t calls_ = 0;
};

}  // namespace weft
