// independent, tree, chain, random-dag: a million stored tasks, added one call at a time, run and freed.

#include <weft/client.hpp>
#include <weft/graph.hpp>

#include <limits>
#include <optional>

#include "bench/cases.hpp"
#include "bench/metg.hpp"
#include "bench/shapes.hpp"

namespace weft::bench {
namespace {

using Value = Delayed<std::uint64_t>;

Value add_task(Graph& graph, const Shape& shape, std::uint64_t index, const std::vector<Value>& tasks) {
  const Shape::Inputs in = shape.inputs(index);
  if (in.count == 0) return graph.add(&source_value, index);
  if (in.count == 1) return graph.add(&extend_value, tasks[in.left]);
  return graph.add(&combine_values, tasks[in.left], tasks[in.right]);
}

void check_values(const std::vector<Value>& tasks, const std::vector<std::uint64_t>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (tasks[i].value() != expected[i]) wrong_result("task " + std::to_string(i));
  }
}

struct Times {
  double build = 0;
  double run = 0;
  double free = 0;
  double total() const { return build + run + free; }
};

/// Builds, runs and frees the graph once. `between` is called before the tasks are freed; its time does not count.
template <class Between>
Times measure_once(const Client& client, const Shape& shape, Between&& between) {
  Times times;
  double freeing = 0;
  const double start = seconds_now();
  {
    Graph graph;
    std::vector<Value> tasks;
    tasks.reserve(shape.task_count());
    for (std::uint64_t i = 0; i < shape.task_count(); ++i) tasks.push_back(add_task(graph, shape, i, tasks));
    const double built = seconds_now();
    client.run(graph);
    const double ran = seconds_now();
    between(tasks);
    times.build = built - start;
    times.run = ran - built;
    freeing = seconds_now();
  }
  times.free = seconds_now() - freeing;
  return times;
}

void run_shape(const Case& self, const Arguments& arguments, const Output& output) {
  keep_freed_memory();
  const Shape shape(shape_kind(self.name), static_cast<std::uint64_t>(arguments.integer("tasks", 2)));
  const std::int64_t repeat = arguments.integer("repeat", 1);
  const std::vector<std::uint64_t> expected = shape.expected_values();
  const auto count = static_cast<double>(expected.size());
  const Client client(client_options(arguments));
  const std::int64_t before = resident_bytes();
  std::int64_t after = before;
  Samples warm;
  Times least{std::numeric_limits<double>::max(), 0, 0};
  double cold = 0;
  for (std::int64_t i = 0; i <= repeat; ++i) {
    const Times times = measure_once(client, shape, [&](const std::vector<Value>& tasks) {
      if (i == 0) after = resident_bytes();
      check_values(tasks, expected);
    });
    if (i == 0) {
      cold = times.total();
      continue;
    }
    warm.add(times.total());
    if (times.total() < least.total()) least = times;
  }
  client.reset_ledger();
  measure_once(client, shape, [](const std::vector<Value>&) {});
  const LedgerReport ledger = client.ledger();

  Line line(self.name);
  line.param("tasks", static_cast<std::int64_t>(shape.task_count())).param("scheduler", arguments.text("scheduler"));
  line.param("threads", client.slots()).param("repeat", repeat);
  line.seconds(warm).integer("tasks", static_cast<std::int64_t>(shape.task_count()));
  line.number("us_per_task", least.total() * 1e6 / count).number("us_per_task_cold", cold * 1e6 / count);
  line.number("build_us_per_task", least.build * 1e6 / count).number("run_us_per_task", least.run * 1e6 / count);
  line.number("free_us_per_task", least.free * 1e6 / count).number("tasks_per_second", count / least.total());
  line.number("bytes_per_task", static_cast<double>(after - before) / count).peak().ledger(ledger);
  output.print(line);
}

/// A graph whose first sources are inputs that change from run to run.
/// Owns: the graph and its handles.  Threading: main thread.
struct Rerun {
  Graph graph;
  std::vector<Value> tasks;
  std::vector<Value> inputs;
  std::vector<std::uint64_t> input_tasks;
};

void build_rerun(Rerun& rerun, const Shape& shape, std::uint64_t most_inputs) {
  rerun.tasks.reserve(shape.task_count());
  for (std::uint64_t i = 0; i < shape.task_count(); ++i) {
    if (shape.inputs(i).count == 0 && rerun.inputs.size() < most_inputs) {
      rerun.tasks.push_back(rerun.graph.input(source_value(i)));
      rerun.inputs.push_back(rerun.tasks.back());
      rerun.input_tasks.push_back(i);
    } else {
      rerun.tasks.push_back(add_task(rerun.graph, shape, i, rerun.tasks));
    }
  }
}

void check_rerun(const Rerun& rerun, const Shape& shape, std::uint64_t salt) {
  std::vector<std::uint64_t> expected(shape.task_count());
  std::size_t next_input = 0;
  for (std::uint64_t i = 0; i < shape.task_count(); ++i) {
    const Shape::Inputs in = shape.inputs(i);
    if (next_input < rerun.input_tasks.size() && rerun.input_tasks[next_input] == i) {
      expected[i] = source_value(i) + salt;
      ++next_input;
    } else {
      expected[i] = in.count == 0   ? source_value(i)
                    : in.count == 1 ? extend_value(expected[in.left])
                                    : combine_values(expected[in.left], expected[in.right]);
    }
  }
  check_values(rerun.tasks, expected);
}

void run_relaunch(const Case& self, const Arguments& arguments, const Output& output) {
  keep_freed_memory();
  const Shape shape(shape_kind(arguments.text("shape")), static_cast<std::uint64_t>(arguments.integer("tasks", 2)));
  const std::int64_t repeat = arguments.integer("repeat", 1);
  const auto count = static_cast<double>(shape.task_count());
  const Client client(client_options(arguments));
  double start = seconds_now();
  Rerun rerun;
  build_rerun(rerun, shape, static_cast<std::uint64_t>(arguments.integer("inputs", 1)));
  const double build = seconds_now() - start;
  start = seconds_now();
  client.run(rerun.graph);
  const double first = seconds_now() - start;
  check_rerun(rerun, shape, 0);
  Samples again;
  for (std::int64_t i = 1; i <= repeat; ++i) {
    const auto salt = static_cast<std::uint64_t>(i);
    start = seconds_now();
    for (std::size_t k = 0; k < rerun.inputs.size(); ++k)
      rerun.graph.set(rerun.inputs[k], source_value(rerun.input_tasks[k]) + salt);
    client.run(rerun.graph);
    again.add(seconds_now() - start);
    check_rerun(rerun, shape, salt);
  }
  Line line(self.name);
  line.param("shape", arguments.text("shape")).param("tasks", static_cast<std::int64_t>(shape.task_count()));
  line.param("inputs", static_cast<std::int64_t>(rerun.inputs.size())).param("scheduler", arguments.text("scheduler"));
  line.param("threads", client.slots()).param("repeat", repeat);
  line.seconds(again).integer("tasks", static_cast<std::int64_t>(shape.task_count()));
  line.number("us_per_task", again.min() * 1e6 / count).number("us_per_task_cold", first * 1e6 / count);
  line.number("build_us_per_task", build * 1e6 / count).number("tasks_per_second", count / again.min()).peak();
  output.print(line);
}

}  // namespace

std::vector<Case> shape_cases() {
  const std::vector<Option> options = {{"tasks", "1000000", "tasks of the graph"},
                                       kScheduler,
                                       kThreads,
                                       {"repeat", "5", "warm repetitions; one cold comes before"}};
  std::vector<Option> relaunch = options;
  relaunch.push_back({"shape", "tree", "independent, tree, chain or random-dag"});
  relaunch.push_back({"inputs", "1000", "sources whose value is set before each run"});
  return {
      {"independent", "stored tasks without inputs: build, run, free", options, &run_shape},
      {"tree", "a binary reduction: build, run, free", options, &run_shape},
      {"chain", "each task takes the one before: build, run, free", options, &run_shape},
      {"random-dag", "each task takes two random earlier ones: build, run, free", options, &run_shape},
      {"relaunch", "a built graph run again with other inputs", relaunch, &run_relaunch},
  };
}

}  // namespace weft::bench
