#pragma once

#include <weft/config.hpp>
#include <weft/future.hpp>
#include <weft/graph.hpp>
#include <weft/ledger.hpp>
#include <weft/memory.hpp>
#include <weft/task_options.hpp>

#include <iterator>
#include <map>
#include <memory>
#include <ranges>
#include <string>
#include <tuple>
#include <vector>

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

/// A client's `submit` and `map` with options: `client.with({.retries = 3}).submit(f, x)`.
class Annotated : public detail::Submitting {
 private:
  friend class Client;
  using Submitting::Submitting;
};

/// What a client runs on.
struct ClientOptions : Options {
  /// Named amounts each worker has, for tasks that ask for them: {{"GPU", 1}, {"licence", 2}}.
  std::map<std::string, std::uint32_t> resources = {};
};

/// How far a client's work is.
struct RunCounts {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::uint64_t failed = 0;
};

/// Runs tasks: where a program's work goes and its results come from.
///
///     Client client;                                       // threads = cores, memory = what the machine allows
///     Future<int> six = client.submit([](int a, int b) { return a * b; }, 2, 3);
///     std::cout << six.result();
///
/// Owns: the scheduler, the worker, and (through handles) the results. Closing it cancels what has not run.
/// Threading: any thread may use a client; it is opened and closed by one.
class Client : public detail::Submitting {
 public:
  /// Opens a client with options given here, in the environment and in configuration files.
  explicit Client(const Options& options = {}, std::map<std::string, std::uint32_t> resources = {});
  /// As above; takes the --weft-* options out of the command line.
  Client(int& argc, char** argv, const Options& options = {}, std::map<std::string, std::uint32_t> resources = {});
  ~Client();
  /// Closes the client now: cancels what has not run, prints the ledger if that is asked for. Returns false if the
  /// budget a task was exceeded and is enforced.
  bool close();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Returns the same client with options for the tasks submitted through it.
  Annotated with(TaskOptions options) const;

  /// Runs what the lazy value needs and returns it.
  template <class T>
  T compute(const Delayed<T>& lazy) const {
    detail::check_may_compute("Client::compute");
    return persist(lazy).result();
  }
  /// Runs what all of them need, once, and returns their values.
  template <class... T>
  requires(sizeof...(T) > 1) std::tuple<T...> compute(const Delayed<T>&... lazy)
  const {
    detail::check_may_compute("Client::compute");
    const auto futures = std::tuple(persist(lazy)...);
    return std::apply([](const auto&... future) { return std::tuple<T...>(future.result()...); }, futures);
  }
  /// Runs what a container of lazy values needs, once, and returns the container of values.
  template <class C>
  requires(detail::has_handles<C> && !detail::is_handle<C>) auto compute(const C& lazy) const {
    detail::check_may_compute("Client::compute");
    auto start = [this](const Handle& handle) { launch_needed(handle); };
    detail::visit_handles(lazy, start);
    auto wait = [this](const Handle& handle) { wait_for(handle); };
    detail::visit_handles(lazy, wait);
    return detail::resolve(lazy);
  }

  /// Starts what the lazy value needs and returns its future; the result is kept while a handle exists.
  template <class T>
  Future<T> persist(const Delayed<T>& lazy) const {
    detail::check_may_compute("Client::persist");
    launch_needed(lazy);
    arena::add_use(lazy.task_id());
    return Future<T>::adopt(lazy.task_id(), serial_);
  }
  template <class T>
  std::vector<Future<T>> persist(const std::vector<Delayed<T>>& lazy) const {
    std::vector<Future<T>> futures;
    futures.reserve(lazy.size());
    for (const Delayed<T>& one : lazy) futures.push_back(persist(one));
    return futures;
  }

  /// Runs all tasks of a graph and returns when they have ended; throws what the first failed one threw.
  void run(Graph& graph) const;

  /// Waits for all futures and returns their results in order.
  template <class T>
  std::vector<T> gather(const std::vector<Future<T>>& futures) const {
    std::vector<T> results;
    results.reserve(futures.size());
    for (const Future<T>& future : futures) results.push_back(future.result());
    return results;
  }
  /// Hands a value over to the workers and returns its future.
  template <class T>
  auto scatter(T&& value, const std::source_location& where = std::source_location::current()) const {
    using V = std::decay_t<T>;
    return submit_at(where, detail::GiveValue<V>{}, std::forward<T>(value));
  }
  /// Asks that none of these is run.
  template <class T>
  void cancel(const std::vector<Future<T>>& futures) const {
    for (const Future<T>& future : futures) future.cancel();
  }

  unsigned slots() const;
  RunCounts counts() const;
  const Settings& settings() const;
  MemoryReport memory() const;
  /// Returns where the time of the slots went since the client was opened, or since reset_ledger().
  LedgerReport ledger() const;
  void reset_ledger() const;

 private:
  Client(Settings settings, std::map<std::string, std::uint32_t> resources);
  void launch_needed(const Handle& handle) const;
  void wait_for(const Handle& handle) const;

  std::shared_ptr<Runtime> owned_;  // shared with whoever started the processes it runs on
};

/// While one is open in a thread, computing anything in that thread is an error: shows hidden computations.
class NoCompute {
 public:
  NoCompute();
  ~NoCompute();
  NoCompute(const NoCompute&) = delete;
  NoCompute& operator=(const NoCompute&) = delete;
};

}  // namespace weft
