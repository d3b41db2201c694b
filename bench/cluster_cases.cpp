// startup, submit, crowd, move, idle: what only jobs of several processes have. Under mpirun, with --scheduler mpi.

#include <weft/client.hpp>
#include <weft/completed.hpp>
#include <weft/graph.hpp>
#include <weft/measure_transfer.hpp>
#include <weft/this_task.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "bench/cases.hpp"
#include "bench/metg.hpp"
#include "bench/work.hpp"

namespace weft::bench {
namespace {

std::int64_t process_of_task() { return ::getpid(); }

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void run_startup(const Case& self, const Arguments& arguments, const Output& output) {
  const double begin = seconds_now();
  const Client client(client_options(arguments));
  const std::int64_t where = client.submit(&process_of_task).result();
  Samples samples;
  samples.add(seconds_now() - begin);
  Line line(self.name);
  line.param("scheduler", arguments.text("scheduler")).param("slots", client.slots()).seconds(samples);
  line.number("seconds_to_first_result", samples.min())
      .integer("in_another_process", where != ::getpid() ? 1 : 0)
      .peak();
  output.print(line);
}

/// Tasks handed over one call at a time, their results gathered at the end.
void run_submit(const Case& self, const Arguments& arguments, const Output& output) {
  keep_freed_memory();
  const auto tasks = static_cast<std::uint64_t>(arguments.integer("tasks", 1));
  const Client client(client_options(arguments));
  Samples samples;
  double submitting = 0;
  for (std::int64_t i = 0; i <= arguments.integer("repeat", 1); ++i) {
    const double begin = seconds_now();
    std::vector<Future<std::uint64_t>> futures;
    futures.reserve(tasks);
    for (std::uint64_t task = 0; task < tasks; ++task) futures.push_back(client.submit(&source_value, task));
    const double submitted = seconds_now();
    const std::vector<std::uint64_t> values = client.gather(futures);
    const double ended = seconds_now();
    for (std::uint64_t task = 0; task < tasks; ++task)
      if (values[task] != source_value(task)) wrong_result("task " + std::to_string(task));
    if (i == 0) continue;
    if (samples.count() == 0 || ended - begin < samples.min()) submitting = submitted - begin;
    samples.add(ended - begin);
  }
  const auto count = static_cast<double>(tasks);
  Line line(self.name);
  line.param("tasks", static_cast<std::int64_t>(tasks)).param("scheduler", arguments.text("scheduler"));
  line.param("slots", client.slots()).seconds(samples).integer("tasks", static_cast<std::int64_t>(tasks));
  line.number("us_per_task", samples.min() * 1e6 / count).number("submit_us_per_task", submitting * 1e6 / count).peak();
  output.print(line);
}

/// One graph of empty tasks; what the process with the client and the scheduler spends on it.
void run_crowd(const Case& self, const Arguments& arguments, const Output& output) {
  const auto tasks = static_cast<std::uint64_t>(arguments.integer("tasks", 1));
  const Client client(client_options(arguments));
  Samples samples;
  double cpu = 0;
  for (std::int64_t i = 0; i < arguments.integer("repeat", 1); ++i) {
    Graph graph;
    std::vector<Delayed<std::uint64_t>> values;
    for (std::uint64_t task = 0; task < tasks; ++task) values.push_back(graph.add(&source_value, task));
    const double cpu_before = cpu_seconds();
    const double begin = seconds_now();
    client.run(graph);
    samples.add(seconds_now() - begin);
    const double spent = cpu_seconds() - cpu_before;
    cpu = i == 0 ? spent : std::min(cpu, spent);
    for (std::uint64_t task = 0; task < tasks; ++task)
      if (values[task].value() != source_value(task)) wrong_result("task " + std::to_string(task));
  }
  const auto count = static_cast<double>(tasks);
  Line line(self.name);
  line.param("tasks", static_cast<std::int64_t>(tasks)).param("slots", client.slots()).seconds(samples);
  line.number("us_per_task", samples.min() * 1e6 / count).number("client_cpu_us_per_task", cpu * 1e6 / count).peak();
  output.print(line);
}

Words make_piece(std::uint64_t index, std::uint64_t words) {
  Words piece(words);
  for (std::uint64_t i = 0; i < words; ++i) piece.data()[i] = index ^ i;
  return piece;
}

std::uint64_t take_pieces(const std::vector<Words>& pieces) {
  std::uint64_t sum = 0;
  for (const Words& piece : pieces)
    for (std::uint64_t i = 0; i < piece.size(); i += 509) sum += piece.data()[i];
  return sum;
}

std::uint64_t expected_sum(std::uint64_t target, std::uint64_t sources, std::uint64_t words) {
  std::uint64_t sum = 0;
  for (std::uint64_t source = 0; source < sources; ++source)
    for (std::uint64_t i = 0; i < words; i += 509) sum += (source * sources + target) ^ i;
  return sum;
}

std::uint64_t blocks_moved_in() { return transfer_counts().block_bytes_in; }

/// Many to many: each of n targets takes a piece of each of n sources. The pieces are made before the clock starts.
void run_move(const Case& self, const Arguments& arguments, const Output& output) {
  const auto sources = static_cast<std::uint64_t>(arguments.integer("sources", 1));
  const auto words = static_cast<std::uint64_t>(arguments.bytes("bytes")) / sizeof(std::uint64_t);
  const Client client(client_options(arguments));
  const auto moved = [&] {
    std::uint64_t bytes = 0;
    for (const auto& [worker, in] : client.run_on_workers(&blocks_moved_in)) bytes += in;
    return bytes;
  };
  Samples samples;
  std::uint64_t bytes = 0;
  std::uint64_t through_client = 0;
  for (std::int64_t round = 0; round <= arguments.integer("repeat", 1); ++round) {
    std::vector<std::vector<Future<Words>>> pieces(sources);
    for (std::uint64_t source = 0; source < sources; ++source)
      for (std::uint64_t target = 0; target < sources; ++target)
        pieces[target].push_back(client.submit(&make_piece, source * sources + target, words));
    for (const auto& row : pieces) wait(row);
    const std::uint64_t before = moved();
    const TransferCounts mine = transfer_counts();
    const double begin = seconds_now();
    std::vector<Future<std::uint64_t>> targets;
    for (const auto& row : pieces) targets.push_back(client.submit(&take_pieces, row));
    const std::vector<std::uint64_t> sums = client.gather(targets);
    const double seconds = seconds_now() - begin;
    const TransferCounts since = transfer_counts();
    for (std::uint64_t target = 0; target < sources; ++target)
      if (sums[target] != expected_sum(target, sources, words)) wrong_result("target " + std::to_string(target));
    if (round == 0) continue;
    through_client += since.block_bytes_in - mine.block_bytes_in + since.block_bytes_out - mine.block_bytes_out;
    if (samples.count() == 0 || seconds < samples.min()) bytes = moved() - before;
    samples.add(seconds);
  }
  Line line(self.name);
  line.param("sources", static_cast<std::int64_t>(sources));
  line.param("bytes", static_cast<std::int64_t>(words * sizeof(std::uint64_t))).param("slots", client.slots());
  line.seconds(samples).integer("moved_bytes", static_cast<std::int64_t>(bytes));
  line.number("gigabytes_per_second", static_cast<double>(bytes) / samples.min() / 1e9);
  line.integer("bulk_bytes_through_client", static_cast<std::int64_t>(through_client)).peak();
  output.print(line);
}

/// A job without work: whoever started it looks at what its processes use meanwhile.
void run_idle(const Case& self, const Arguments& arguments, const Output& output) {
  const Client client(client_options(arguments));
  if (client.submit(&extend_value, 1u).result() != extend_value(1)) wrong_result("idle");
  std::printf("idle\n");  // from here on whoever started it may look
  std::fflush(stdout);
  const double before = cpu_seconds();
  const double begin = seconds_now();
  std::this_thread::sleep_for(std::chrono::duration<double>(arguments.real("seconds")));
  Samples samples;
  samples.add(seconds_now() - begin);
  Line line(self.name);
  line.param("slots", client.slots()).seconds(samples);
  line.number("client_cpu_fraction", (cpu_seconds() - before) / samples.min()).peak();
  output.print(line);
}

}  // namespace

std::vector<Case> cluster_cases() {
  return {
      {"startup", "from opening the client to the first result", {kScheduler, kThreads}, &run_startup},
      {"submit",
       "empty tasks submitted one by one, results gathered at the end",
       {{"tasks", "1000000", "tasks"}, kScheduler, kThreads, {"repeat", "3", "times"}},
       &run_submit},
      {"crowd",
       "one graph of empty tasks: the processor time of the client's process a task",
       {{"tasks", "200000", "tasks"}, kScheduler, kThreads, {"repeat", "3", "times"}},
       &run_crowd},
      {"move",
       "many to many: each of n targets takes a piece of each of n sources",
       {{"sources", "16", "sources, and targets"},
        {"bytes", "1MiB", "of a piece"},
        kScheduler,
        kThreads,
        {"repeat", "3", "times"}},
       &run_move},
      {"idle", "an open job that does nothing", {{"seconds", "60", "how long"}, kScheduler, kThreads}, &run_idle},
  };
}

}  // namespace weft::bench
