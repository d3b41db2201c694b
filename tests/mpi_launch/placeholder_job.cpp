/// A job without a scheduler: starts workers that do nothing or die in one way or another, and says what rank 0 hears
/// of them. Run by job_test.py under mpirun.
///
///     placeholder_job WHAT SECONDS   WHAT: idle, segv, exit, cannot, print, fork, mpi-before, mpi-after

#include "mpi_launch/start/exchange.hpp"
#include "mpi_launch/start/job.hpp"
#include "mpi_launch/supervise/worker_main.hpp"

#include <weft/config.hpp>
#include <weft/error.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#if WEFT_TEST_HAS_MPI
#include <mpi.h>
#endif

namespace {

void sleep_s(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

void work(const weft::launch::WorkerOrders& orders) {
  const std::string what = orders.scheduler_address;
  std::printf("up %u.%u pid %d parent %d\n", orders.place, orders.generation, ::getpid(), ::getppid());
  weft::launch::worker_is_ready();
  const bool first = orders.generation == 1;
  if (what == "cannot" && orders.place == 1) throw weft::Error("the licence server is asleep");
  if (what == "segv" && orders.place == 1 && first) {
    sleep_s(0.3);
    std::raise(SIGSEGV);
  }
  if (what == "exit" && orders.place == 1 && first) std::exit(7);
  if (what == "print") {
    for (int i = 0; i < 5000; ++i) std::printf("line %d\n", i);
    std::fprintf(stderr, "a word to the error stream\n");
  }
  if (what == "fork" && first) {
    if (::fork() == 0) {
      sleep_s(100);
      ::_exit(0);
    }
  }
  sleep_s(1000);
}

struct Says : weft::launch::Job::Watcher {
  std::string in_own_numbers(const std::string& text) override { return text; }
  void worker_died(const std::string& key, const std::string& cause) override {
    std::printf("died %s: %s\n", key.c_str(), cause.c_str());
    std::fflush(stdout);
  }
  void no_more_workers(const std::string& why) override {
    std::printf("none: %s\n", why.c_str());
    std::fflush(stdout);
  }
  void dump(const std::function<void(std::string_view)>& write) override { write("a placeholder\n"); }
};

const bool kBodySet = [] {
  weft::launch::set_worker_body(&work);
  return true;
}();

int run(int argc, char** argv, const std::string& what, double seconds) {
  const weft::Settings settings = weft::resolve(argc, argv);
  Says says;
  const auto job = weft::launch::Job::enter(settings);
  if (job == nullptr) {
    std::printf("alone\n");
    return 0;
  }
  job->set_watcher(&says);
  job->start_workers(what, {});
#if WEFT_TEST_HAS_MPI
  if (what == "mpi-after") MPI_Init(&argc, &argv);
#endif
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    if (const std::string problem = job->start_problem(); !problem.empty()) throw weft::Error(problem);
    sleep_s(0.01);
  }
  job->end();
  std::printf("ended\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "idle";
  const double seconds = argc > 2 ? std::atof(argv[2]) : 1;
#if WEFT_TEST_HAS_MPI
  if (what == "mpi-before") MPI_Init(&argc, &argv);
#endif
  int code = 1;
  try {
    code = run(argc, argv, what, seconds);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weft: %s\n", error.what());
  }
#if WEFT_TEST_HAS_MPI
  if (what == "mpi-before") MPI_Finalize();
#endif
  return code;
}
