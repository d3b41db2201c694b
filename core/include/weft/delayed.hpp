#pragma once

#include <weft/build.hpp>

#include <functional>
#include <memory>
#include <string>

namespace weft {

template <class T>
class Delayed;

namespace detail {
/// Returns what errors call the task of a handle.
std::string name_of(const Handle& handle);
}  // namespace detail

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
    return Delayed<Result>::adopt(detail::annotating() ? detail::known_task(id, place.word, 0, nullptr) : id);
  }

 private:
  F function_;
  std::source_location where_;
};

/// A function made lazy with options for the tasks that calls of it describe.
template <class F>
class AnnotatedFunction {
 public:
  AnnotatedFunction(F function, TaskOptions options, const std::source_location& where)
      : lazy_(std::move(function), where), options_(std::make_shared<const TaskOptions>(std::move(options))) {}

  template <class... A>
  auto operator()(A&&... arguments) const {
    const Annotate scope(*options_);
    return lazy_(std::forward<A>(arguments)...);
  }

 private:
  DelayedFunction<F> lazy_;
  std::shared_ptr<const TaskOptions> options_;
};

namespace detail {

template <class T>
struct IndexOf {
  using type = std::size_t;
};
template <class T>
requires requires { typename T::key_type; }
struct IndexOf<T> {
  using type = typename T::key_type;
};

template <class T>
struct ConvertTo {
  template <class U>
  T operator()(const U& value) const {
    return static_cast<T>(value);
  }
};

/// An index, or a handle of one; remembers the line of the user's source.
template <class T>
struct ItemIndex {
  ItemIndex(const Delayed<T>& lazy, const std::source_location& its_line = std::source_location::current())
      : value(lazy), line(its_line) {}
  template <class U>
  requires std::is_convertible_v<const U&, T> ItemIndex(
      const Delayed<U>& lazy, const std::source_location& its_line = std::source_location::current())
      : value(DelayedFunction<ConvertTo<T>>({}, its_line)(lazy)), line(its_line) {}
  template <class U>
  requires(!is_handle<std::decay_t<U>> && std::is_convertible_v<U, T>)
      ItemIndex(U&& given, const std::source_location& its_line = std::source_location::current())
      : value(DelayedFunction<GiveValue<T>>({}, its_line)(T(std::forward<U>(given)))), line(its_line) {}

  Delayed<T> value;
  std::source_location line;
};

/// Makes the line of another handle's task that of a task which has not been launched.
void take_line(const Handle& task, const Handle& from);

/// Throws if an operand of an operator is an empty handle.
void require_operand(const Handle& handle);

/// Describes function(left, right), at the line of the lazy operand: an operator is not told its own.
template <class F, class A, class B>
auto describe_operator(F function, const A& left, const B& right) {
  if constexpr (is_handle<A>) require_operand(left);
  if constexpr (is_handle<B>) require_operand(right);
  auto described = DelayedFunction<F>(function, std::source_location::current())(left, right);
  if constexpr (is_handle<A>) {
    take_line(described, left);
  } else {
    take_line(described, right);
  }
  return described;
}

struct GetItem {
  template <class T, class I>
  auto operator()(const T& value, const I& index) const {
    return value.at(index);
  }
};

template <auto kPart>
struct GetPart {
  template <class T>
  auto operator()(const T& value) const {
    if constexpr (std::is_integral_v<decltype(kPart)>) {
      return std::get<kPart>(value);
    } else {
      return std::invoke(kPart, value);
    }
  }
};

}  // namespace detail

