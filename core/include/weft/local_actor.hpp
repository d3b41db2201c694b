#pragma once

#include <weft/far_actor.hpp>

#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>

// Actors whose object lives in the process that made it. Part of <weft/coordination.hpp>.

namespace weft {

namespace detail {

/// The object of an actor that lives in the process that made it. Owns: the object.  Threading: `object` and `failure`
/// by the turn that runs; turns follow one another. `last_turn` is guarded by the mutex.
template <class T>
struct ActorObject final : ActorCore {
  std::unique_ptr<T> object;
  /// What the constructor threw.
  std::exception_ptr failure;
  Future<Turn> last_turn;
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

}  // namespace weft
