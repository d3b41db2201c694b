#pragma once

#include <weft/delayed.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class Graph;
namespace detail {
struct GraphParts;
class GraphLoader;
GraphParts& parts_of(Graph& graph);
/// As above: what it refreshes are the ends of ranges that the graph keeps beside them.
const GraphParts& parts_of(const Graph& graph);
}  // namespace detail

/// A task of a graph that has a name, for programs that load the graph.
struct NamedTask {
  std::string name;
  /// Spelling of its result's type.
  std::string type;
  /// `set` may change it.
  bool is_input = false;
};

/// A task graph that is built once and may be run many times, with new inputs each time.
///
///     Graph graph;
///     Delayed<double> x = graph.input(2.0);
///     Delayed<double> y = graph.add(square, x);
///     client.run(graph);                            // y.value() is 4
///     graph.set(x, 3.0);
///     client.run(graph);                            // y.value() is 9
///
/// Owns: its tasks, until it is destroyed; results that a handle or an unfinished task still needs.
/// Threading: one thread at a time builds, sets and runs it.
class Graph {
 public:
  Graph();
  ~Graph();
  Graph(Graph&& other) noexcept;
  Graph& operator=(Graph&& other) noexcept;

#define WEFT_CALL(TYPES, PARAMETERS, ARGUMENTS)                                                            \
  /** Adds a call of `function`; handles among the arguments become inputs of the task. */                 \
  template <class F TYPES>                                                                                 \
  auto add(F&& function PARAMETERS, const std::source_location& where = std::source_location::current()) { \
    return add_at(where, std::forward<F>(function) ARGUMENTS);                                             \
  }
#include <weft/call_overloads.def>
#undef WEFT_CALL

  /// Adds a task whose value `set` changes between runs.
  template <class T>
  auto input(T&& value, const std::source_location& where = std::source_location::current()) {
    using V = std::decay_t<T>;
    return add_at(where, detail::GiveValue<V>{}, std::forward<T>(value));
  }
  /// Gives an input another value for the next run.
  template <class T>
  void set(const Delayed<T>& input, T value) {
    using B = detail::Binding<detail::GiveValue<T>, T>;
    check_settable(input, detail::task_type<detail::GiveValue<T>, T>);
    TaskFrame frame(input.task_id());
    std::get<0>(frame.template closure<typename B::Closure, B::kInRecord>().plain) = std::move(value);
  }

  /// As `add`, with the line of the user's source given by hand.
  template <class F, class... A>
  auto add_at(const std::source_location& where, F&& function, A&&... arguments) {
    using Result = typename detail::Binding<std::decay_t<F>, detail::Stored<A>...>::Result;
    if (--until_sample_ == 0) [[unlikely]]
      begin_sample();
    detail::Connected connected;
    const detail::Place place{cursor_, kWord, serial_};
    const TaskId id =
        detail::write_task(place, where, connected, std::forward<F>(function), std::forward<A>(arguments)...);
    take_in(id, connected);
    if (detail::annotating()) [[unlikely]]
      note_annotated(id);
    if (sampling_) [[unlikely]]
      end_sample();
    return Delayed<Result>::adopt(id);
  }

  /// Names a task of this graph, so that it can be found after loading; a second name for one task is fine.
  void name(std::string_view name, const Handle& task);
  /// Returns the task with this name. Throws ConfigError where there is none, or where it gives no T.
  template <class T>
  Delayed<T> get(std::string_view name) const {
    return Delayed<T>::adopt(find_named(name, weft::value_type<T>));
  }
  /// Gives the input with this name another value for the next run.
  template <class T>
  void set(std::string_view name, T&& value) {
    using V = detail::Stored<T>;
    set(get<V>(name), V(std::forward<T>(value)));
  }
  /// Returns what has a name, in the order of the names.
  std::vector<NamedTask> names() const;

  /// Writes the graph to a file: tasks with their arguments, edges and names; no results. Values from outside that the
  /// graph takes must be there. Throws Error naming the task that cannot leave this process, ConfigError for the file.
  void save(const std::string& path) const;
  /// Reads a graph that this very program (the same executable) has saved; it runs as the one that was built. Throws
  /// ConfigError where the file is damaged, of another version or of another program.
  static Graph load(const std::string& path);

  /// Returns how many tasks it has.
  std::size_t task_count() const;

 private:
  friend detail::GraphParts& detail::parts_of(Graph&);
  friend class detail::GraphLoader;
  /// The first use is the handle's, the second the run's that is to come.
  static constexpr std::uint64_t kWord = task_word::kKept + 2 * task_word::kUse;

  /// Counts a new task's inputs down and remembers where a run must begin with it.
  void take_in(TaskId id, const detail::Connected& connected) {
    if (connected.outside) [[unlikely]]
      add_outside(id);
    if (connected.unfinished == 0 && !connected.foreign) {
      arena::task(id).join.store(0, std::memory_order_relaxed);
      if (roots_end_ == id && !roots_.empty()) {
        roots_end_ = id + 1;
      } else {
        add_root(id);
      }
    } else if (!connected.foreign) {
      arena::task(id).join.store(connected.unfinished, std::memory_order_relaxed);
    } else {
      add_guarded(id, connected.unfinished);
    }
    if (id == end_) [[likely]] {
      ++end_;
    } else {
      begin_range(id);
    }
  }
  void add_root(TaskId id);
  void add_guarded(TaskId id, std::uint32_t unfinished);
  /// Remembers a task with inputs that are not of this graph: it keeps its uses of them for all runs.
  void add_outside(TaskId id);
  void begin_range(TaskId id);
  /// Remembers a task that was described within an Annotate scope: its options are for all runs.
  void note_annotated(TaskId id);
  void begin_sample();
  void end_sample();
  void check_settable(const Handle& input, const TaskType& type) const;
  /// Returns the task with a use that the caller owns.
  TaskId find_named(std::string_view name, const ValueType& type) const;

  arena::Cursor cursor_;
  PacketId serial_;
  TaskId end_ = kNone;
  TaskId roots_end_ = kNone;
  std::uint32_t until_sample_ = 256;  // the first ones pay for fresh memory and say nothing of the others
  bool sampling_ = false;
  struct Root;
  std::vector<std::pair<TaskId, TaskId>> roots_;
  std::unique_ptr<detail::GraphParts> parts_;
};

}  // namespace weft
