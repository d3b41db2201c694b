#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weft {

/// A list of types as a value, for deduction.
template <class... T>
struct Types {};

/// For type_name, beside which it stands: the compiler spells names as they are written from here.
template <class T>
constexpr std::string_view find_type_name() {
  std::string_view text = __PRETTY_FUNCTION__;  // "... find_type_name() [with T = int; std::string_view = ...]"
  text.remove_prefix(text.find("T = ") + 4);
  const std::size_t end = text.find("; std::string_view = ");
  return text.substr(0, end == std::string_view::npos ? text.size() - 1 : end);
}

namespace detail {
// Found when the program is compiled: every number that is read names its type.
template <class T>
inline constexpr std::string_view kTypeName = find_type_name<T>();
}  // namespace detail

/// Returns the spelling of `T`, as the compiler writes it.
template <class T>
constexpr std::string_view type_name() {
  return detail::kTypeName<T>;
}

namespace detail {

inline constexpr std::size_t kMostFields = 16;

template <class T>
struct AnyBaseOf {
  template <class U>
  requires(std::is_base_of_v<U, T> && !std::is_same_v<U, T>) constexpr operator U() const;
};

// Each field is given an empty brace: unlike a value it cannot be spread over the elements of an array.
template <class T, std::size_t kCount>
consteval bool takes_braces() {
  if constexpr (kCount == 0) {
    return requires { T{}; };
  } else if constexpr (kCount == 1) {
    return requires { T{{}}; };
  } else if constexpr (kCount == 2) {
    return requires { T{{}, {}}; };
  } else if constexpr (kCount == 3) {
    return requires { T{{}, {}, {}}; };
  } else if constexpr (kCount == 4) {
    return requires { T{{}, {}, {}, {}}; };
  } else if constexpr (kCount == 5) {
    return requires { T{{}, {}, {}, {}, {}}; };
  } else if constexpr (kCount == 6) {
    return requires { T{{}, {}, {}, {}, {}, {}}; };
  } else if constexpr (kCount == 7) {
    return requires { T{{}, {}, {}, {}, {}, {}, {}}; };
  } else if constexpr (kCount == 8) {
    return requires { T{{}, {}, {}, {}, {}, {}, {}, {}}; };
  } else if constexpr (kCount == 9) {
    return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}}; };
  } else if constexpr (kCount == 10) {
    return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; };
  } else if constexpr (kCount == 11) {
    return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; };
  } else if constexpr (kCount == 12) {
    return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; };
  } else if constexpr (kCount == 13) {
    return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; };
  } else if constexpr (kCount == 14) {
    return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; };
  } else if constexpr (kCount == 15) {
    return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; };
  } else if constexpr (kCount == 16) {
    return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; };
  } else {
    return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; };
  }
}

template <class T, std::size_t kCount = 0>
consteval std::size_t count_fields() {
  if constexpr (kCount > kMostFields) {
    return kCount;
  } else if constexpr (takes_braces<T, kCount + 1>()) {
    return count_fields<T, kCount + 1>();
  } else {
    return kCount;
  }
}

template <class T>
consteval bool is_plain_struct() {
  if constexpr (!std::is_class_v<T> || !std::is_aggregate_v<T> || std::is_const_v<T>) {
    return false;
  } else if constexpr (!takes_braces<T, 0>() || std::is_polymorphic_v<T>) {
    return false;
  } else if constexpr (requires { T{AnyBaseOf<T>{}}; }) {
    return false;  // has a base: its fields cannot be told from the base's
  } else {
    return count_fields<T>() <= kMostFields;
  }
}

}  // namespace detail

/// A struct whose fields weft finds by itself: an aggregate without bases, with at most 16 fields, each of which can be
/// made from nothing. (Not: bit-fields and anonymous unions, which the language cannot take apart.)
template <class T>
concept PlainStruct = detail::is_plain_struct<T>();

/// Returns `use(field...)`, the fields of `value` by reference, in the order of their declaration.
template <class T, class F>
requires PlainStruct<std::remove_const_t<T>>
constexpr decltype(auto) with_fields(T& value, F&& use) {
  constexpr std::size_t count = detail::count_fields<std::remove_const_t<T>>();
  if constexpr (count == 0) {
    return use();
  } else if constexpr (count == 1) {
    auto& [a] = value;
    return use(a);
  } else if constexpr (count == 2) {
    auto& [a, b] = value;
    return use(a, b);
  } else if constexpr (count == 3) {
    auto& [a, b, c] = value;
    return use(a, b, c);
  } else if constexpr (count == 4) {
    auto& [a, b, c, d] = value;
    return use(a, b, c, d);
  } else if constexpr (count == 5) {
    auto& [a, b, c, d, e] = value;
    return use(a, b, c, d, e);
  } else if constexpr (count == 6) {
    auto& [a, b, c, d, e, f] = value;
    return use(a, b, c, d, e, f);
  } else if constexpr (count == 7) {
    auto& [a, b, c, d, e, f, g] = value;
    return use(a, b, c, d, e, f, g);
  } else if constexpr (count == 8) {
    auto& [a, b, c, d, e, f, g, h] = value;
    return use(a, b, c, d, e, f, g, h);
  } else if constexpr (count == 9) {
    auto& [a, b, c, d, e, f, g, h, i] = value;
    return use(a, b, c, d, e, f, g, h, i);
  } else if constexpr (count == 10) {
    auto& [a, b, c, d, e, f, g, h, i, j] = value;
    return use(a, b, c, d, e, f, g, h, i, j);
  } else if constexpr (count == 11) {
    auto& [a, b, c, d, e, f, g, h, i, j, k] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k);
  } else if constexpr (count == 12) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k, l);
  } else if constexpr (count == 13) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k, l, m);
  } else if constexpr (count == 14) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n);
  } else if constexpr (count == 15) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
  } else if constexpr (count == 16) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
  }
}

namespace detail {

template <class T>
constexpr auto field_types(T& value) {
  return with_fields(value, []<class... F>(F&...) { return Types<F...>{}; });
}

/// The types of a plain struct's fields, as Types<...>.
template <class T>
using FieldTypes = decltype(field_types(std::declval<T&>()));

}  // namespace detail
}  // namespace weft
