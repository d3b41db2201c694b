#pragma once

#include <weft/annotate.hpp>
#include <weft/bind.hpp>

namespace weft::detail {

/// Where a new task is written and how it starts out.
struct Place {
  arena::Cursor& cursor;
  /// Uses and flags the record starts with.
  std::uint64_t word;
  /// What the record's packet field starts with: the graph's serial for a Graph's task, else kNone.
  PacketId owner;
};

/// What connecting a task to its inputs found.
struct Connected {
  /// Inputs that have not ended.
  std::uint32_t unfinished = 0;
  /// Inputs no use was taken of: plain tasks of the same graph.
  std::uint32_t borrowed = 0;
  /// One of them is not of the same graph, so it may end at any time.
  bool foreign = false;
  /// One of them is not of the same unlaunched graph.
  bool outside = false;
};

/// How many open clients check transfers.
extern std::atomic<std::uint32_t> check_transfer;
/// Returns whether closures and results go through their encoding although they stay in this process.
inline bool checking_transfer() { return check_transfer.load(std::memory_order_relaxed) != 0; }
/// Replaces the closure by what its encoding gives; where that throws, the closure is gone.
void resend_closure(TaskRecord& record, const TaskType& type);

[[noreturn]] void throw_empty(const std::source_location& where);
/// Throws if a handle among the arguments is empty.
inline void require_valid(const Handle& handle, const std::source_location& where) {
  if (!handle.valid()) [[unlikely]]
    throw_empty(where);
}
/// Takes the uses of inputs that `connect` borrowed beside others that it did not.
void hold_borrowed(TaskRecord& record) noexcept;
/// Takes inputs that had ended already out of the count of a task whose guard stands.
void settle_inputs(TaskId task, const Connected& connected) noexcept;

/// Adds `consumer` to the consumers of `producer`, and takes a use of it unless that has no effect: the caller settles
/// with `borrowed` whether the consumer borrows.
inline void connect(std::uint32_t edge_id, TaskId producer, TaskId consumer, PacketId owner, Connected& connected) {
  Edge& edge = arena::edge(edge_id);
  TaskRecord& record = arena::task(producer);
  edge.producer = producer;
  edge.consumer = consumer;
  const std::uint64_t link = static_cast<std::uint64_t>(edge_id + 1) << task_word::kEdgeShift;
  constexpr std::uint64_t low = (std::uint64_t{1} << task_word::kEdgeShift) - 1;
  std::uint64_t word = record.word.load(std::memory_order_acquire);
  if (owner != kNone && record.packet == owner) {
    // Of the same graph, which one thread builds: nobody else writes this word now. If it has run, it will run again.
    edge.next = task_word::edge_of(word);
    const bool borrow = (word & task_word::kPlain) != 0;
    record.word.store(((word & low) | link) + (borrow ? 0 : task_word::kUse), std::memory_order_relaxed);
    connected.borrowed += borrow ? 1 : 0;
    ++connected.unfinished;
    return;
  }
  connected.outside = true;
  for (;;) {
    if ((word & task_word::kDone) != 0) {
      if (record.word.compare_exchange_weak(word, word + task_word::kUse, std::memory_order_acq_rel)) return;
    } else {
      edge.next = task_word::edge_of(word);
      if (record.word.compare_exchange_weak(word, ((word & low) | link) + task_word::kUse, std::memory_order_acq_rel)) {
        ++connected.unfinished;
        connected.foreign = true;
        return;
      }
    }
  }
}

/// Settles what a task holds of its inputs, once they are connected.
inline void hold_inputs(TaskRecord& record, const Connected& connected) {
  if (connected.borrowed == 0) return;
  if (connected.borrowed == record.input_count) [[likely]] {
    record.borrows = 1;
  } else {
    hold_borrowed(record);
  }
}

/// Writes a new record; its closure is constructed by the caller, its inputs are connected after that.
inline TaskId open_task(const Place& place, std::uint32_t site, std::uint32_t inputs, std::uint64_t plain) {
  const std::uint32_t first = inputs == 0 ? 0 : arena::allocate_edges(place.cursor, inputs);
  const TaskId id = arena::allocate_task(place.cursor);
  TaskRecord& record = arena::task(id);
  record.word.store(place.word | plain, std::memory_order_relaxed);
  record.join.store(inputs + 1, std::memory_order_relaxed);
  record.site = site;
  record.first_input = first;
  record.input_count = inputs & 0x7fffffffu;
  record.borrows = 0;
  record.packet = place.owner;
  record.link = kNone;
  return id;
}

/// Empties a handle that was moved into the call, so that the task may be the last who needs its value.
template <class A, class T>
void let_go_of_moved(T& argument) {
  if constexpr (is_handle<T> && !std::is_reference_v<A> && !std::is_const_v<A>) argument = T();
}

/// Warns, once a line, that a large argument is copied into a task.
void warn_of_copy(const std::source_location& where, std::size_t bytes);
/// Looks at an argument that is a name, so that a task gets a copy of what it stands for.
template <bool kCopied, class A>
void look_at_copy(const A& argument, const std::source_location& where) {
  constexpr std::size_t kLarge = std::size_t{10} << 20;
  if constexpr (kCopied && InStd<A> && requires {
                  argument.data()[0];
                  argument.size();
                }) {
    const std::size_t bytes = argument.size() * sizeof(argument.data()[0]);
    if (bytes > kLarge) [[unlikely]]
      warn_of_copy(where, bytes);
  }
}

/// Keeps an argument that is not a handle; handles are kept as edges.
template <class A>
auto keep_plain(A&& argument) {
  if constexpr (is_handle<Stored<A>>) {
    return std::tuple<>();
  } else {
    return std::tuple<Stored<A>>(std::forward<A>(argument));
  }
}

template <class F>
void check_callable(const F& function, const std::source_location& where) {
  require_callable_travels<std::decay_t<F>>();
  if constexpr (CallableTraits<std::decay_t<F>>::kind == CallableKind::Bytes) {
    if (checking_transfer()) {
      const auto captured = captured_bytes(function);
      check_capture(&captured, sizeof captured, where);
    }
  }
}

template <class F, class... S>
void check_types() {
  using B = Binding<F, S...>;
  static_assert(may_stay_or_travel<typename B::Result>,
                "weft: the task's result cannot travel between processes: give its type weft_fields(archive, T&) and "
                "a constructor without arguments, or declare weft::local_only<T>");
  static_assert(((has_handles<S> || argument_travels<S> || local_only<S>)&&...),
                "weft: an argument of the task cannot travel between processes: give its type weft_fields(archive, "
                "T&) and a constructor without arguments, or declare weft::local_only<T>; pass data by value, not by "
                "pointer");
}

/// Describes a call as a task: writes its record, closure and edges. The record's join counter still holds its guard.
template <class F, class... A>
TaskId write_task(const Place& place, const std::source_location& where, Connected& connected, F&& function,
                  A&&... arguments) {
  using B = Binding<std::decay_t<F>, Stored<A>...>;
  using Closure = typename B::Closure;
  check_types<std::decay_t<F>, Stored<A>...>();
  check_callable(function, where);
  // All handles are looked at before anything is linked: a call that is refused leaves nothing behind.
  [[maybe_unused]] auto require_direct = [&]<class T>(const T& argument) {
    if constexpr (is_handle<T>) require_valid(argument, where);
  };
  (require_direct(arguments), ...);
  std::uint32_t inputs = B::kHandles;
  if constexpr (B::kHasNested) {
    auto count = [&](const Handle& handle) {
      require_valid(handle, where);
      ++inputs;
    };
    auto count_nested = [&]<class T>(const T& argument) {
      if constexpr (!is_handle<T>) visit_handles(argument, count);
    };
    (count_nested(arguments), ...);
  }
  constexpr bool kPlain =
      value_type<typename B::Result>.in_record && B::kInRecord && std::is_trivially_destructible_v<Closure>;
  const std::uint32_t site =
      find_site(latest_site<std::decay_t<F>, Stored<A>...>, task_type<std::decay_t<F>, Stored<A>...>, where);
  const TaskId id = open_task(place, site, inputs, kPlain ? task_word::kPlain : 0);
  TaskRecord& record = arena::task(id);

  if constexpr (!gives_value<std::decay_t<F>>) (look_at_copy<std::is_lvalue_reference_v<A>>(arguments, where), ...);
  [[maybe_unused]] Closure* closure = nullptr;
  // Before anything is linked: a call whose arguments cannot be copied, or encoded, leaves nothing behind either.
  try {
    auto plain = std::tuple_cat(keep_plain(std::forward<A>(arguments))...);
    if constexpr (B::kInRecord) {
      closure = ::new (static_cast<void*>(record.payload))
          Closure{std::forward<F>(function), typename B::Plain(std::move(plain))};
    } else {
      closure = new Closure{std::forward<F>(function), typename B::Plain(std::move(plain))};
      std::memcpy(record.payload, &closure, sizeof closure);
    }
    if constexpr (!B::kHasNested) {
      if (checking_transfer()) resend_closure(record, task_type<std::decay_t<F>, Stored<A>...>);
    }
  } catch (...) {
    arena::free_record(id);
    throw;
  }

  std::uint32_t edge_id = record.first_input;
  auto join_to = [&](const Handle& handle) { connect(edge_id++, handle.task_id(), id, place.owner, connected); };
  [[maybe_unused]] auto join_direct = [&]<class T>(const T& argument) {
    if constexpr (is_handle<T>) join_to(argument);
  };
  (join_direct(arguments), ...);
  if constexpr (B::kHasNested) {
    std::apply([&](const auto&... kept) { (visit_handles(kept, join_to), ...); }, closure->plain);
  }
  hold_inputs(record, connected);
  (let_go_of_moved<A>(arguments), ...);
  if (annotating()) [[unlikely]]
    annotate_task(id);
  return id;
}

}  // namespace weft::detail
