#pragma once

#include <weft/waiting.hpp>

#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <tuple>

// Actors whose object lives in a worker's process. Part of <weft/coordination.hpp>.

namespace weft::detail {

/// Stands for a turn that has been taken: what it gave is kept where the object is until it is fetched.
struct FarTurn {
  std::uint64_t actor = 0;
  std::uint64_t number = 0;
};

/// What a turn is told: whose it is, and the method and arguments as bytes. `given` names a result of the client's
/// process that holds the arguments instead, 0: they are here.
struct FarTicket {
  std::uint64_t actor = 0;
  std::uint64_t number = 0;
  std::uint64_t given = 0;
  std::string bytes;
};

/// Returns true where methods of this type can be named in another process.
template <class M>
inline constexpr bool method_travels = std::is_member_function_pointer_v<M> || CallableTravels<M>;

void write_member(Writer& writer, const void* pointer, std::size_t size);
void read_member(Reader& reader, void* pointer, std::size_t size);

template <class M>
void write_method(Writer& writer, const M& method, const std::source_location& where) {
  if constexpr (std::is_member_function_pointer_v<M>) {
    write_member(writer, &method, sizeof method);
  } else {
    encode_callable(writer, method, where);
  }
}
template <class M>
M read_method(Reader& reader) {
  if constexpr (std::is_member_function_pointer_v<M>) {
    M method;
    read_member(reader, &method, sizeof method);
    return method;
  } else {
    return decode_callable<M>(reader);
  }
}

/// How a turn ended; the next one begins after it, whatever it says.
struct Turn {
  std::shared_ptr<void> value;
  std::exception_ptr error;
};

/// An actor's object in the process it lives in.
/// Owns: the object, and what turns gave until that is fetched.  Threading: the object by the turn that runs; `ends` is
/// guarded by the mutex.
struct ActorHome {
  std::shared_ptr<void> object;
  /// What the constructor threw.
  std::exception_ptr failure;
  std::mutex mutex;
  std::map<std::uint64_t, Turn> ends;
};

/// Makes room for an actor in this process.
std::shared_ptr<ActorHome> make_actor_home(std::uint64_t actor);
/// Throws Error if the actor does not live here: it did in a process that is gone.
std::shared_ptr<ActorHome> actor_home(std::uint64_t actor);
void drop_actor_home(std::uint64_t actor);
void keep_end(ActorHome& home, std::uint64_t number, Turn turn);
/// Returns what a turn gave and forgets it; throws what it threw.
std::shared_ptr<void> take_end(const FarTurn& turn);

/// What the holders of an actor share. Owns: the end of the actor's turns in the client's process, whose end drops the
/// object.  Threading: `last` is guarded by the mutex.
struct ActorCore {
  virtual ~ActorCore();

  std::uint64_t id = 0;
  std::uint32_t client_serial = 0;
  std::string type;
  /// Lives in a worker's process, with this name.
  bool far = false;
  std::string home;
  /// Submits turns; none for a reference in another process.
  std::optional<Annotated> client;
  std::mutex mutex;
  Future<FarTurn> last;
  std::uint64_t turns = 0;
};

/// Gives the core its number, by which others find it.
void register_actor(const std::shared_ptr<ActorCore>& core);
/// Returns an actor that was made in this process and is still there, or null.
std::shared_ptr<ActorCore> find_actor(std::uint64_t id);
/// Returns whether tasks of the client run in other processes, seen from its own.
bool runs_elsewhere(std::uint32_t client) noexcept;
/// Returns the name of the worker that shall hold the next actor.
std::string choose_home(const Client& client);
[[noreturn]] void refuse_actor(const std::string& type, const char* why);

/// Lets other processes ask for the end of a task for as long as the offer stands.
std::uint64_t offer_end(const Handle& task);
void end_offer(std::uint64_t offer) noexcept;
Handle offered_task(std::uint64_t offer);
/// Returns a task of this process that ends as the offered one.
TaskId fetch_offered(std::uint64_t offer, std::uint32_t site);

/// A call that was made in another process, made again here. Returns the call's future.
using PerformCall = Handle (*)(const std::shared_ptr<ActorCore>& core, Reader& reader);
std::string question_of_call(std::uint64_t actor, PerformCall perform, const Writer& call);
Handle perform_call(Reader& reader);
TaskId ask_for_call(std::uint32_t client, const std::string& question, std::uint32_t site);

/// Returns the arguments of a turn: from its bytes, or from the client's process.
template <class... A>
std::tuple<A...> arguments_of(const FarTicket& ticket, Reader& reader) {
  if (ticket.given == 0) return std::tuple<A...>{decode<A>(reader)...};
  using Values = std::tuple<A...>;
  return Future<Values>::adopt(fetch_offered(ticket.given, site_of_arrivals<Values>()), Client::current().serial())
      .result();
}

/// Makes the object of an actor; its first turn.
template <class T, class... A>
struct FarConstruct {
  FarTurn operator()(const FarTicket& ticket) const {
    const std::shared_ptr<ActorHome> home = make_actor_home(ticket.actor);
    try {
      Reader reader(ticket.bytes.data(), ticket.bytes.size());
      home->object = std::apply([](auto&&... argument) { return std::make_shared<T>(std::move(argument)...); },
                                arguments_of<A...>(ticket, reader));
    } catch (...) {
      home->failure = std::current_exception();
    }
    return {ticket.actor, ticket.number};
  }
};

/// Takes a turn: calls the method and keeps what it gives.
template <class T, class R, class M, class... A>
struct FarCall {
  FarTurn operator()(const FarTicket& ticket, const FarTurn&) const {
    const std::shared_ptr<ActorHome> home = actor_home(ticket.actor);
    Turn turn;
    try {
      if (home->failure != nullptr) std::rethrow_exception(home->failure);
      Reader reader(ticket.bytes.data(), ticket.bytes.size());
      const M method = read_method<M>(reader);
      auto call = [&](auto&&... argument) -> decltype(auto) {
        return std::invoke(method, *static_cast<T*>(home->object.get()), std::move(argument)...);
      };
      if constexpr (std::is_same_v<R, Nothing>) {
        std::apply(call, arguments_of<A...>(ticket, reader));
        turn.value = std::make_shared<Nothing>();
      } else {
        turn.value = std::make_shared<R>(std::apply(call, arguments_of<A...>(ticket, reader)));
      }
    } catch (...) {
      turn.error = std::current_exception();
    }
    keep_end(*home, ticket.number, std::move(turn));
    return {ticket.actor, ticket.number};
  }
};

/// Gives what a turn gave to whoever called.
template <class R>
struct TakeFarTurn {
  R operator()(const FarTurn& turn) const { return std::move(*static_cast<R*>(take_end(turn).get())); }
};

struct DropFar {
  void operator()(std::uint64_t actor, const FarTurn&) const { drop_actor_home(actor); }
};

}  // namespace weft::detail
