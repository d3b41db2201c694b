// StarPU: one starpu_task a task, edges by starpu_task_declare_deps_array, all tasks kept until the end as handles.

#include <starpu.h>

#include <stdexcept>
#include <vector>

#include "bench/peers/peer.hpp"

namespace weft::bench {
namespace {

const Shape* running_shape = nullptr;
std::uint64_t* shape_values = nullptr;
const Pattern* running_pattern = nullptr;
Payload* pattern_outputs = nullptr;
std::int64_t kernel_iterations = 0;
std::uint64_t roundtrip_output = 0;

// The argument of a task is its index, carried in the pointer itself.
void run_shape_task(void**, void* argument) {
  const auto index = reinterpret_cast<std::uintptr_t>(argument);
  run_task(running_shape->inputs(index), index, shape_values);
}

void run_pattern_task(void**, void* argument) {
  const auto index = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(argument));
  run_point(*running_pattern, index / running_pattern->width(), index % running_pattern->width(), kernel_iterations,
            pattern_outputs);
}

void run_roundtrip_task(void**, void* argument) {
  roundtrip_output = extend_value(reinterpret_cast<std::uintptr_t>(argument));
}

starpu_codelet make_codelet(starpu_cpu_func_t function, const char* name) {
  starpu_codelet codelet;
  starpu_codelet_init(&codelet);
  codelet.cpu_funcs[0] = function;
  codelet.nbuffers = 0;
  codelet.name = name;
  return codelet;
}

void check(int status, const char* what) {
  if (status != 0) throw std::runtime_error(std::string("StarPU: ") + what + " returned " + std::to_string(status));
}

/// Owns: StarPU's workers, which bind themselves; the main thread only submits.  Threading: main thread.
class StarPuPeer final : public Peer {
 public:
  explicit StarPuPeer(int threads) {
    starpu_conf conf;
    check(starpu_conf_init(&conf), "starpu_conf_init");
    conf.ncpus = threads;
    conf.ncuda = 0;
    conf.nopencl = 0;
    check(starpu_init(&conf), "starpu_init");
    if (starpu_cpu_worker_get_count() != static_cast<unsigned>(threads))
      throw std::runtime_error("StarPU started " + std::to_string(starpu_cpu_worker_get_count()) + " workers");
    shape_codelet_ = make_codelet(run_shape_task, "shape");
    pattern_codelet_ = make_codelet(run_pattern_task, "pattern");
    roundtrip_codelet_ = make_codelet(run_roundtrip_task, "roundtrip");
  }
  ~StarPuPeer() override { starpu_shutdown(); }

  std::string name() const override { return "starpu"; }
  std::string version() const override {
    return std::to_string(STARPU_MAJOR_VERSION) + "." + std::to_string(STARPU_MINOR_VERSION) + "." +
           std::to_string(STARPU_RELEASE_VERSION);
  }

  void run_shape(const Shape& shape, std::uint64_t* values, const Finished& finished) override {
    running_shape = &shape;
    shape_values = values;
    std::vector<starpu_task*> tasks;
    tasks.reserve(shape.task_count());
    for (std::uint64_t i = 0; i < shape.task_count(); ++i) {
      const Shape::Inputs in = shape.inputs(i);
      starpu_task* task = make_task(&shape_codelet_, i);
      starpu_task* inputs[2] = {in.count > 0 ? tasks[in.left] : nullptr, in.count > 1 ? tasks[in.right] : nullptr};
      if (in.count > 0) starpu_task_declare_deps_array(task, static_cast<unsigned>(in.count), inputs);
      check(starpu_task_submit(task), "starpu_task_submit");
      tasks.push_back(task);
    }
    check(starpu_task_wait_for_all(), "starpu_task_wait_for_all");
    finished();
    for (starpu_task* task : tasks) starpu_task_destroy(task);
  }

  void run_pattern(const Pattern& pattern, std::int64_t iterations, Payload* outputs) override {
    running_pattern = &pattern;
    pattern_outputs = outputs;
    kernel_iterations = iterations;
    std::vector<starpu_task*> tasks(static_cast<std::size_t>(pattern.steps() * pattern.width()), nullptr);
    for (std::int64_t step = 0; step < pattern.steps(); ++step) {
      for (std::int64_t point = 0; point < pattern.width_at(step); ++point) {
        const std::int64_t index = step * pattern.width() + point;
        starpu_task* task = make_task(&pattern_codelet_, static_cast<std::uintptr_t>(index));
        starpu_task* inputs[kMaxInputs];
        unsigned count = 0;
        pattern.for_each_dependency(step, point, [&](std::int64_t dependency) {
          if (count < kMaxInputs)
            inputs[count++] = tasks[static_cast<std::size_t>((step - 1) * pattern.width() + dependency)];
        });
        if (count > 0) starpu_task_declare_deps_array(task, count, inputs);
        check(starpu_task_submit(task), "starpu_task_submit");
        tasks[static_cast<std::size_t>(index)] = task;
      }
    }
    check(starpu_task_wait_for_all(), "starpu_task_wait_for_all");
    for (starpu_task* task : tasks) {
      if (task != nullptr) starpu_task_destroy(task);
    }
  }

  std::uint64_t roundtrip(std::uint64_t input) override {
    starpu_task* task = make_task(&roundtrip_codelet_, input);
    check(starpu_task_submit(task), "starpu_task_submit");
    check(starpu_task_wait(task), "starpu_task_wait");
    starpu_task_destroy(task);
    return roundtrip_output;
  }

 private:
  static starpu_task* make_task(starpu_codelet* codelet, std::uintptr_t argument) {
    starpu_task* task = starpu_task_create();
    task->cl = codelet;
    task->cl_arg = reinterpret_cast<void*>(argument);
    task->cl_arg_size = 0;
    task->destroy = 0;
    task->detach = codelet->cpu_funcs[0] == run_roundtrip_task ? 0 : 1;
    return task;
  }

  starpu_codelet shape_codelet_{};
  starpu_codelet pattern_codelet_{};
  starpu_codelet roundtrip_codelet_{};
};

}  // namespace

std::unique_ptr<Peer> make_peer(int threads) { return std::make_unique<StarPuPeer>(threads); }

}  // namespace weft::bench
