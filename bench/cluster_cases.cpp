// startup, recover: what only jobs of several processes have. Under mpirun, with --scheduler mpi.

#include <weft/client.hpp>
#include <weft/this_task.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "bench/cases.hpp"
#include "bench/work.hpp"

namespace weft::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

std::int64_t process_of_task() { return ::getpid(); }

void run_startup(const Case& self, const Arguments& arguments, const Output& output) {
  const Clock::time_point begin = Clock::now();
  const Client client(client_options(arguments));
  const std::int64_t where = client.submit(&process_of_task).result();
  Line line(self.name);
  line.param("scheduler", arguments.text("scheduler"));
  line.number("seconds_to_first_result", seconds_since(begin))
      .integer("in_another_process", where != ::getpid() ? 1 : 0);
  output.print(line);
}

/// Works for a while on a value; the sum of all results does not depend on where they were found.
std::uint64_t spin(std::uint64_t value, std::uint64_t rounds) {
  for (std::uint64_t i = 0; i < rounds; ++i) value = value * 6364136223846793005u + 1442695040888963407u;
  return value;
}

std::uint64_t add(std::uint64_t left, std::uint64_t right) { return left + right; }

std::uint64_t run_once(const Client& client, std::uint64_t tasks, std::uint64_t rounds, bool tree) {
  std::vector<std::uint64_t> values;
  for (std::uint64_t i = 0; i < tasks; ++i) values.push_back(i);
  std::vector<Future<std::uint64_t>> level = client.map(&spin, values, rounds);
  if (!tree) {
    std::uint64_t sum = 0;
    for (const std::uint64_t value : client.gather(level)) sum += value;
    return sum;
  }
  while (level.size() > 1) {
    std::vector<Future<std::uint64_t>> next;
    for (std::size_t i = 0; i + 1 < level.size(); i += 2) next.push_back(client.submit(&add, level[i], level[i + 1]));
    if (level.size() % 2 == 1) next.push_back(std::move(level.back()));
    level = std::move(next);
  }
  return level.front().result();
}

void run_recover(const Case& self, const Arguments& arguments, const Output& output) {
  const auto tasks = static_cast<std::uint64_t>(arguments.integer("tasks"));
  const auto rounds = static_cast<std::uint64_t>(arguments.integer("rounds"));
  const std::string shape = arguments.text("shape");
  const Client client(client_options(arguments));
  std::uint64_t expected = 0;
  for (std::uint64_t i = 0; i < tasks; ++i) expected += spin(i, rounds);
  for (int run = 0; run < 2; ++run) {
    std::printf("begin %d\n", run);  // whoever kills a worker in the second run counts from here
    std::fflush(stdout);
    const Clock::time_point begin = Clock::now();
    if (run_once(client, tasks, rounds, shape == "tree") != expected) wrong_result("recover");
    Line line(self.name);
    line.param("shape", shape)
        .param("tasks", static_cast<std::int64_t>(tasks))
        .param("run", static_cast<std::int64_t>(run));
    line.number("seconds", seconds_since(begin));
    output.print(line);
  }
}

}  // namespace

std::vector<Case> cluster_cases() {
  return {
      {"startup", "from opening the client to the first result", {kScheduler, kThreads}, &run_startup},
      {"recover",
       "the same work twice; tools/bench cluster kills a worker in the middle of the second",
       {{"tasks", "100000", "tasks"},
        {"rounds", "20000", "rounds of arithmetic in each (1,000 are about 1 us)"},
        {"shape", "independent", "independent or tree"},
        kScheduler,
        kThreads},
       &run_recover},
  };
}

}  // namespace weft::bench
