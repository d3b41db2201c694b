#pragma once

#include <weft/task_type.hpp>

#include <array>
#include <map>
#include <type_traits>
#include <vector>

namespace weft {

template <class T>
class Delayed;
template <class T>
class Future;

namespace detail {

template <class>
inline constexpr bool never = false;

/// Keeps a value where it is while it is read.
class PinnedValue {
 public:
  PinnedValue(void* value, Box* box) : value_(value), box_(box) {}
  PinnedValue(const PinnedValue&) = delete;
  PinnedValue& operator=(const PinnedValue&) = delete;
  ~PinnedValue() {
    if (box_ != nullptr) unpin();
  }
  void* value() const { return value_; }

 private:
  void unpin() noexcept;
  void* value_;
  Box* box_;
};

/// Pins the finished value of a handle; throws what the task ended with.
PinnedValue finished_value(const Handle& handle, const ValueType& type);

// --- What an argument is: a plain value, a handle, or a container with handles in it -------------------------------

template <class T>
struct HandleValue {
  static constexpr bool is_handle = false;
};
template <class T>
struct HandleValue<Delayed<T>> {
  static constexpr bool is_handle = true;
  using type = T;
};
template <class T>
struct HandleValue<Future<T>> {
  static constexpr bool is_handle = true;
  using type = T;
};

template <class T>
inline constexpr bool is_handle = HandleValue<T>::is_handle;

/// Containers of handles: how to visit them, and the container of values that the function receives.
template <class T>
struct Nested {
  static constexpr bool has_handles = is_handle<T>;
};

template <class T>
inline constexpr bool has_handles = Nested<T>::has_handles;

template <class T>
auto resolve(const T& argument);

template <class T, class A>
struct Nested<std::vector<T, A>> {
  static constexpr bool has_handles = detail::has_handles<T>;
  template <class Visit>
  static void visit(const std::vector<T, A>& values, Visit& visit_handle);
  static auto resolve(const std::vector<T, A>& values);
};
template <class T, std::size_t N>
struct Nested<std::array<T, N>> {
  static constexpr bool has_handles = detail::has_handles<T>;
  template <class Visit>
  static void visit(const std::array<T, N>& values, Visit& visit_handle);
  static auto resolve(const std::array<T, N>& values);
};
template <class K, class T, class C, class A>
struct Nested<std::map<K, T, C, A>> {
  static constexpr bool has_handles = detail::has_handles<T>;
  template <class Visit>
  static void visit(const std::map<K, T, C, A>& values, Visit& visit_handle);
  static auto resolve(const std::map<K, T, C, A>& values);
};
template <class A, class B>
struct Nested<std::pair<A, B>> {
  static constexpr bool has_handles = detail::has_handles<A> || detail::has_handles<B>;
  template <class Visit>
  static void visit(const std::pair<A, B>& values, Visit& visit_handle);
  static auto resolve(const std::pair<A, B>& values);
};
template <class... T>
struct Nested<std::tuple<T...>> {
  static constexpr bool has_handles = (detail::has_handles<T> || ...);
  template <class Visit>
  static void visit(const std::tuple<T...>& values, Visit& visit_handle);
  static auto resolve(const std::tuple<T...>& values);
};

/// Calls `visit` for every handle in an argument.
template <class T, class Visit>
void visit_handles(const T& argument, Visit& visit) {
  if constexpr (is_handle<T>) {
    visit(argument);
  } else if constexpr (requires { weft_handles(argument, visit); }) {
    weft_handles(argument, visit);
  } else if constexpr (has_handles<T>) {
    Nested<T>::visit(argument, visit);
  }
}

struct IgnoreHandles {
  void operator()(const Handle&) const {}
};

/// A struct tells its handles by a free function `weft_handles(const S&, auto&& visit)`.
template <class T>
inline constexpr bool tells_handles = requires(const T& value, IgnoreHandles& visit) {
  weft_handles(value, visit);
};

template <class T, class A>
template <class Visit>
void Nested<std::vector<T, A>>::visit(const std::vector<T, A>& values, Visit& visit_handle) {
  for (const T& value : values) visit_handles(value, visit_handle);
}
template <class T, class A>
auto Nested<std::vector<T, A>>::resolve(const std::vector<T, A>& values) {
  std::vector<decltype(detail::resolve(values[0]))> resolved;
  resolved.reserve(values.size());
  for (const T& value : values) resolved.push_back(detail::resolve(value));
  return resolved;
}
template <class T, std::size_t N>
template <class Visit>
void Nested<std::array<T, N>>::visit(const std::array<T, N>& values, Visit& visit_handle) {
  for (const T& value : values) visit_handles(value, visit_handle);
}
template <class T, std::size_t N>
auto Nested<std::array<T, N>>::resolve(const std::array<T, N>& values) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<decltype(detail::resolve(values[0])), N>{detail::resolve(values[I])...};
  }
  (std::make_index_sequence<N>{});
}
template <class K, class T, class C, class A>
template <class Visit>
void Nested<std::map<K, T, C, A>>::visit(const std::map<K, T, C, A>& values, Visit& visit_handle) {
  for (const auto& [key, value] : values) visit_handles(value, visit_handle);
}
template <class K, class T, class C, class A>
auto Nested<std::map<K, T, C, A>>::resolve(const std::map<K, T, C, A>& values) {
  std::map<K, decltype(detail::resolve(std::declval<const T&>())), C> resolved;
  for (const auto& [key, value] : values) resolved.emplace_hint(resolved.end(), key, detail::resolve(value));
  return resolved;
}
template <class A, class B>
template <class Visit>
void Nested<std::pair<A, B>>::visit(const std::pair<A, B>& values, Visit& visit_handle) {
  visit_handles(values.first, visit_handle);
  visit_handles(values.second, visit_handle);
}
template <class A, class B>
auto Nested<std::pair<A, B>>::resolve(const std::pair<A, B>& values) {
  return std::pair(detail::resolve(values.first), detail::resolve(values.second));
}
template <class... T>
template <class Visit>
void Nested<std::tuple<T...>>::visit(const std::tuple<T...>& values, Visit& visit_handle) {
  std::apply([&](const T&... value) { (visit_handles(value, visit_handle), ...); }, values);
}
template <class... T>
auto Nested<std::tuple<T...>>::resolve(const std::tuple<T...>& values) {
  return std::apply([](const T&... value) { return std::tuple(detail::resolve(value)...); }, values);
}

template <class T>
auto resolve(const T& argument) {
  if constexpr (is_handle<T>) {
    using V = typename HandleValue<T>::type;
    const PinnedValue pinned = finished_value(argument, value_type<V>);
    return V(*static_cast<const V*>(pinned.value()));
  } else if constexpr (has_handles<T>) {
    return Nested<T>::resolve(argument);
  } else {
    return argument;
  }
}

}  // namespace detail
}  // namespace weft
