// OpenMP tasks: one `task` construct a task, edges by depend clauses on the results' addresses.

#include <omp.h>

#include <string>

#include "bench/peers/peer.hpp"

#ifndef WEFT_OPENMP_RUNTIME
#define WEFT_OPENMP_RUNTIME "gomp"
#endif

namespace weft::bench {
namespace {

void add_shape_tasks(const Shape& shape, std::uint64_t* values) {
  for (std::uint64_t i = 0; i < shape.task_count(); ++i) {
    const Shape::Inputs in = shape.inputs(i);
    const std::uint64_t left = in.left;
    const std::uint64_t right = in.right;
    if (in.count == 0 && shape.kind() == ShapeKind::Independent) {
#pragma omp task default(none) firstprivate(i, values)
      values[i] = source_value(i);
    } else if (in.count == 0) {
#pragma omp task default(none) firstprivate(i, values) depend(out : values[i])
      values[i] = source_value(i);
    } else if (in.count == 1) {
#pragma omp task default(none) firstprivate(i, left, values) depend(in : values[left]) depend(out : values[i])
      values[i] = extend_value(values[left]);
    } else {
#pragma omp task default(none) firstprivate(i, left, right, values) depend(in                             \
                                                                           : values[left], values[right]) \
    depend(out                                                                                            \
           : values[i])
      values[i] = combine_values(values[left], values[right]);
    }
  }
}

void add_pattern_tasks(const Pattern& pattern, std::int64_t iterations, Payload* outputs) {
  const Pattern* shared = &pattern;
  for (std::int64_t step = 0; step < pattern.steps(); ++step) {
    for (std::int64_t point = 0; point < pattern.width_at(step); ++point) {
      const Payload* inputs[kMaxInputs];
      int count = 0;
      pattern.for_each_dependency(step, point, [&](std::int64_t dependency) {
        if (count < kMaxInputs) inputs[count++] = &outputs[(step - 1) * pattern.width() + dependency];
      });
      Payload* output = &outputs[step * pattern.width() + point];
      if (count == 0 && pattern.kind() == PatternKind::Trivial) {
#pragma omp task default(none) firstprivate(shared, step, point, iterations, outputs)
        run_point(*shared, step, point, iterations, outputs);
      } else {
#pragma omp task default(none) firstprivate(shared, step, point, iterations, outputs) shared(inputs, output, count) \
    depend(iterator(int k = 0                                                                                       \
                    : count),                                                                                       \
           in                                                                                                       \
           : *inputs[k]) depend(out                                                                                 \
                                : *output)
        run_point(*shared, step, point, iterations, outputs);
      }
    }
  }
}

/// Owns: nothing; the OpenMP runtime keeps its threads.  Threading: main thread.
class OpenMpPeer final : public Peer {
 public:
  explicit OpenMpPeer(int threads) : threads_(threads) {
    omp_set_dynamic(0);
    omp_set_num_threads(threads);
#pragma omp parallel
    pin_this_thread(omp_get_thread_num());
  }

  std::string name() const override { return std::string("openmp-") + WEFT_OPENMP_RUNTIME; }
  std::string version() const override {
    return std::string("gcc ") + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__) + ", OpenMP " +
           std::to_string(_OPENMP);
  }

  void run_shape(const Shape& shape, std::uint64_t* values, const Finished& finished) override {
#pragma omp parallel num_threads(threads_)
#pragma omp single
    {
      add_shape_tasks(shape, values);
#pragma omp taskwait
      finished();
    }
  }

  void run_pattern(const Pattern& pattern, std::int64_t iterations, Payload* outputs) override {
#pragma omp parallel num_threads(threads_)
#pragma omp single
    add_pattern_tasks(pattern, iterations, outputs);
  }

  std::uint64_t roundtrip(std::uint64_t input) override {
    std::uint64_t output = 0;
#pragma omp task default(none) firstprivate(input) shared(output)
    output = extend_value(input);
#pragma omp taskwait
    return output;
  }

  void within(const std::function<void()>& body) override {
#pragma omp parallel num_threads(threads_)
#pragma omp single
    body();
  }

 private:
  int threads_;
};

}  // namespace

std::unique_ptr<Peer> make_peer(int threads) { return std::make_unique<OpenMpPeer>(threads); }

}  // namespace weft::bench
