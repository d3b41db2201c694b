#pragma once

#include <weft/future.hpp>
#include <weft/task_options.hpp>

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

/// What `submit` and `map` need of a client; one set of functions for plain and for annotated calls.
class Submitting {
 public:
#define WEFT_CALL(TYPES, PARAMETERS, ARGUMENTS)                                                                     \
  /** Starts a call of `function` and returns its future; handles among the arguments become inputs. */             \
  template <class F TYPES>                                                                                          \
  auto submit(F&& function PARAMETERS, const std::source_location& where = std::source_location::current()) const { \
    return submit_at(where, std::forward<F>(function) ARGUMENTS);                                                   \
  }
#include <weft/call_overloads.def>
#undef WEFT_CALL

  /// As `submit`, with the line of the user's source given by hand.
  template <class F, class... A>
  auto submit_at(const std::source_location& where, F&& function, A&&... arguments) const {
    using Result = typename Binding<std::decay_t<F>, Stored<A>...>::Result;
    const TaskId id = write(where, std::forward<F>(function), std::forward<A>(arguments)...);
    launch(id);
    return Future<Result>::adopt(id, serial_);
  }

  /// Starts one call for each element of `items` and returns their futures in order. The first runs while the later
  /// ones are still being described.
  template <class F, std::ranges::input_range Range, class... A>
  auto map(const F& function, Range&& items, const A&... shared) const {
    return map_at(std::source_location::current(), function, std::forward<Range>(items), shared...);
  }
  template <class F, std::ranges::input_range Range, class... A>
  auto map_at(const std::source_location& where, const F& function, Range&& items, const A&... shared) const {
    using Item = std::ranges::range_value_t<Range>;
    using Result = typename Binding<std::decay_t<F>, Stored<const Item&>, Stored<const A&>...>::Result;
    std::vector<Future<Result>> futures;
    if constexpr (std::ranges::sized_range<Range>) futures.reserve(std::ranges::size(items));
    std::vector<TaskId> batch;
    std::size_t most = 1;
    for (const Item& item : items) {
      batch.push_back(write(where, function, item, shared...));
      futures.push_back(Future<Result>::adopt(batch.back(), serial_));
      if (batch.size() < most) continue;
      launch(batch);
      batch.clear();
      // Small first, so that work begins at once; then large enough for the cost of a launch to vanish.
      if (most < 4096) most *= 2;
    }
    if (!batch.empty()) launch(batch);
    return futures;
  }

  /// Returns the number that the futures of this client carry; no other client of the process has it.
  std::uint32_t serial() const { return serial_; }

 protected:
  Submitting(Runtime* runtime, std::uint32_t serial, std::shared_ptr<const TaskOptions> options)
      : runtime_(runtime), serial_(serial), options_(std::move(options)) {}

  template <class F, class... A>
  TaskId write(const std::source_location& where, F&& function, A&&... arguments) const {
    require_open();
    Connected connected;
    const Place place{arena::thread_cursor(), task_word::kLaunched + 2 * task_word::kUse, kNone};
    const TaskId id = write_task(place, where, connected, std::forward<F>(function), std::forward<A>(arguments)...);
    settle_inputs(id, connected);
    return id;
  }
  void require_open() const;
  void launch(TaskId task) const;
  void launch(const std::vector<TaskId>& tasks) const;

  Runtime* runtime_;
  std::uint32_t serial_;
  std::shared_ptr<const TaskOptions> options_;
};

}  // namespace detail
}  // namespace weft