/// A value that has been described and not computed. `Client::compute` gives the value, `Client::persist` a Future.
///
///     Delayed<std::vector<double>> row = delayed(load)(7);
///     Delayed<double> sum = row[0] + 2 * row[1];               // operators, items and parts describe tasks too
///
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

  /// Runs what the value needs and returns it: `client.compute(lazy)`.
  template <class C>
  T compute(const C& client) const {
    return client.compute(*this);
  }
  /// Starts what the value needs and returns its future: `client.persist(lazy)`.
  template <class C>
  auto persist(const C& client) const {
    return client.persist(*this);
  }
  /// A future has this; what is only described has no result to wait for.
  template <class... A>
  T result(const A&...) const {
    static_assert(detail::never<T>,
                  "weft: a Delayed is not a value yet: client.compute(delayed) gives it, client.persist(delayed) a "
                  "future, which has result()");
  }
  /// Returns what errors call the task.
  std::string name() const { return detail::name_of(*this); }

  /// Describes value.at(index), of a vector, a map and the like.
  auto operator[](detail::ItemIndex<typename detail::IndexOf<T>::type> index) const {
    static_assert(
        requires(const T& value, const typename detail::IndexOf<T>::type& at) { value.at(at); },
        "weft: this Delayed has no items: its value's type has no at(index)");
    return DelayedFunction<detail::GetItem>({}, index.line)(*this, index.value);
  }
  /// Describes a part of the value: `get<0>()` of a tuple, pair or array, `get<&S::field>()` of a struct, and the
  /// result of a method without arguments, `get<&S::size>()`.
  template <auto kPart>
  auto get(const std::source_location& where = std::source_location::current()) const {
    return DelayedFunction<detail::GetPart<kPart>>({}, where)(*this);
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

// Exact for both operands, so that they are better than the operators of numbers, which the conversion above would
// allow.
#define WEFT_OPERATOR(SYMBOL, FUNCTION)                                                                            \
  template <class A, class B>                                                                                      \
  requires std::is_invocable_v<FUNCTION, const A&, const B&>                                                       \
  auto operator SYMBOL(const Delayed<A>& left, const Delayed<B>& right) {                                          \
    return detail::describe_operator(FUNCTION{}, left, right);                                                     \
  }                                                                                                                \
  template <class A, class B>                                                                                      \
  requires(!detail::is_handle<B> && std::is_invocable_v<FUNCTION, const A&, const detail::Stored<const B&>&>) auto \
  operator SYMBOL(const Delayed<A>& left, const B& right) {                                                        \
    return detail::describe_operator(FUNCTION{}, left, right);                                                     \
  }                                                                                                                \
  template <class A, class B>                                                                                      \
  requires(!detail::is_handle<A> && std::is_invocable_v<FUNCTION, const detail::Stored<const A&>&, const B&>) auto \
  operator SYMBOL(const A& left, const Delayed<B>& right) {                                                        \
    return detail::describe_operator(FUNCTION{}, left, right);                                                     \
  }
#include <weft/delayed_operators.def>
#undef WEFT_OPERATOR

template <class A>
requires std::is_invocable_v < std::negate<>,
const A& > auto operator-(const Delayed<A>& value) {
  detail::require_operand(value);
  auto described = DelayedFunction<std::negate<>>({}, std::source_location::current())(value);
  detail::take_line(described, value);
  return described;
}

/// Makes a function lazy: `auto y = delayed(f)(a, b)` describes a call of `f`; handles among the arguments, also inside
/// vectors, maps and tuples, become inputs of the task.
template <class F>
auto delayed(F&& function, const std::source_location& where = std::source_location::current()) {
  return DelayedFunction<std::decay_t<F>>(std::forward<F>(function), where);
}

/// As above, with options for its tasks: `delayed(load, {.retries = 2, .pure = true})(path)`.
template <class F>
auto delayed(F&& function, TaskOptions options, const std::source_location& where = std::source_location::current()) {
  return AnnotatedFunction<std::decay_t<F>>(std::forward<F>(function), std::move(options), where);
}

/// Makes a value lazy, so that many tasks share one copy of it.
template <class T>
requires(!detail::looks_callable<T>) auto delayed(T&& value,
                                                  const std::source_location& where = std::source_location::current()) {
  using V = std::decay_t<T>;
  return DelayedFunction<detail::GiveValue<V>>(detail::GiveValue<V>{}, where)(std::forward<T>(value));
}

namespace detail {
template <class T, std::size_t... I>
auto unpack_parts(const Delayed<T>& value, const std::source_location& where, std::index_sequence<I...>) {
  return std::tuple(value.template get<I>(where)...);
}
}  // namespace detail

/// Describes the parts of a tuple, pair or array: `auto [quotient, rest] = unpack(delayed(divide)(7, 2));`
template <class T>
auto unpack(const Delayed<T>& value, const std::source_location& where = std::source_location::current()) {
  return detail::unpack_parts(value, where, std::make_index_sequence<std::tuple_size_v<T>>{});
}
/// Describes the first `count` items of a vector.
template <class T>
auto unpack(const Delayed<std::vector<T>>& value, std::size_t count,
            const std::source_location& where = std::source_location::current()) {
  std::vector<Delayed<T>> items;
  items.reserve(count);
  const DelayedFunction<detail::GetItem> get({}, where);
  for (std::size_t i = 0; i < count; ++i) items.push_back(get(value, i));
  return items;
}

namespace detail {
template <auto kMember>
struct CallMember {
  template <class... A>
  requires std::is_invocable_v<decltype(kMember), A&&...>
  auto operator()(A&&... arguments) const { return std::invoke(kMember, std::forward<A>(arguments)...); }
};
}  // namespace detail

/// A const method or a field as a function of its object: `delayed(member<&Shape::area>)(shape, 2.0)`.
template <auto kMember>
inline constexpr detail::CallMember<kMember> member{};

}  // namespace weft
