// roundtrip, nested: what one call costs when somebody waits for it. stream: the machine's copy rate, as a floor.

#include <weft/client.hpp>

#include <algorithm>
#include <thread>

#include "bench/cases.hpp"
#include "bench/metg.hpp"
#include "bench/work.hpp"

namespace weft::bench {
namespace {

void measure_roundtrip(const Case& self, const Arguments& arguments, const Client& client, std::int64_t idle_us,
                       std::int64_t count, const Output& output) {
  const double idle = static_cast<double>(idle_us) * 1e-6;
  Samples samples;
  for (std::int64_t i = -count / 10; i < count; ++i) {  // the first tenth is not counted
    const auto input = static_cast<std::uint64_t>(i);
    double start = seconds_now();
    for (const double until = start + idle; start < until;) start = seconds_now();
    const std::uint64_t result = client.submit(&extend_value, input).result();
    const double end = seconds_now();
    if (i >= 0) samples.add(end - start);
    if (result != extend_value(input)) wrong_result("round trip " + std::to_string(i));
  }
  Line line(self.name);
  line.param("idle_us", idle_us).param("count", count).param("scheduler", arguments.text("scheduler"));
  line.param("threads", client.slots()).seconds(samples);
  line.number("us_median", samples.median() * 1e6).number("us_p99", samples.part(0.99) * 1e6).peak();
  output.print(line);
}

void run_roundtrip(const Case& self, const Arguments& arguments, const Output& output) {
  const std::int64_t count = arguments.integer("count", 1);
  const std::string idle = arguments.text("idle-us");
  const Client client(client_options(arguments));
  if (idle != "both") {
    measure_roundtrip(self, arguments, client, arguments.integer("idle-us"), count, output);
    return;
  }
  measure_roundtrip(self, arguments, client, 0, count, output);
  measure_roundtrip(self, arguments, client, 100, std::max<std::int64_t>(count / 5, 10), output);
}

std::uint64_t fibonacci(std::uint64_t n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

void run_nested(const Case& self, const Arguments& arguments, const Output& output) {
  const auto n = static_cast<std::uint64_t>(arguments.integer("n"));
  if (n > 40) throw std::invalid_argument("--n is at most 40: fib(40) are 331,160,281 tasks");
  const std::int64_t repeat = arguments.integer("repeat", 1);
  const std::uint64_t expected = fibonacci(n);
  const auto tasks = static_cast<std::int64_t>(2 * fibonacci(n + 1) - 1);
  const Client client(client_options(arguments));
  nested_client = &client;
  Samples samples;
  double cold = 0;
  for (std::int64_t i = 0; i <= repeat; ++i) {
    if (i == repeat) client.reset_ledger();
    const double start = seconds_now();
    const std::uint64_t result = client.submit(&nested_fibonacci, n).result();
    const double seconds = seconds_now() - start;
    if (result != expected) wrong_result("fib(" + std::to_string(n) + ")");
    if (i == 0)
      cold = seconds;
    else
      samples.add(seconds);
  }
  const LedgerReport ledger = client.ledger();
  nested_client = nullptr;
  const auto count = static_cast<double>(tasks);
  Line line(self.name);
  line.param("n", static_cast<std::int64_t>(n)).param("scheduler", arguments.text("scheduler"));
  line.param("threads", client.slots()).param("repeat", repeat).seconds(samples).integer("tasks", tasks);
  line.number("us_per_task", samples.min() * 1e6 / count).number("us_per_task_cold", cold * 1e6 / count);
  line.number("tasks_per_second", count / samples.min()).peak().ledger(ledger);
  output.print(line);
}

/// Returns the seconds of one round in which every thread copies its own `words` words from one array to another.
double copy_round(std::vector<std::vector<std::uint64_t>>& from, std::vector<std::vector<std::uint64_t>>& to) {
  std::atomic<std::size_t> waiting{from.size()};
  std::vector<std::array<double, 2>> spans(from.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < from.size(); ++i) {
    threads.emplace_back([&, i] {
      waiting.fetch_sub(1);
      while (waiting.load() > 0) std::this_thread::yield();
      const double start = seconds_now();
      std::copy(from[i].begin(), from[i].end(), to[i].begin());
      spans[i] = {start, seconds_now()};
    });
  }
  for (std::thread& thread : threads) thread.join();
  double first = spans[0][0];
  double last = spans[0][1];
  for (const auto& [start, end] : spans) {
    first = std::min(first, start);
    last = std::max(last, end);
  }
  return last - first;
}

void run_stream(const Case& self, const Arguments& arguments, const Output& output) {
  std::int64_t threads = arguments.integer("threads");
  if (threads == 0) threads = std::max<std::int64_t>(1, std::thread::hardware_concurrency());
  const std::int64_t bytes = arguments.bytes("bytes");
  const auto words = static_cast<std::size_t>(bytes / threads) / sizeof(std::uint64_t);
  const auto count = static_cast<std::size_t>(threads);
  std::vector<std::vector<std::uint64_t>> from(count, std::vector<std::uint64_t>(words, 1));
  std::vector<std::vector<std::uint64_t>> to(count, std::vector<std::uint64_t>(words, 0));
  Samples samples;
  for (std::int64_t i = 0; i <= arguments.integer("repeat", 1); ++i) {
    const double seconds = copy_round(from, to);
    if (i > 0) samples.add(seconds);
    if (to != from) wrong_result("copy");
    for (std::vector<std::uint64_t>& array : from) std::fill(array.begin(), array.end(), static_cast<std::uint64_t>(i));
  }
  const double moved = 2.0 * static_cast<double>(words * sizeof(std::uint64_t) * count);  // read and written
  Line line(self.name);
  line.param("bytes", bytes).param("threads", threads).seconds(samples);
  line.number("gib_per_s", moved / samples.min() / (1 << 30)).peak();
  output.print(line);
}

}  // namespace

std::vector<Case> latency_cases() {
  return {
      {"roundtrip",
       "submit(f, x).result(), back to back and after an idle pause",
       {{"count", "50000", "round trips back to back; a fifth of them after a pause"},
        {"idle-us", "both", "both: 0 and 100; or one pause in microseconds"},
        kScheduler,
        kThreads},
       &run_roundtrip},
      {"nested",
       "recursive Fibonacci: tasks that submit tasks and wait for them",
       {{"n", "20", "which Fibonacci number"}, kScheduler, kThreads, {"repeat", "5", "warm repetitions"}},
       &run_nested},
      {"stream",
       "copy rate of the machine's memory, read and written bytes counted",
       {{"bytes", "512MiB", "size of the copied arrays together"},
        {"threads", "0", "threads; 0: one a core"},
        {"repeat", "10", "repetitions"}},
       &run_stream},
  };
}

}  // namespace weft::bench
