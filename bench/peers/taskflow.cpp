// Taskflow: one tf::Task a task, edges by succeed(), one executor for all graphs.

#include <atomic>
#include <taskflow/taskflow.hpp>
#include <vector>

#include "bench/peers/peer.hpp"

namespace weft::bench {
namespace {

// Outside the closures, which so stay within std::function's small buffer: the cheapest way to use Taskflow.
std::uint64_t* shape_values = nullptr;
const Pattern* running_pattern = nullptr;
Payload* pattern_outputs = nullptr;
std::int64_t kernel_iterations = 0;

/// Owns: the executor and its threads.  Threading: main thread.
class TaskflowPeer final : public Peer {
 public:
  explicit TaskflowPeer(int threads) : executor_(static_cast<std::size_t>(threads)) {
    // Each worker takes one of these, since none ends before all have begun.
    std::atomic<int> arrived{0};
    for (int i = 0; i < threads; ++i) {
      executor_.silent_async([&arrived, threads] {
        pin_this_thread(arrived.fetch_add(1));
        while (arrived.load() < threads) std::this_thread::yield();
      });
    }
    executor_.wait_for_all();
  }

  std::string name() const override { return "taskflow"; }
  std::string version() const override {
    return std::to_string(TF_VERSION / 100000) + "." + std::to_string(TF_VERSION / 100 % 1000) + "." +
           std::to_string(TF_VERSION % 100);
  }

  void run_shape(const Shape& shape, std::uint64_t* values, const Finished& finished) override {
    tf::Taskflow graph;
    const std::vector<tf::Task> tasks = add_tasks(graph, shape, values);
    executor_.run(graph).wait();
    finished();
  }

  Relaunch build_once(const Shape& shape, std::uint64_t* values) override {
    const auto graph = std::make_shared<tf::Taskflow>();  // shared: std::function must be copyable
    add_tasks(*graph, shape, values);
    return [this, graph] { executor_.run(*graph).wait(); };
  }

  void run_pattern(const Pattern& pattern, std::int64_t iterations, Payload* outputs) override {
    running_pattern = &pattern;
    pattern_outputs = outputs;
    kernel_iterations = iterations;
    tf::Taskflow graph;
    std::vector<tf::Task> tasks(static_cast<std::size_t>(pattern.steps() * pattern.width()));
    for (std::int64_t step = 0; step < pattern.steps(); ++step) {
      for (std::int64_t point = 0; point < pattern.width_at(step); ++point) {
        tf::Task& task = tasks[static_cast<std::size_t>(step * pattern.width() + point)];
        task = graph.emplace([step = static_cast<std::int32_t>(step), point = static_cast<std::int32_t>(point)] {
          run_point(*running_pattern, step, point, kernel_iterations, pattern_outputs);
        });
        pattern.for_each_dependency(step, point, [&](std::int64_t dependency) {
          task.succeed(tasks[static_cast<std::size_t>((step - 1) * pattern.width() + dependency)]);
        });
      }
    }
    executor_.run(graph).wait();
  }

  std::uint64_t roundtrip(std::uint64_t input) override {
    return executor_.async([input] { return extend_value(input); }).get();
  }

 private:
  static std::vector<tf::Task> add_tasks(tf::Taskflow& graph, const Shape& shape, std::uint64_t* values) {
    shape_values = values;
    std::vector<tf::Task> tasks;
    tasks.reserve(shape.task_count());
    for (std::uint64_t i = 0; i < shape.task_count(); ++i) {
      const Shape::Inputs in = shape.inputs(i);
      const auto index = static_cast<std::uint32_t>(i);
      const auto left = static_cast<std::uint32_t>(in.left);
      const auto right = static_cast<std::uint32_t>(in.right);
      if (in.count == 0) {
        tasks.push_back(graph.emplace([index] { shape_values[index] = source_value(index); }));
      } else if (in.count == 1) {
        tasks.push_back(graph.emplace([index, left] { shape_values[index] = extend_value(shape_values[left]); }));
        tasks.back().succeed(tasks[left]);
      } else {
        tasks.push_back(graph.emplace(
            [index, left, right] { shape_values[index] = combine_values(shape_values[left], shape_values[right]); }));
        tasks.back().succeed(tasks[left], tasks[right]);
      }
    }
    return tasks;
  }

  tf::Executor executor_;
};

}  // namespace

std::unique_ptr<Peer> make_peer(int threads) { return std::make_unique<TaskflowPeer>(threads); }

}  // namespace weft::bench
