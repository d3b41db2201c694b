#pragma once

#include <weft/map_stream.hpp>
#include <weft/task_options.hpp>

#include <atomic>
#include <memory>
#include <ranges>
#include <vector>

// `submit` and `map`. Part of <weft/client.hpp>, which includes it.

namespace weft {

class Client;
class Runtime;

namespace detail {

/// Throws if a task may not be run now because a NoCompute scope is open in this thread.
void check_may_compute(const char* what);

/// How many clients are open in this process.
extern std::atomic<std::uint32_t> open_client_count;
/// Waits for a future of another open client: the tasks of a client wait for its own tasks only.
void wait_if_foreign(const Handle& handle, std::uint32_t client);

/// What `submit` and `map` need of a client; one set of functions for plain and for annotated calls.
class Submitting {
 public:
#define WEFT_CALL(TYPES, PARAMETERS, ARGUMENTS)                                                                        \
  /** Starts a call of `function` and returns its future; handles among the arguments become inputs. */                \
  template <class F TYPES>                                                                                             \
  auto submit(F&& function PARAMETERS, const std::source_location& where = std::source_location::current()) const {    \
    return submit_at(where, std::forward<F>(function) ARGUMENTS);                                                      \
  }                                                                                                                    \
  /** Starts one call for each element of `items`, with further arguments for every call, and returns their futures */ \
  /** in order. The first runs while the later ones are still being described. */                                      \
  template <class F, std::ranges::input_range Range TYPES>                                                             \
  auto map(const F& function, Range&& items PARAMETERS,                                                                \
           const std::source_location& where = std::source_location::current()) const {                                \
    return map_at(where, function, std::forward<Range>(items) ARGUMENTS);                                              \
  }                                                                                                                    \
  /** As `map`, for ranges of any length: gives the results one after the other, with few calls ahead of the one */    \
  /** that is read. */                                                                                                 \
  template <class F, std::ranges::viewable_range Range TYPES>                                                          \
  auto stream(const F& function, Range&& items PARAMETERS,                                                             \
              const std::source_location& where = std::source_location::current()) const {                             \
    return stream_at(where, function, std::forward<Range>(items) ARGUMENTS);                                           \
  }
#include <weft/call_overloads.def>
#undef WEFT_CALL

  /// As `submit`, with the line of the user's source given by hand.
  template <class F, class... A>
  auto submit_at(const std::source_location& where, F&& function, A&&... arguments) const {
    using Result = typename Binding<std::decay_t<F>, Stored<A>...>::Result;
    const TaskId id = write(where, std::forward<F>(function), std::forward<A>(arguments)...);
    return Future<Result>::adopt(launch(id), serial_);
  }

  /// As `map`, with the line of the user's source given by hand.
  template <class F, std::ranges::input_range Range, class... A>
  auto map_at(const std::source_location& where, const F& function, Range&& items, const A&... shared) const {
    using Item = std::ranges::range_value_t<Range>;
    using Result = typename Binding<std::decay_t<F>, Stored<const Item&>, Stored<const A&>...>::Result;
    std::vector<Future<Result>> futures;
    if constexpr (std::ranges::sized_range<Range>) {
      const auto count = static_cast<std::uint64_t>(std::ranges::size(items));
      if (count > kManyTasks) require_room_for(where, count);
      futures.reserve(count);
    }
    std::vector<TaskId> batch;
    MapCall call = begin_map();
    for (const Item& item : items) {
      const TaskId fresh = write(where, function, item, shared...);
      const TaskId id = known(fresh);
      futures.push_back(Future<Result>::adopt(id, serial_));
      if (id == fresh) batch.push_back(id);
      if (batch.size() < call.most) continue;
      launch(batch, call);
      batch.clear();
    }
    if (!batch.empty()) launch(batch, call);
    return futures;
  }

