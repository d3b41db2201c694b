#pragma once

#include <type_traits>

namespace weft::testing {

/// Whether an argument that is declared as `Ours` reaches a function that takes `Theirs`: the same type, an enumeration
/// of the size of our int, or any pointer for a pointer of ours that is opaque or void.
template <class Ours, class Theirs>
constexpr bool passes() {
  if constexpr (std::is_same_v<Ours, Theirs>) {
    return true;
  } else if constexpr (std::is_enum_v<Theirs>) {
    return std::is_integral_v<Ours> && sizeof(Ours) == sizeof(Theirs);
  } else if constexpr (std::is_integral_v<Ours> && std::is_integral_v<Theirs>) {
    return sizeof(Ours) == sizeof(Theirs) && std::is_signed_v<Ours> == std::is_signed_v<Theirs>;
  } else if constexpr (std::is_pointer_v<Ours> && std::is_pointer_v<Theirs>) {
    using To = std::remove_pointer_t<Theirs>;
    using From = std::remove_pointer_t<Ours>;
    // A pointer to const is not given where it is written through.
    return (!std::is_const_v<From> || std::is_const_v<To>)&&std::is_pointer_v<To> == std::is_pointer_v<From>;
  } else {
    return false;
  }
}

template <class Ours, class Theirs>
struct SameCall : std::false_type {};
template <class R, class... A, class S, class... B>
        struct SameCall<R (*)(A...), S (*)(B...)> : std::bool_constant < sizeof...(A) ==
    sizeof...(B) &&[]() consteval {
  if constexpr (sizeof...(A) == sizeof...(B)) return passes<R, S>() && (passes<A, B>() && ...);
  return false;
}() > {};

static_assert(!SameCall<int (*)(int), int (*)(int, int)>::value);
static_assert(!SameCall<int (*)(int), int (*)(long long)>::value);
static_assert(!SameCall<int (*)(void*), int (*)(void**)>::value);
static_assert(!SameCall<int (*)(const void*), int (*)(void*)>::value);

}  // namespace weft::testing
