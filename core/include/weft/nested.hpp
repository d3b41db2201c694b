#pragma once

#include <weft/task_type.hpp>

#include <array>
#include <concepts>
#include <map>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <variant>
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
template <class K, class T, class H, class E, class A>
struct Nested<std::unordered_map<K, T, H, E, A>> {
  static constexpr bool has_handles = detail::has_handles<T>;
  template <class Visit>
  static void visit(const std::unordered_map<K, T, H, E, A>& values, Visit& visit_handle);
  static auto resolve(const std::unordered_map<K, T, H, E, A>& values);
};
template <class T>
struct Nested<std::optional<T>> {
  static constexpr bool has_handles = detail::has_handles<T>;
  template <class Visit>
  static void visit(const std::optional<T>& value, Visit& visit_handle);
  static auto resolve(const std::optional<T>& value);
};
template <class... T>
struct Nested<std::variant<T...>> {
  static constexpr bool has_handles = (detail::has_handles<T> || ...);
  template <class Visit>
  static void visit(const std::variant<T...>& value, Visit& visit_handle);
  static auto resolve(const std::variant<T...>& value);
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
/// Returns the elements of an unordered map by their keys. Handles are told in this order, so that it is the same in
/// every process and for every copy.
template <class M>
auto by_key(const M& values) {
  static_assert(std::totally_ordered<typename M::key_type>,
                "weft: the keys of an unordered_map of handles need an order: give their type operator<=>, or use a "
                "std::map");
  struct Earlier {
    bool operator()(const typename M::key_type* left, const typename M::key_type* right) const {
      return *left < *right;
    }
  };
  std::map<const typename M::key_type*, const typename M::mapped_type*, Earlier> ordered;
  for (const auto& [key, value] : values) ordered.emplace(&key, &value);
  return ordered;
}

template <class K, class T, class H, class E, class A>
template <class Visit>
void Nested<std::unordered_map<K, T, H, E, A>>::visit(const std::unordered_map<K, T, H, E, A>& values,
                                                      Visit& visit_handle) {
  for (const auto& [key, value] : by_key(values)) visit_handles(*value, visit_handle);
}
template <class K, class T, class H, class E, class A>
auto Nested<std::unordered_map<K, T, H, E, A>>::resolve(const std::unordered_map<K, T, H, E, A>& values) {
  std::unordered_map<K, decltype(detail::resolve(std::declval<const T&>())), H, E> resolved;
  resolved.reserve(values.size());
  for (const auto& [key, value] : values) resolved.emplace(key, detail::resolve(value));
  return resolved;
}
template <class T>
template <class Visit>
void Nested<std::optional<T>>::visit(const std::optional<T>& value, Visit& visit_handle) {
  if (value) visit_handles(*value, visit_handle);
}
template <class T>
auto Nested<std::optional<T>>::resolve(const std::optional<T>& value) {
  using Resolved = std::optional<decltype(detail::resolve(*value))>;
  return value ? Resolved(detail::resolve(*value)) : Resolved();
}
template <class... T>
template <class Visit>
void Nested<std::variant<T...>>::visit(const std::variant<T...>& value, Visit& visit_handle) {
  std::visit([&](const auto& held) { visit_handles(held, visit_handle); }, value);
}
template <class... T>
auto Nested<std::variant<T...>>::resolve(const std::variant<T...>& value) {
  using Resolved = std::variant<decltype(detail::resolve(std::declval<const T&>()))...>;
  // By place: two alternatives may become the same type.
  std::optional<Resolved> resolved;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    static_cast<void>(((value.index() == I &&
                        (resolved.emplace(std::in_place_index<I>, detail::resolve(*std::get_if<I>(&value))), true)) ||
                       ...));
  }
  (std::index_sequence_for<T...>{});
  return std::move(resolved).value();
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
