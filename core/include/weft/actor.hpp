#pragma once

#include <weft/local_actor.hpp>

namespace weft {

template <class T>
class Actor;

// Turns and what a turn is given stay where the object is.
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
///
/// Where tasks run in other processes the object lives in one of them: its calls run there, and an Actor is an argument
/// of tasks on any worker. With that process everything the object has become is lost, so calls that have not ended,
/// and later ones, fail. An actor that a task makes lives and stays in the task's process.
/// Owns: a share of the object.  Threading: any thread.
template <class T>
class Actor {
 public:
  /// An empty actor, to be assigned to.
  Actor() = default;
  /// Has the object made by a task, from arguments that may be handles.
  template <class... A>
  explicit Actor(const Client& client, A&&... arguments) {
    const auto where = std::source_location::current();
    if (detail::runs_elsewhere(client.serial())) {
      core_ = std::make_shared<detail::ActorCore>();
      core_->far = true;
      core_->home = detail::choose_home(client);
      TaskOptions there;
      there.workers = {core_->home};
      there.name = "actor " + std::string(type_name<T>());
      begin(client, std::move(there));
      construct_far(where, std::forward<A>(arguments)...);
      return;
    }
    auto object = std::make_shared<detail::ActorObject<T>>();
    core_ = object;
    begin(client, {});
    auto given = gather(where, std::forward<A>(arguments)...);
    object->last_turn = core_->client->submit_at(
        where, detail::Construct<T>{}, detail::Ticket<T, Nothing, decltype(given)>{object, {}, std::move(given)});
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
    if (core_ == nullptr) detail::refuse_actor(std::string(type_name<T>()), "is empty: make it with a client");
    if (core_->far) return call_far<R, M>(where, method, std::forward<A>(arguments)...);
    auto object = std::static_pointer_cast<detail::ActorObject<T>>(core_);
    auto given = gather(where, std::forward<A>(arguments)...);
    detail::Ticket<T, M, decltype(given)> ticket{object, std::move(method), std::move(given)};
    Future<detail::Turn> turn;
    {
      const std::lock_guard lock(core_->mutex);
      turn = core_->client->submit_at(where, detail::RunTurn<R>{}, std::move(ticket), object->last_turn);
      object->last_turn = turn;
    }
    return core_->client->submit_at(where, detail::TakeTurn<R>{}, turn);
  }

  /// Writes which actor it is, or finds it.
  template <class Archive>
  friend void weft_fields(Archive& archive, Actor& actor) {
    detail::ActorCore nobody;
    detail::ActorCore& core = actor.core_ != nullptr ? *actor.core_ : nobody;
    std::uint64_t id = core.id;
    std::uint32_t client = core.client_serial;
    std::string type = core.type;
    std::string home = core.home;
    bool far = core.far;
    archive(id, client, type, home, far);
    if constexpr (Archive::kReading) actor.find_again(id, client, type, home, far);
  }

 private:
  template <class Values>
  struct Unpacked;
  template <class... V>
  struct Unpacked<std::tuple<V...>> {
    static constexpr bool travels = (Travels<V> && ...);
    template <class R, class M>
    using Call = detail::FarCall<T, R, M, V...>;
    using Construct = detail::FarConstruct<T, V...>;
    template <class R, class M>
    static Handle perform(const std::shared_ptr<detail::ActorCore>& core, Reader& reader) {
      Actor actor;
      actor.core_ = core;
      M method = detail::read_method<M>(reader);
      std::tuple<V...> values{decode<V>(reader)...};
      return std::apply(
          [&](const V&... value) {
            return actor.template call_far<R, M>(std::source_location::current(), method, value...);
          },
          values);
    }
  };

  void begin(const Client& client, TaskOptions options) {
    core_->client.emplace(client.with(std::move(options)));
    core_->client_serial = client.serial();
    core_->type = type_name<T>();
    detail::register_actor(core_);
  }

  void find_again(std::uint64_t id, std::uint32_t client, const std::string& type, const std::string& home, bool far) {
    core_ = nullptr;
    if (id == 0) return;
    if (type != type_name<T>()) detail::refuse_actor(type, "was asked for as another type");
    core_ = detail::find_actor(id);
    if (core_ != nullptr) return;
    if (!far) detail::refuse_actor(type, "was made in a task and stays in its process");
    core_ = std::make_shared<detail::ActorCore>();
    core_->id = id;
    core_->client_serial = client;
    core_->type = type;
    core_->home = home;
    core_->far = true;
  }

