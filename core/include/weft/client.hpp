#pragma once

#include <weft/callable.hpp>
#include <weft/client_info.hpp>
#include <weft/config.hpp>
#include <weft/gathering.hpp>
#include <weft/graph.hpp>
#include <weft/journal.hpp>
#include <weft/lazy_collection.hpp>
#include <weft/ledger.hpp>
#include <weft/memory.hpp>
#include <weft/no_compute.hpp>
#include <weft/not_a_value.hpp>
#include <weft/run_again.hpp>

#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <tuple>
#include <vector>

namespace weft {

class Client;
class Runtime;

struct ScatterOptions {
  /// Every worker gets a copy at once.
  bool broadcast = false;
  /// A value whose encoding equals that of one that is still held becomes the same future.
  bool hash = false;
};

/// A client's `submit` and `map` with options: `client.with({.retries = 3}).submit(f, x)`.
class Annotated : public detail::Submitting {
 private:
  friend class Client;
  using Submitting::Submitting;
};

/// Runs tasks: where a program's work goes and its results come from.
///
///     Client client;                                       // threads = cores, memory = what the machine allows
///     Future<int> six = client.submit([](int a, int b) { return a * b; }, 2, 3);
///     std::cout << six.result();
///
/// Owns: the scheduler, the worker, and (through handles) the results. Closing it cancels what has not run.
/// Threading: any thread may use a client; it is opened and closed by one.
class Client : public detail::Gathering {
 public:
  /// Opens a client with options given here, in the environment and in configuration files. `resources` are named
  /// amounts that each worker has, for tasks that ask for them: {{"GPU", 1}, {"licence", 2}}.
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
    launch_needed(lazy, true);
    return persist(lazy).result();
  }
  /// Runs what all of them need, once, and returns their values.
  template <class... T>
  requires(sizeof...(T) > 1) std::tuple<T...> compute(const Delayed<T>&... lazy)
  const {
    detail::check_may_compute("Client::compute");
    launch_all_needed({lazy...}, true);
    const auto futures = std::tuple(persist(lazy)...);
    return std::apply([](const auto&... future) { return std::tuple<T...>(future.result()...); }, futures);
  }
  /// Runs what a container of lazy values needs, once, and returns the container of values.
  template <class C>
  requires(detail::has_handles<C> && !detail::is_handle<C>) auto compute(const C& lazy) const {
    detail::check_may_compute("Client::compute");
    launch_all_needed(listed(lazy), true);
    auto wait = [this](const Handle& handle) { wait_for(handle); };
    detail::visit_handles(lazy, wait);
    return detail::resolve(lazy);
  }

  /// Runs what a lazy collection needs and returns its value.
  template <LazyCollection T>
  typename CollectionTraits<T>::Value compute(const T& lazy) const {
    detail::check_may_compute("Client::compute");
    return CollectionTraits<T>::compute(*this, lazy);
  }
  /// Runs what several collections need, once, and returns their values.
  template <LazyCollection T, class... More>
  requires(sizeof...(More) > 0 && (std::is_same_v<T, More> && ...)) auto compute(const T& lazy,
                                                                                 const More&... more) const {
    detail::check_may_compute("Client::compute");
    return CollectionTraits<T>::compute(*this, lazy, more...);
  }
  /// Starts what a lazy collection needs; the returned one reads the results, which are kept while it exists.
  template <LazyCollection T>
  T persist(const T& lazy) const {
    detail::check_may_compute("Client::persist");
    return CollectionTraits<T>::persist(*this, lazy);
  }

  /// Starts what the lazy value needs and returns its future; the result is kept while a handle exists.
  template <class T>
  Future<T> persist(const Delayed<T>& lazy) const {
    detail::check_may_compute("Client::persist");
    launch_needed(lazy, false);
    arena::add_use(lazy.task_id());
    return Future<T>::adopt(lazy.task_id(), serial_);
  }
  template <class T>
  std::vector<Future<T>> persist(const std::vector<Delayed<T>>& lazy) const {
    detail::check_may_compute("Client::persist");
    launch_all_needed(listed(lazy), false);
    std::vector<Future<T>> futures;
    futures.reserve(lazy.size());
    for (const Delayed<T>& one : lazy) futures.push_back(persist(one));
    return futures;
  }

  /// Runs all tasks of a graph and returns when they have ended; throws what the first failed one threw.
  void run(Graph& graph) const;

