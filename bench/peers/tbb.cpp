// oneTBB flow graph: one continue_node a task, edges by make_edge, sources started by try_put.

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>
#include <oneapi/tbb/task_scheduler_observer.h>
#include <oneapi/tbb/version.h>

#include <deque>
#include <vector>

#include "bench/peers/peer.hpp"

namespace weft::bench {
namespace {

namespace flow = oneapi::tbb::flow;
using Node = flow::continue_node<flow::continue_msg>;

// Outside the node's bodies, to keep them small.
std::uint64_t* shape_values = nullptr;
const Pattern* running_pattern = nullptr;
Payload* pattern_outputs = nullptr;
std::int64_t kernel_iterations = 0;

/// Binds each of oneTBB's threads by its slot. Owns: nothing.  Threading: called by oneTBB's threads as they enter.
class Pinning final : public oneapi::tbb::task_scheduler_observer {
 public:
  Pinning() { observe(true); }
  ~Pinning() override { observe(false); }
  void on_scheduler_entry(bool) override { pin_this_thread(oneapi::tbb::this_task_arena::current_thread_index()); }
};

/// A shape's graph.
/// Owns: its nodes, which cannot move.  Threading: main thread.
struct ShapeGraph {
  flow::graph graph;
  std::deque<Node> nodes;
  std::vector<std::uint32_t> sources;

  void add_tasks(const Shape& shape, std::uint64_t* values) {
    shape_values = values;
    for (std::uint64_t i = 0; i < shape.task_count(); ++i) {
      const Shape::Inputs in = shape.inputs(i);
      const auto index = static_cast<std::uint32_t>(i);
      const auto left = static_cast<std::uint32_t>(in.left);
      const auto right = static_cast<std::uint32_t>(in.right);
      if (in.count == 0) {
        nodes.emplace_back(graph, [index](const flow::continue_msg&) { shape_values[index] = source_value(index); });
        sources.push_back(index);
      } else if (in.count == 1) {
        nodes.emplace_back(graph, [index, left](const flow::continue_msg&) {
          shape_values[index] = extend_value(shape_values[left]);
        });
        flow::make_edge(nodes[left], nodes.back());
      } else {
        nodes.emplace_back(graph, [index, left, right](const flow::continue_msg&) {
          shape_values[index] = combine_values(shape_values[left], shape_values[right]);
        });
        flow::make_edge(nodes[left], nodes.back());
        flow::make_edge(nodes[right], nodes.back());
      }
    }
  }

  void run() {
    for (const std::uint32_t source : sources) nodes[source].try_put(flow::continue_msg());
    graph.wait_for_all();
  }
};

/// Owns: the limit on oneTBB's threads; the calling thread is one of them.  Threading: main thread.
class TbbPeer final : public Peer {
 public:
  explicit TbbPeer(int threads)
      : limit_(oneapi::tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads)) {}

  std::string name() const override { return "onetbb-graph"; }
  std::string version() const override {
    return std::to_string(TBB_VERSION_MAJOR) + "." + std::to_string(TBB_VERSION_MINOR) + "." +
           std::to_string(TBB_VERSION_PATCH);
  }

  void run_shape(const Shape& shape, std::uint64_t* values, const Finished& finished) override {
    ShapeGraph built;
    built.add_tasks(shape, values);
    built.run();
    finished();
  }

  Relaunch build_once(const Shape& shape, std::uint64_t* values) override {
    const auto built = std::make_shared<ShapeGraph>();  // shared: std::function must be copyable
    built->add_tasks(shape, values);
    return [built] { built->run(); };
  }

  void run_pattern(const Pattern& pattern, std::int64_t iterations, Payload* outputs) override {
    running_pattern = &pattern;
    pattern_outputs = outputs;
    kernel_iterations = iterations;
    flow::graph graph;
    std::deque<Node> nodes;
    std::vector<Node*> made(static_cast<std::size_t>(pattern.steps() * pattern.width()));
    std::vector<Node*> sources;
    for (std::int64_t step = 0; step < pattern.steps(); ++step) {
      for (std::int64_t point = 0; point < pattern.width_at(step); ++point) {
        nodes.emplace_back(graph, [step = static_cast<std::int32_t>(step),
                                   point = static_cast<std::int32_t>(point)](const flow::continue_msg&) {
          run_point(*running_pattern, step, point, kernel_iterations, pattern_outputs);
        });
        made[static_cast<std::size_t>(step * pattern.width() + point)] = &nodes.back();
        int count = 0;
        pattern.for_each_dependency(step, point, [&](std::int64_t dependency) {
          flow::make_edge(*made[static_cast<std::size_t>((step - 1) * pattern.width() + dependency)], nodes.back());
          ++count;
        });
        if (count == 0) sources.push_back(&nodes.back());
      }
    }
    for (Node* source : sources) source->try_put(flow::continue_msg());
    graph.wait_for_all();
  }

  std::uint64_t roundtrip(std::uint64_t input) override {
    std::uint64_t output = 0;
    group_->run([&] { output = extend_value(input); });
    group_->wait();
    return output;
  }

 private:
  oneapi::tbb::global_control limit_;
  Pinning pinning_;
  // By pointer: its destructor may throw, which a member's must not.
  std::unique_ptr<oneapi::tbb::task_group> group_ = std::make_unique<oneapi::tbb::task_group>();
};

}  // namespace

std::unique_ptr<Peer> make_peer(int threads) { return std::make_unique<TbbPeer>(threads); }

}  // namespace weft::bench
