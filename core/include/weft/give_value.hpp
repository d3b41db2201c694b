#pragma once

#include <type_traits>

namespace weft::detail {

struct CallOperator {
  void operator()();
};
template <class T>
struct TwoCallOperators : T, CallOperator {};

/// A callable can be told from a value by being a function or having operator(): of a class with one of its own, be it
/// a template, another one inherited beside it is ambiguous.
template <class T>
consteval bool has_call_operator() {
  if constexpr (std::is_class_v<T> && !std::is_final_v<T>) {
    return !requires { &TwoCallOperators<T>::operator(); };
  } else {
    return requires { &T::operator(); };
  }
}
template <class T>
inline constexpr bool looks_callable = std::is_function_v<std::remove_pointer_t<std::decay_t<T>>> ||
                                       has_call_operator<std::decay_t<T>>();

/// The function of a task that only holds a value.
template <class V>
struct GiveValue {
  V operator()(const V& value) const { return value; }
};

template <class F>
inline constexpr bool gives_value = false;
template <class V>
inline constexpr bool gives_value<GiveValue<V>> = true;

}  // namespace weft::detail
