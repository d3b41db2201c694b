#pragma once

#include <weft/future.hpp>

#include <functional>
#include <type_traits>

// What a future, or a Delayed, is not: its value. Without these the compiler would list the operators of numbers. Part
// of <weft/client.hpp>.

namespace weft {

namespace detail {
template <class T>
inline constexpr bool is_future = false;
template <class T>
inline constexpr bool is_future<Future<T>> = true;
/// Returns whether at least one of two operands is a future, and neither is another kind of handle.
template <class A, class B>
inline constexpr bool is_future_of_two = (is_future<A> || is_future<B>)&&(is_future<A> ||
                                                                          !is_handle<A>)&&(is_future<B> ||
                                                                                           !is_handle<B>);
/// What an operand would be if a future were its value.
template <class A>
struct ReadOperand {
  using type = A;
};
template <class T>
struct ReadOperand<Future<T>> {
  using type = T;
};
template <class A>
using Read = typename ReadOperand<A>::type;
}  // namespace detail

#define WEFT_OPERATOR(SYMBOL, FUNCTION)                                                                            \
  template <class A, class B>                                                                                      \
  requires(detail::is_future_of_two<A, B> &&                                                                       \
           std::is_invocable_v<FUNCTION, const detail::Read<A>&, const detail::Read<B>&>) auto                     \
  operator SYMBOL(const A&, const B&)                                                                              \
      ->std::invoke_result_t<FUNCTION, const detail::Read<A>&, const detail::Read<B>&> {                           \
    static_assert(detail::never<A>, "weft: a Future is not its value: write future.result(), which waits for it"); \
    return std::declval<std::invoke_result_t<FUNCTION, const detail::Read<A>&, const detail::Read<B>&>>();         \
  }
#include <weft/delayed_operators.def>
#undef WEFT_OPERATOR

#define WEFT_OPERATOR(SYMBOL)                                                                                      \
  template <class A, class B>                                                                                      \
  requires std::is_arithmetic_v<A> A& operator SYMBOL(A& sum, const Future<B>&) {                                  \
    static_assert(detail::never<B>, "weft: a Future is not its value: write future.result(), which waits for it"); \
    return sum;                                                                                                    \
  }                                                                                                                \
  template <class A, class B>                                                                                      \
  requires std::is_arithmetic_v<A> A& operator SYMBOL(A& sum, const Delayed<B>&) {                                 \
    static_assert(detail::never<B>,                                                                                \
                  "weft: a Delayed is not a value yet: ask a client for it, client.compute(delayed)");             \
    return sum;                                                                                                    \
  }
WEFT_OPERATOR(+=)
WEFT_OPERATOR(-=)
WEFT_OPERATOR(*=)
WEFT_OPERATOR(/=)
#undef WEFT_OPERATOR

}  // namespace weft
