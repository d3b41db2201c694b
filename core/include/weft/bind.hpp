#pragma once

#include <weft/callable.hpp>
#include <weft/describe.hpp>
#include <weft/give_value.hpp>
#include <weft/passed.hpp>

#include <utility>

namespace weft::detail {

/// How an argument is kept until the task runs: by value, a string literal as std::string.
template <class A>
struct StoredAs {
  using type = std::decay_t<A>;
};
template <std::size_t N>
struct StoredAs<const char (&)[N]> {
  using type = std::string;
};
template <class A>
using Stored = typename StoredAs<A&&>::type;
template <std::size_t N>
struct StoredAs<char (&)[N]> {
  using type = std::string;
};

template <class T>
inline constexpr bool may_stay_or_travel = TravelsOrStays<T>;

/// Ties a callable and its stored arguments to the one TaskType that runs them.
template <class F, class... S>
struct Binding {
  static constexpr bool kPlainCall = std::is_invocable_v<const F&, typename Passed<S, false>::type...>;
  static constexpr bool kMutableCall = !kPlainCall && std::is_invocable_v<F&, typename Passed<S, true>::type...>;
  static constexpr bool kRawCall =
      !kPlainCall && !kMutableCall && std::is_invocable_v<const F&, typename PassedRaw<S>::type...>;
  static constexpr bool kTakingCall =
      !kPlainCall && !kMutableCall && !kRawCall && std::is_invocable_v<const F&, typename PassedTaken<S>::type...>;
  static_assert(kPlainCall || kMutableCall || kRawCall || kTakingCall,
                "weft: the task's function cannot be called with these arguments (a handle gives its value, const T&)");

  static constexpr auto result_of() {
    if constexpr (kPlainCall) {
      return std::type_identity<std::invoke_result_t<const F&, typename Passed<S, false>::type...>>{};
    } else if constexpr (kMutableCall) {
      return std::type_identity<std::invoke_result_t<F&, typename Passed<S, true>::type...>>{};
    } else if constexpr (kRawCall) {
      return std::type_identity<std::invoke_result_t<const F&, typename PassedRaw<S>::type...>>{};
    } else if constexpr (kTakingCall) {
      return std::type_identity<std::invoke_result_t<const F&, typename PassedTaken<S>::type...>>{};
    } else {
      return std::type_identity<void>{};
    }
  }
  using Raw = std::decay_t<typename decltype(result_of())::type>;
  using Result = std::conditional_t<std::is_void_v<Raw>, Nothing, Raw>;

  using Plain =
      decltype(std::tuple_cat(std::declval<std::conditional_t<is_handle<S>, std::tuple<>, std::tuple<S>>>()...));

  struct Closure {
    [[no_unique_address]] F function;
    [[no_unique_address]] Plain plain;
  };

  static constexpr bool kInRecord =
      sizeof(Closure) <= result_offset(sizeof(Result), value_type<Result>.in_record) && alignof(Closure) <= 8;

  template <std::size_t I>
  static constexpr std::size_t handles_before() {
    constexpr bool kinds[] = {is_handle<S>..., false};
    std::size_t count = 0;
    for (std::size_t i = 0; i != I; ++i) count += kinds[i] ? 1 : 0;
    return count;
  }
  static constexpr std::size_t kHandles = handles_before<sizeof...(S)>();
  static constexpr bool kHasNested = ((!is_handle<S> && (has_handles<S> || tells_handles<S>)) || ...);

  template <std::size_t I>
  using Argument = std::tuple_element_t<I, std::tuple<S...>>;

  /// Returns the I-th argument as the function takes it. A handle's value that is taken by value is moved out of its
  /// producer when nobody else will look at it.
  template <std::size_t I>
  static decltype(auto) argument(Closure& closure, TaskFrame& frame) {
    using A = Argument<I>;
    constexpr std::size_t before = handles_before<I>();
    if constexpr (kRawCall) {
      return raw<I>(closure, frame);
    } else if constexpr (is_handle<A>) {
      using V = typename HandleValue<A>::type;
      constexpr bool kTakes = kTakingCall && !std::is_copy_constructible_v<V>;
      using P = typename Signature<F>::template Parameter<I, std::conditional_t<kTakes, V, const V&>>;
      constexpr bool kWorthIt = kTakes || !std::is_trivially_copyable_v<V>;
      if constexpr ((std::is_same_v<P, V> && kWorthIt) || (std::is_same_v<P, V&&> && kTakes)) {
        return own_copy<V>(frame, before);
      } else {
        return static_cast<const V&>(frame.template input<V>(before));
      }
    } else if constexpr (has_handles<A>) {
      return resolve(std::get<I - before>(closure.plain));
    } else if constexpr (kMutableCall) {
      return static_cast<A&&>(std::get<I - before>(closure.plain));
    } else {
      return static_cast<const A&>(std::get<I - before>(closure.plain));
    }
  }

