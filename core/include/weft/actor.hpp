#pragma once

#include <weft/waiting.hpp>

#include <tuple>

namespace weft {

namespace detail {

/// How one turn of an actor ended; the next one begins after it, whatever it says.
struct Turn {
  std::shared_ptr<void> value;
  std::exception_ptr error;
};

/// The object of an actor. Owns: the object.  Threading: `object` and `failure` by the turn that runs; turns follow one
/// another. `last` is guarded by the mutex.
template <class T>
struct ActorObject {
  std::unique_ptr<T> object;
  /// What the constructor threw.
  std::exception_ptr failure;
  std::mutex mutex;
  Future<Turn> last;
};

/// Arguments that are there, or that a task of their own gathers: an input of the turn that failed would end all turns.
template <class Values>
struct ReadyArguments {
  Values values;
  Values take() { return std::move(values); }
};
template <class Values>
struct AwaitedArguments {
  Future<Values> future;
  Values take() { return std::move(future).result(); }
};

struct MakeTuple {
  template <class... A>
  std::tuple<A...> operator()(const A&... arguments) const {
    return {arguments...};
  }
};

template <class T, class M, class Arguments>
struct Ticket {
  std::shared_ptr<ActorObject<T>> actor;
  M method;
  Arguments arguments;
};

/// Says that a ticket has no inputs. It is not a message either: it stays where its actor is, so that checking
/// transfers leaves it alone, as all arguments that tell their handles.
template <class T, class M, class Arguments, class Visit>
void weft_handles(const Ticket<T, M, Arguments>&, Visit&&) {}

template <class T>
struct Construct {
  template <class Arguments>
  Turn operator()(Ticket<T, Nothing, Arguments>&& ticket) const {
    try {
      std::apply([&](auto&&... argument) { ticket.actor->object = std::make_unique<T>(std::move(argument)...); },
                 ticket.arguments.take());
    } catch (...) {
      ticket.actor->failure = std::current_exception();
    }
    return {};
  }
};

template <class R>
struct RunTurn {
  template <class T, class M, class Arguments>
  Turn operator()(Ticket<T, M, Arguments>&& ticket, const Turn&) const {
    try {
      if (ticket.actor->failure != nullptr) std::rethrow_exception(ticket.actor->failure);
      auto call = [&](auto&&... argument) -> decltype(auto) {
        return std::invoke(ticket.method, *ticket.actor->object, std::move(argument)...);
      };
      if constexpr (std::is_same_v<R, Nothing>) {
        std::apply(call, ticket.arguments.take());
        return {std::make_shared<Nothing>(), nullptr};
      } else {
        return {std::make_shared<R>(std::apply(call, ticket.arguments.take())), nullptr};
      }
    } catch (...) {
      return {nullptr, std::current_exception()};
    }
  }
};

/// Gives what a turn gave to whoever called.
template <class R>
struct TakeTurn {
  R operator()(const Turn& turn) const {
    if (turn.error != nullptr) std::rethrow_exception(turn.error);
    return std::move(*static_cast<R*>(turn.value.get()));
  }
};

template <class T, class M, class Values>
struct ActorResult;
template <class T, class M, class... A>
struct ActorResult<T, M, std::tuple<A...>> {
  static_assert(std::is_invocable_v<M, T&, A...>,
                "weft: Actor::call: the method cannot be called with these arguments (a handle gives its value)");
  using Raw = std::decay_t<std::invoke_result_t<M, T&, A...>>;
  using type = std::conditional_t<std::is_void_v<Raw>, Nothing, Raw>;
};

}  // namespace detail

template <class T>
class Actor;

// Objects, turns and what a turn is given stay where the object is.
template <class T>
inline constexpr bool local_only<Actor<T>> = true;
template <>
inline constexpr bool local_only<detail::Turn> = true;
template <class T, class M, class A>
inline constexpr bool local_only<detail::Ticket<T, M, A>> = true;

/// An object that one task at a time works on: calls run in the order in which they were made, never at once.
///
///     Actor<Counter> counter(client, 10);
///     Future<int> now = counter.call(&Counter::add, 5);
///
/// A call that throws fails its own future; later ones go on. All calls are made, also those whose futures nobody
/// keeps. The object lives as long as an Actor or a call that has not ended. A method must not wait for a later call.
/// Owns: a share of the object.  Threading: any thread.
template <class T>
class Actor {
 public:
  /// Has the object made by a task, from arguments that may be handles.
  template <class... A>
  explicit Actor(const Client& client, A&&... arguments)
      : client_(client.with({})), actor_(std::make_shared<detail::ActorObject<T>>()) {
    const auto where = std::source_location::current();
    auto given = gather(where, std::forward<A>(arguments)...);
    actor_->last = client_.submit_at(where, detail::Construct<T>{},
                                     detail::Ticket<T, Nothing, decltype(given)>{actor_, {}, std::move(given)});
  }

#define WEFT_CALL(TYPES, PARAMETERS, ARGUMENTS)                                                               \
  /** Calls a method, or a function that takes T& first, with arguments that may be handles. */               \
  template <class M TYPES>                                                                                    \
  auto call(M method PARAMETERS, const std::source_location& where = std::source_location::current()) const { \
    return call_at(where, method ARGUMENTS);                                                                  \
  }
#include <weft/call_overloads.def>
#undef WEFT_CALL

  template <class M, class... A>
  auto call_at(const std::source_location& where, M method, A&&... arguments) const {
    using Values = std::tuple<decltype(detail::resolve(std::declval<const detail::Stored<A>&>()))...>;
    using R = typename detail::ActorResult<T, M, Values>::type;
    auto given = gather(where, std::forward<A>(arguments)...);
    detail::Ticket<T, M, decltype(given)> ticket{actor_, std::move(method), std::move(given)};
    Future<detail::Turn> turn;
    {
      const std::lock_guard lock(actor_->mutex);
      turn = client_.submit_at(where, detail::RunTurn<R>{}, std::move(ticket), actor_->last);
      actor_->last = turn;
    }
    return client_.submit_at(where, detail::TakeTurn<R>{}, turn);
  }

 private:
  template <class... A>
  auto gather(const std::source_location& where, A&&... arguments) const {
    using Values = std::tuple<decltype(detail::resolve(std::declval<const detail::Stored<A>&>()))...>;
    if constexpr ((detail::has_handles<detail::Stored<A>> || ...)) {
      return detail::AwaitedArguments<Values>{
          client_.submit_at(where, detail::MakeTuple{}, std::forward<A>(arguments)...)};
    } else {
      return detail::ReadyArguments<Values>{Values(std::forward<A>(arguments)...)};
    }
  }

  Annotated client_;
  std::shared_ptr<detail::ActorObject<T>> actor_;
};

}  // namespace weft
