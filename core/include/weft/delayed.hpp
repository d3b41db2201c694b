#pragma once

#include <weft/build.hpp>

namespace weft {

/// A value that has been described and not computed. `Client::compute` gives the value, `Client::persist` a Future.
/// Copying is cheap and shares the task. Threading: as an int.
template <class T>
class Delayed : public Handle {
 public:
  using value_type = T;

  Delayed() = default;
  /// Takes over a use of a task whose result is a T.
  static Delayed adopt(TaskId task) { return Delayed(Handle::Adopt{}, task); }

  /// Returns the value inside a task that was given this handle, or after the graph it belongs to has run.
  T value() const {
    const detail::PinnedValue pinned = detail::finished_value(*this, weft::value_type<T>);
    return *static_cast<const T*>(pinned.value());
  }

  // A handle is not its value: reading one means running it, and only a client does that.
  template <class U>
  requires(std::is_arithmetic_v<U> || std::is_same_v<U, T>) operator U() const {
    static_assert(detail::never<U>, "weft: a Delayed is not a value yet: ask a client for it, client.compute(delayed)");
    return std::declval<U>();
  }

 private:
  Delayed(Handle::Adopt tag, TaskId task) : Handle(tag, task, 0) {}
};

/// A function made lazy: calling it describes a task.
template <class F>
class DelayedFunction {
 public:
  DelayedFunction(F function, const std::source_location& where) : function_(std::move(function)), where_(where) {}

  template <class... A>
  auto operator()(A&&... arguments) const {
    using Result = typename detail::Binding<F, detail::Stored<A>...>::Result;
    detail::Connected connected;
    const detail::Place place{arena::thread_cursor(), task_word::kUse, kNone};
    const TaskId id = detail::write_task(place, where_, connected, function_, std::forward<A>(arguments)...);
    detail::settle_inputs(id, connected);
    return Delayed<Result>::adopt(id);
  }

 private:
  F function_;
  std::source_location where_;
};

/// Makes a function lazy: `auto y = delayed(f)(a, b)` describes a call of `f`; handles among the arguments, also inside
/// vectors, maps and tuples, become inputs of the task.
template <class F>
auto delayed(F&& function, const std::source_location& where = std::source_location::current()) {
  return DelayedFunction<std::decay_t<F>>(std::forward<F>(function), where);
}

/// Makes a value lazy, so that many tasks share one copy of it.
template <class T>
requires(!detail::looks_callable<T>) auto delayed(T&& value,
                                                  const std::source_location& where = std::source_location::current()) {
  using V = std::decay_t<T>;
  return DelayedFunction<detail::GiveValue<V>>(detail::GiveValue<V>{}, where)(std::forward<T>(value));
}

}  // namespace weft