  template <std::size_t I>
  static decltype(auto) raw(Closure& closure, TaskFrame& frame) {
    using A = Argument<I>;
    if constexpr (is_handle<A>) {
      return static_cast<const typename HandleValue<A>::type&>(
          frame.template input<typename HandleValue<A>::type>(handles_before<I>()));
    } else {
      return static_cast<const A&>(std::get<I - handles_before<I>()>(closure.plain));
    }
  }

  static void run(TaskFrame& frame) {
    // Naming it has the type registered before `main` wherever it may run.
    static_cast<void>(&registered_task_type<Binding>);
    Closure& closure = frame.template closure<Closure, kInRecord>();
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      frame.template emplace<Result>([&]() -> Result {
        if constexpr (std::is_void_v<Raw>) {
          call(closure, argument<I>(closure, frame)...);
          return {};
        } else {
          return call(closure, argument<I>(closure, frame)...);
        }
      });
    }
    (std::index_sequence_for<S...>{});
  }

  template <class... P>
  static decltype(auto) call(Closure& closure, P&&... arguments) {
    if constexpr (kMutableCall) {
      return closure.function(std::forward<P>(arguments)...);
    } else {
      return std::as_const(closure.function)(std::forward<P>(arguments)...);
    }
  }

  static constexpr TaskType make_type();
  static void encode_closure(const void* payload, Writer& writer, const SourceLine& where);
  static void decode_closure(void* payload, Reader& reader);
};

template <class F, class... S>
constexpr TaskType Binding<F, S...>::make_type() {
  TaskType type{};
  type.run = &run;
  if constexpr (!std::is_trivially_destructible_v<Closure> || !kInRecord) {
    type.destroy_closure = [](void* closure) noexcept {
      if constexpr (kInRecord) {
        static_cast<Closure*>(closure)->~Closure();
      } else {
        Closure* boxed;
        std::memcpy(&boxed, closure, sizeof boxed);
        delete boxed;
      }
    };
  }
  type.result = &value_type<Result>;
  type.closure_bytes = sizeof(Closure);
  type.closure_in_record = kInRecord;
  type.repeatable = !kMutableCall;
  type.describe = [](const void* closure, std::string& text) {
    const Closure* place = static_cast<const Closure*>(closure);
    if constexpr (!kInRecord) std::memcpy(&place, closure, sizeof place);
    std::apply([&](const auto&... value) { (describe_any(text, value), ...); }, place->plain);
  };
  type.name = &spelled_name<F>;
  if constexpr (kHandles == 0 && requires(const F& f, FormulaPart& p, const S&... s) { weft_formula(f, p, s...); }) {
    type.formula = [](const void* closure, FormulaPart& part) {
      const Closure* place = static_cast<const Closure*>(closure);
      if constexpr (!kInRecord) std::memcpy(&place, closure, sizeof place);
      std::apply([&](const S&... argument) { weft_formula(place->function, part, argument...); }, place->plain);
    };
  }
  if constexpr (CallableTravels<F> && (argument_travels<S> && ...)) {
    type.encode_closure = &encode_closure;
    type.decode_closure = &decode_closure;
  }
  return type;
}

template <class F, class... S>
void Binding<F, S...>::encode_closure(const void* payload, Writer& writer, const SourceLine& where) {
  const Closure* closure = static_cast<const Closure*>(payload);
  if constexpr (!kInRecord) std::memcpy(&closure, payload, sizeof closure);
  encode_callable(writer, closure->function, where);
  std::apply([&]<class... V>(const V&... value) { (ArgumentCodec<V>::write(writer, value), ...); }, closure->plain);
}

template <class F, class... S>
void Binding<F, S...>::decode_closure(void* payload, Reader& reader) {
  F function = decode_callable<F>(reader);
  if constexpr (kHasNested) DecodedInputs::skip(kHandles);
  Plain plain = [&]<class... V>(std::type_identity<std::tuple<V...>>) {
    return std::tuple<V...>{ArgumentCodec<V>::read(reader)...};
  }(std::type_identity<Plain>{});
  if constexpr (kInRecord) {
    ::new (payload) Closure{std::move(function), std::move(plain)};
  } else {
    Closure* const boxed = new Closure{std::move(function), std::move(plain)};
    std::memcpy(payload, &boxed, sizeof boxed);
  }
}

template <class F, class... S>
inline constexpr TaskType task_type = Binding<F, S...>::make_type();

}  // namespace weft::detail
