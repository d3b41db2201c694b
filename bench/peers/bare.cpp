// No runtime at all: what the machine itself takes.
//
// Shapes: a loop on one thread that calls every task's function in order. Patterns: each thread owns a part of the
// points, and a spinning barrier separates the steps. Round trip: a spinning hand-over to another thread and back.

#include <atomic>
#include <thread>
#include <vector>

#include "bench/peers/peer.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace weft::bench {
namespace {

// Spins until `done()`. A machine that gives a core to somebody else meanwhile must not cost a whole time slice.
template <class Done>
void spin_until(Done&& done) {
  constexpr int kSpinsBeforeYield = 10'000;
  for (int spins = 0; !done(); ++spins) {
#if defined(__x86_64__)
    _mm_pause();
#endif
    if (spins >= kSpinsBeforeYield) std::this_thread::yield();
  }
}

/// Owns: threads - 1 helpers that spin between jobs.  Threading: main thread calls; helpers follow `generation_`.
class BarePeer final : public Peer {
 public:
  explicit BarePeer(int threads) : threads_(threads) {
    pin_this_thread(0);
    for (int i = 1; i < threads; ++i) helpers_.emplace_back([this, i] { help(i); });
  }
  ~BarePeer() override {
    stopping_.store(true);
    generation_.fetch_add(1);
    for (std::thread& helper : helpers_) helper.join();
  }

  std::string name() const override { return "bare"; }
  std::string version() const override { return "no runtime"; }

  void run_shape(const Shape& shape, std::uint64_t* values, const Finished& finished) override {
    for (std::uint64_t i = 0; i < shape.task_count(); ++i) run_task(shape.inputs(i), i, values);
    finished();
  }

  void run_pattern(const Pattern& pattern, std::int64_t iterations, Payload* outputs) override {
    on_all([&](int thread) {
      for (std::int64_t step = 0; step < pattern.steps(); ++step) {
        const std::int64_t width = pattern.width_at(step);
        for (std::int64_t point = thread * width / threads_; point < (thread + 1) * width / threads_; ++point)
          run_point(pattern, step, point, iterations, outputs);
        if (pattern.kind() != PatternKind::Trivial) barrier();
      }
    });
  }

  std::uint64_t roundtrip(std::uint64_t input) override {
    if (threads_ < 2) return extend_value(input);
    std::uint64_t output = 0;
    const std::function<void(int)> job = [&](int thread) {
      if (thread == 1) output = extend_value(input);
    };
    start(job);
    wait();
    return output;
  }

 private:
  void on_all(const std::function<void(int)>& job) {
    start(job);
    job(0);
    wait();
  }
  void start(const std::function<void(int)>& job) {
    job_ = &job;
    running_.store(threads_ - 1, std::memory_order_relaxed);
    generation_.fetch_add(1, std::memory_order_release);
  }
  void wait() {
    spin_until([&] { return running_.load(std::memory_order_acquire) == 0; });
  }
  void help(int thread) {
    pin_this_thread(thread);
    for (std::uint64_t seen = 0;;) {
      spin_until([&] { return generation_.load(std::memory_order_acquire) != seen; });
      ++seen;
      if (stopping_.load()) return;
      (*job_)(thread);
      running_.fetch_sub(1, std::memory_order_release);
    }
  }
  void barrier() {
    const std::uint64_t phase = phase_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) == threads_ - 1) {
      arrived_.store(0, std::memory_order_relaxed);
      phase_.store(phase + 1, std::memory_order_release);
    } else {
      spin_until([&] { return phase_.load(std::memory_order_acquire) != phase; });
    }
  }

  const int threads_;
  std::vector<std::thread> helpers_;
  const std::function<void(int)>* job_ = nullptr;  // published by generation_
  alignas(64) std::atomic<std::uint64_t> generation_{0};
  alignas(64) std::atomic<int> running_{0};
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<std::uint64_t> phase_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace

std::unique_ptr<Peer> make_peer(int threads) { return std::make_unique<BarePeer>(threads); }

}  // namespace weft::bench