  /// As `stream`, with the line of the user's source given by hand.
  template <class F, std::ranges::viewable_range Range, class... A>
  auto stream_at(const std::source_location& where, const F& function, Range&& items, const A&... shared) const {
    using View = std::views::all_t<Range>;
    using Item = std::ranges::range_value_t<View>;
    using Result = typename Binding<std::decay_t<F>, Stored<Item>, Stored<const A&>...>::Result;
    struct Source {
      Submitting calls;
      std::source_location where;
      std::decay_t<F> function;
      View items;
      std::tuple<Stored<const A&>...> shared;
      std::optional<std::ranges::iterator_t<View>> at;
    };
    const auto source = std::make_shared<Source>(
        Source{*this, where, function, std::views::all(std::forward<Range>(items)), {shared...}, std::nullopt});
    auto start = [source]() -> std::optional<Future<Result>> {
      Source& from = *source;
      if (from.at) {
        ++*from.at;
      } else {
        from.at.emplace(std::ranges::begin(from.items));
      }
      if (*from.at == std::ranges::end(from.items)) return std::nullopt;
      Item item = **from.at;
      return std::apply(
          [&](const auto&... given) {
            return from.calls.submit_at(from.where, from.function, std::move(item), given...);
          },
          from.shared);
    };
    return MapStream<Result>(std::move(start), serial_);
  }

  /// Returns the number that the futures of this client carry; no other client of the process has it.
  std::uint32_t serial() const { return serial_; }

 protected:
  Submitting(Runtime* runtime, std::uint32_t serial, std::shared_ptr<const TaskOptions> options)
      : runtime_(runtime), serial_(serial), options_(std::move(options)) {}

  template <class F, class... A>
  TaskId write(const std::source_location& where, F&& function, A&&... arguments) const {
    require_room();
    if (open_client_count.load(std::memory_order_relaxed) > 1) [[unlikely]]
      (wait_for_foreign(arguments), ...);
    Connected connected;
    const Place place{arena::thread_cursor(), kWord, kNone};
    const TaskId id = write_task(place, where, connected, std::forward<F>(function), std::forward<A>(arguments)...);
    settle_inputs(id, connected);
    return id;
  }
  template <class A>
  void wait_for_foreign(const A& argument) const {
    if constexpr (has_handles<A> || tells_handles<A>) {
      auto wait = [this](const Handle& handle) { wait_if_foreign(handle, serial_); };
      visit_handles(argument, wait);
    }
  }
  /// Throws if the client has been closed.
  void require_open() const;
  /// Throws if nothing may be submitted now: in a NoCompute scope, to a closed client, or where the tasks that are
  /// described and not released take more memory than a graph may take.
  void require_room() const;
  /// Throws if so many more would.
  void require_room_for(const std::source_location& where, std::uint64_t tasks) const;
  /// Returns the task that a described one is equal to, with a use for the caller, or itself.
  TaskId known(TaskId fresh) const {
    return options_ == nullptr && !annotating() ? fresh : known_task(fresh, kWord, serial_, options_.get());
  }
  /// Launches the task, unless it is known already; returns which one it is.
  TaskId launch(TaskId task) const;
  /// What the batches of one `map` share.
  struct MapCall {
    std::size_t most = 1;  // how many tasks the next one has
    bool grows = true;
    std::int64_t begin_ns = 0;  // 0: its tasks have no turns
    std::uint32_t turn = 0;     // of the first of the next one
  };
  MapCall begin_map() const;
  /// Launches a batch, and says how large the next one is.
  void launch(const std::vector<TaskId>& tasks, MapCall& call) const;

  /// The uses are the future's and the run's.
  static constexpr std::uint64_t kWord = task_word::kLaunched + 2 * task_word::kUse;

  /// Fewer tasks than these need no look at the memory before they are described.
  static constexpr std::uint64_t kManyTasks = 100'000;

  Runtime* runtime_;
  std::uint32_t serial_;
  std::shared_ptr<const TaskOptions> options_;
};

}  // namespace detail
}  // namespace weft