  template <class... A>
  void construct_far(const std::source_location& where, A&&... arguments) {
    using Values = std::tuple<decltype(detail::resolve(std::declval<const detail::Stored<A>&>()))...>;
    if constexpr (Unpacked<Values>::travels) {
      Writer writer;
      Future<Values> gathered;
      detail::FarTicket ticket = write_ticket<Values>(where, writer, gathered, std::forward<A>(arguments)...);
      core_->last = core_->client->submit_at(where, typename Unpacked<Values>::Construct{}, std::move(ticket));
      keep_offer(core_->last, ticket.given);
    } else {
      detail::refuse_actor(core_->type, "is made from arguments that cannot travel to another process");
    }
  }

  template <class R, class M, class... A>
  Future<R> call_far(const std::source_location& where, const M& method, A&&... arguments) const {
    using Values = std::tuple<decltype(detail::resolve(std::declval<const detail::Stored<A>&>()))...>;
    if constexpr (Unpacked<Values>::travels && detail::method_travels<M> && TravelsOrStays<R>) {
      Writer writer;
      detail::write_method(writer, method, where);
      if (detail::runs_at_worker() || (!core_->client && detail::far_client(core_->client_serial) != nullptr)) {
        // Made where the actor is known; arguments that are handles are waited for here.
        if constexpr ((detail::has_handles<detail::Stored<A>> || ...)) {
          write_values(writer, Client::current().submit_at(where, detail::MakeTuple{}, std::forward<A>(arguments)...));
        } else {
          (encode(writer, detail::Stored<A>(std::forward<A>(arguments))), ...);
        }
        const std::string question =
            detail::question_of_call(core_->id, &Unpacked<Values>::template perform<R, M>, writer);
        return Future<R>::adopt(
            detail::ask_for_call(core_->client_serial, question, detail::site_of_arrivals<R>(where)),
            Client::current().serial());
      }
      Future<Values> gathered;
      detail::FarTicket ticket = write_ticket<Values>(where, writer, gathered, std::forward<A>(arguments)...);
      const std::uint64_t given = ticket.given;
      Future<detail::FarTurn> turn;
      {
        const std::lock_guard lock(core_->mutex);
        ticket.number = ++core_->turns;
        turn = core_->client->submit_at(where, typename Unpacked<Values>::template Call<R, M>{}, std::move(ticket),
                                        core_->last);
        core_->last = turn;
      }
      keep_offer(turn, given);
      return core_->client->submit_at(where, detail::TakeFarTurn<R>{}, turn);
    } else {
      detail::refuse_actor(core_->type, "lives in another process, to which this call cannot travel");
    }
  }

  template <class Values, class... A>
  detail::FarTicket write_ticket(const std::source_location& where, Writer& writer, Future<Values>& gathered,
                                 A&&... arguments) const {
    detail::FarTicket ticket;
    ticket.actor = core_->id;
    if constexpr ((detail::has_handles<detail::Stored<A>> || ...)) {
      // A result of its own, so that the failure of an argument stays out of the turns. Workers cannot ask an attached
      // client for it: there it is waited for.
      gathered = core_->client->submit_at(where, detail::MakeTuple{}, std::forward<A>(arguments)...);
      if (detail::far_client(core_->client_serial) != nullptr) {
        write_values(writer, gathered);
      } else {
        ticket.given = detail::offer_end(gathered);
      }
    } else {
      (encode(writer, detail::Stored<A>(std::forward<A>(arguments))), ...);
    }
    ticket.bytes.assign(reinterpret_cast<const char*>(writer.data()), writer.size());
    return ticket;
  }

  template <class Values>
  static void write_values(Writer& writer, const Future<Values>& values) {
    std::apply([&writer](const auto&... value) { (encode(writer, value), ...); }, values.result());
  }

  static void keep_offer(const Future<detail::FarTurn>& turn, std::uint64_t given) {
    if (given != 0) turn.add_done_callback([given](const Future<detail::FarTurn>&) { detail::end_offer(given); });
  }

  template <class... A>
  auto gather(const std::source_location& where, A&&... arguments) const {
    using Values = std::tuple<decltype(detail::resolve(std::declval<const detail::Stored<A>&>()))...>;
    if constexpr ((detail::has_handles<detail::Stored<A>> || ...)) {
      return detail::AwaitedArguments<Values>{
          core_->client->submit_at(where, detail::MakeTuple{}, std::forward<A>(arguments)...)};
    } else {
      return detail::ReadyArguments<Values>{Values(std::forward<A>(arguments)...)};
    }
  }

  std::shared_ptr<detail::ActorCore> core_;
};

}  // namespace weft