  /// Hands a value over to the workers and returns its future.
  template <class T>
  auto scatter(T&& value, const std::source_location& where = std::source_location::current()) const {
    using V = std::decay_t<T>;
    return submit_at(where, detail::GiveValue<V>{}, std::forward<T>(value));
  }
  /// As above, with a copy for each worker, or merged with an equal value that was handed over before.
  template <class T>
  auto scatter(T&& value, const ScatterOptions& options,
               const std::source_location& where = std::source_location::current()) const {
    using V = std::decay_t<T>;
    auto future = with({.pure = options.hash}).submit_at(where, detail::GiveValue<V>{}, std::forward<T>(value));
    if (options.broadcast) replicate(future);
    return future;
  }
  /// Waits for the results (a future, or a container of them) and has them copied until so many workers hold each, or
  /// all: tasks that need them then find them wherever they run. Waits for the copies, but not for a worker that has no
  /// room for one. What is lost later is not copied again.
  template <class C>
  requires detail::has_handles<C>
  void replicate(const C& futures, std::size_t copies = static_cast<std::size_t>(-1)) const {
    replicate_tasks(listed(futures), copies);
  }
  /// Waits for the results and moves them from the workers that hold most to those that hold least, until all hold
  /// about the same. Does not wait for the moves; what is being read stays.
  template <class C>
  requires detail::has_handles<C>
  void rebalance(const C& futures) const { rebalance_tasks(listed(futures)); }
  /// Waits for a future and runs its task again, which must have failed because it threw itself, with the same
  /// arguments; returns a future of what it gives now. Tasks that needed the failed one stay failed: submit them again.
  template <class T>
  Future<T> retry(const Future<T>& failed, const std::source_location& where = std::source_location::current()) const {
    static_cast<void>(failed.exception());
    if (const Handle again = detail::describe_again(failed); again.valid()) {
      arena::add_use(again.task_id());
      return persist(Delayed<T>::adopt(again.task_id()));
    }
    return submit_at(where, detail::RunAgain{}, detail::FailedTask<T>{failed});
  }
#define WEFT_CALL(TYPES, PARAMETERS, ARGUMENTS)                                                            \
  /** Calls `function(arguments...)` once on each worker and returns the results by the workers' names. */ \
  template <class F TYPES>                                                                                 \
  auto run_on_workers(const F& function PARAMETERS,                                                        \
                      const std::source_location& where = std::source_location::current()) const {         \
    return run_on_workers_at(where, function ARGUMENTS);                                                   \
  }
#include <weft/call_overloads.def>
#undef WEFT_CALL
  /// As `run_on_workers`, with the line of the user's source given by hand.
  template <class F, class... A>
  auto run_on_workers_at(const std::source_location& where, const F& function, const A&... arguments) const {
    using Result = typename detail::Binding<F, detail::Stored<const A&>...>::Result;
    std::map<std::string, Future<Result>> futures;
    for (const WorkerInfo& worker : info().workers) {
      futures.emplace(worker.name, with({.workers = {worker.name}}).submit_at(where, function, arguments...));
    }
    return gather(futures);
  }
  /// Calls `function(arguments...)` where the scheduler is, which is the program's own process, and returns what it
  /// returns. Throws Error in tasks of other processes and in a client that is attached.
  template <class F, class... A>
  decltype(auto) run_on_scheduler(F&& function, A&&... arguments) const {
    require_scheduler();
    return std::invoke(std::forward<F>(function), std::forward<A>(arguments)...);
  }
  /// Waits until there are so many workers; throws TimeoutError. In one process there is one, from the start.
  void wait_for_workers(std::size_t count, Seconds longest = Seconds(60)) const;

  /// Returns what the client runs on: workers with their slots, memory, resources and spill folders, and its counts.
  ClientInfo info() const;
  /// Returns the address of the page that shows what this client does (--weft-page); "" where there is none.
  std::string dashboard_link() const;
  /// Returns who holds a result: workers, or "client" where the program itself keeps it; nobody before it is there.
  std::vector<std::string> who_has(const Handle& future) const;
  /// Returns which of these results each worker holds, by the names that errors call them.
  template <class C>
  requires detail::has_handles<C> std::map<std::string, std::vector<std::string>> has_what(const C& futures)
  const { return held_by_workers(listed(futures)); }
  /// Lets workers go, named as `info` lists them: they are dealt nothing more, others take over what they hold, then
  /// they end. Returns at once. Throws Error for a worker that is not there, or that is this process.
  void retire_workers(const std::vector<std::string>& names) const;
  /// Ends the processes of these workers at once, and returns when new ones have taken their places: what they held and
  /// ran is run again, there or elsewhere. Throws Error for a worker that is not there, or that is this process, and
  /// TimeoutError, naming who is not back.
  void restart_workers(const std::vector<std::string>& names, Seconds longest = Seconds(60)) const;
  /// Gives up all that runs and all results, and begins anew with the same settings. Futures and named objects of
  /// before are of a closed client then; notes are kept. Nobody else may use the client meanwhile.
  void restart();
  /// Inside a task: the client that runs it. Elsewhere: the one opened last in this process that is still open.
  static const Client& current();

  /// Notes text under a key, for all parts of the program, tasks included; metadata() returns nothing for an unknown
  /// key.
  void set_metadata(const std::string& key, std::string text) const;
  std::optional<std::string> metadata(const std::string& key) const;
  /// Notes that something happened, with the time; events() returns what was noted of a topic, oldest first. The last
  /// 10,000 of a topic are kept.
  void log_event(const std::string& topic, std::string text) const;
  std::vector<LoggedEvent> events(const std::string& topic) const;

  unsigned slots() const;
  RunCounts counts() const;
  const Settings& settings() const;
  MemoryReport memory() const;
  /// Returns where the time of the slots went since the client was opened, or since reset_ledger().
  LedgerReport ledger() const;
  void reset_ledger() const;
  /// Returns what this run has taken from the journal and what has been written to it (--weft-journal).
  JournalReport journal() const;

 private:
  Client(Settings settings, std::map<std::string, std::uint32_t> resources);
  template <class C>
  static std::vector<Handle> listed(const C& futures) {
    std::vector<Handle> handles;
    auto list = [&](const Handle& handle) { handles.push_back(handle); };
    detail::visit_handles(futures, list);
    return handles;
  }
  void replicate_tasks(const std::vector<Handle>& futures, std::size_t copies) const;
  void rebalance_tasks(const std::vector<Handle>& futures) const;
  std::map<std::string, std::vector<std::string>> held_by_workers(const std::vector<Handle>& futures) const;
  void open(Settings settings);
  void require_scheduler() const;
  /// Throws, if the caller waits, where that would have no end.
  void launch_needed(const Handle& handle, bool waits) const;
  /// As for each of them, but refuses all if they are too large together.
  void launch_all_needed(const std::vector<Handle>& handles, bool waits) const;

  struct Notes;
  std::unique_ptr<Notes> notes_;
  std::shared_ptr<Runtime> owned_;  // shared with whoever started the processes it runs on
};

}  // namespace weft
