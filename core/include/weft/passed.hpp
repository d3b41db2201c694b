#pragma once

#include <weft/nested_travel.hpp>

#include <utility>

// What a task's function is given for each of its arguments. Part of <weft/bind.hpp>.

namespace weft::detail {

/// The parameter list of a function or of a callable with one signature; unknown for generic ones.
template <class F>
struct Signature {
  template <std::size_t I, class Else>
  using Parameter = Else;
};
template <class... P>
struct KnownSignature {
  template <std::size_t I, class Else>
  using Parameter = typename decltype([] {
    if constexpr (I < sizeof...(P)) {
      return std::type_identity<std::tuple_element_t<I, std::tuple<P...>>>{};
    } else {
      return std::type_identity<Else>{};
    }
  }())::type;
};
template <class R, class... P>
struct Signature<R (*)(P...)> : KnownSignature<P...> {};
template <class R, class... P>
struct Signature<R (*)(P...) noexcept> : KnownSignature<P...> {};
template <class M>
struct MemberSignature;
template <class C, class R, class... P>
struct MemberSignature<R (C::*)(P...) const> : KnownSignature<P...> {};
template <class C, class R, class... P>
struct MemberSignature<R (C::*)(P...) const noexcept> : KnownSignature<P...> {};
template <class C, class R, class... P>
struct MemberSignature<R (C::*)(P...)> : KnownSignature<P...> {};
template <class C, class R, class... P>
struct MemberSignature<R (C::*)(P...) noexcept> : KnownSignature<P...> {};
template <class F>
requires requires { &F::operator(); }
struct Signature<F> : MemberSignature<decltype(&F::operator())> {};

/// What the function receives for a stored argument.
template <class S, bool kMove>
struct Passed {
  using type = std::conditional_t<kMove, S&&, const S&>;
};
template <class S, bool kMove>
requires is_handle<S>
struct Passed<S, kMove> {
  using type = const typename HandleValue<S>::type&;
};
template <class S, bool kMove>
requires(!is_handle<S> && has_handles<S>) struct Passed<S, kMove> {
  using type = decltype(resolve(std::declval<const S&>()));
};

/// What the function receives when it takes containers of handles as they are: a handle itself still gives its value.
template <class S>
struct PassedRaw {
  using type = const S&;
};
template <class S>
requires is_handle<S>
struct PassedRaw<S> {
  using type = const typename HandleValue<S>::type&;
};

/// What the function receives when it takes results by value that cannot be copied.
template <class S>
struct PassedTaken : Passed<S, false> {};
template <class S>
requires is_handle<S>
struct PassedTaken<S> {
  using V = typename HandleValue<S>::type;
  using type = std::conditional_t<std::is_copy_constructible_v<V>, const V&, V&&>;
};

/// Throws: a result that can neither be copied nor encoded is taken by a task, and others need it too.
[[noreturn]] void refuse_to_share(std::string_view type);

/// Returns the value of an input for a task that takes it by value: the value itself when nobody else will look at it,
/// else a copy, made through its encoding where it has no other way.
template <class V>
V own_copy(TaskFrame& frame, std::uint32_t input) {
  V& value = frame.template input<V>(input);
  if (frame.sole_use(input)) {
    frame.note_taken();
    return V(std::move(value));
  }
  if constexpr (std::is_copy_constructible_v<V>) {
    return V(value);
  } else if constexpr (Travels<V>) {
    Writer writer;
    encode(writer, value);
    Reader reader(writer.data(), writer.size());
    return decode<V>(reader);
  } else {
    refuse_to_share(type_name<V>());
  }
}

}  // namespace weft::detail
