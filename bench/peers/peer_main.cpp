// Measures one peer: `peer_NAME CASE [--key value ...]`, one JSON object a line, the keys of weft_bench.

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/metg.hpp"
#include "bench/peers/peer.hpp"

namespace weft::bench {
namespace {

cpu_set_t allowed_at_start;

struct Arguments {
  std::string name;
  std::map<std::string, std::string> options;

  std::int64_t number(const char* key, std::int64_t otherwise) const {
    const auto found = options.find(key);
    return found == options.end() ? otherwise : std::strtoll(found->second.c_str(), nullptr, 10);
  }
  std::string text(const char* key, const char* otherwise) const {
    const auto found = options.find(key);
    return found == options.end() ? otherwise : found->second;
  }
};

Arguments parse(int argc, char** argv) {
  if (argc < 2)
    throw std::invalid_argument("usage: peer CASE [--tasks N] [--threads 2] [--reps 5] [--pattern NAME] ...");
  Arguments arguments;
  arguments.name = argv[1];
  for (int i = 2; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0) continue;
    if (std::strncmp(argv[i], "--", 2) != 0 || i + 1 >= argc)
      throw std::invalid_argument(std::string("expected --key value, found '") + argv[i] + "'");
    arguments.options[argv[i] + 2] = argv[i + 1];
    ++i;
  }
  return arguments;
}

std::int64_t resident_bytes() {
  long total = 0;
  long resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  const int read = std::fscanf(file, "%ld %ld", &total, &resident);
  std::fclose(file);
  return read == 2 ? resident * sysconf(_SC_PAGESIZE) : 0;
}

std::int64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print_head(const Peer& peer, const Arguments& arguments, const std::string& params) {
  std::printf("{\"case\":\"%s\",\"peer\":\"%s\",\"version\":\"%s\",\"params\":{%s}", arguments.name.c_str(),
              peer.name().c_str(), peer.version().c_str(), params.c_str());
}

void measure_shape(Peer& peer, const Arguments& arguments, int threads) {
  const Shape shape(shape_kind(arguments.name), static_cast<std::uint64_t>(arguments.number("tasks", 1'000'000)));
  const std::vector<std::uint64_t> expected = shape.expected_values();
  const std::size_t count = expected.size();
  const std::int64_t before = resident_bytes();
  std::int64_t after = before;
  // Not touched yet: the first run pays for the results' pages, as it does for the system's own.
  const std::unique_ptr<std::uint64_t[]> values(new std::uint64_t[count]);
  std::vector<double> seconds;
  const std::int64_t repetitions = arguments.number("reps", 5);
  for (std::int64_t i = 0; i <= repetitions; ++i) {
    const double start = seconds_now();
    peer.run_shape(shape, values.get(), [&] {
      if (i == 0) after = resident_bytes();
    });
    seconds.push_back(seconds_now() - start);
    if (!std::equal(expected.begin(), expected.end(), values.get()))
      throw std::runtime_error(peer.name() + " computed wrong values for " + arguments.name);
    std::fill_n(values.get(), count, 0);
  }
  const double cold = seconds.front();
  seconds.erase(seconds.begin());
  if (seconds.empty()) seconds.push_back(cold);
  const double least = *std::min_element(seconds.begin(), seconds.end());
  print_head(peer, arguments, "\"tasks\":" + std::to_string(count) + ",\"threads\":" + std::to_string(threads));
  std::printf(
      ",\"seconds_min\":%.6g,\"seconds_median\":%.6g,\"tasks\":%zu,\"us_per_task\":%.6g,\"us_per_task_cold\":%.6g,"
      "\"tasks_per_second\":%.6g,\"bytes_per_task\":%.6g,\"peak_rss_bytes\":%lld}\n",
      least, median(seconds), count, least * 1e6 / static_cast<double>(count), cold * 1e6 / static_cast<double>(count),
      static_cast<double>(count) / least, static_cast<double>(after - before) / static_cast<double>(count),
      static_cast<long long>(peak_resident_bytes()));
}

void measure_relaunch(Peer& peer, const Arguments& arguments, int threads) {
  const std::string name = arguments.text("shape", "tree");
  const Shape shape(shape_kind(name), static_cast<std::uint64_t>(arguments.number("tasks", 1'000'000)));
  const std::vector<std::uint64_t> expected = shape.expected_values();
  const std::size_t count = expected.size();
  std::vector<std::uint64_t> values(count);
  double start = seconds_now();
  const Peer::Relaunch run = peer.build_once(shape, values.data());
  const double build = seconds_now() - start;
  if (run == nullptr) throw std::runtime_error(peer.name() + " cannot run a built graph again");
  std::vector<double> seconds;
  for (std::int64_t i = 0; i <= arguments.number("reps", 5); ++i) {
    std::fill(values.begin(), values.end(), 0);
    start = seconds_now();
    run();
    seconds.push_back(seconds_now() - start);
    if (values != expected) throw std::runtime_error(peer.name() + " computed wrong values when it ran again");
  }
  const double first = seconds.front();
  seconds.erase(seconds.begin());
  if (seconds.empty()) seconds.push_back(first);
  const double least = *std::min_element(seconds.begin(), seconds.end());
  print_head(
      peer, arguments,
      "\"shape\":\"" + name + "\",\"tasks\":" + std::to_string(count) + ",\"threads\":" + std::to_string(threads));
  std::printf(
      ",\"seconds_min\":%.6g,\"seconds_median\":%.6g,\"tasks\":%zu,\"us_per_task\":%.6g,\"us_per_task_cold\":%.6g,"
      "\"build_us_per_task\":%.6g,\"peak_rss_bytes\":%lld}\n",
      least, median(seconds), count, least * 1e6 / static_cast<double>(count), first * 1e6 / static_cast<double>(count),
      build * 1e6 / static_cast<double>(count), static_cast<long long>(peak_resident_bytes()));
}

void measure_roundtrip(Peer& peer, const Arguments& arguments, int threads, double idle_seconds, std::int64_t count) {
  std::vector<double> seconds;
  seconds.reserve(static_cast<std::size_t>(count));
  bool right = true;
  const double deadline = seconds_now() + static_cast<double>(arguments.number("max-seconds", 20));
  peer.within([&] {
    for (std::int64_t i = -count / 10; i < count; ++i) {  // the first tenth is not counted
      if (!seconds.empty() && seconds_now() > deadline) break;
      const auto input = static_cast<std::uint64_t>(i);
      double start = seconds_now();
      for (const double until = start + idle_seconds; start < until;) start = seconds_now();
      const std::uint64_t output = peer.roundtrip(input);
      const double end = seconds_now();
      if (i >= 0) seconds.push_back(end - start);
      right = right && output == extend_value(input);
    }
  });
  if (!right) throw std::runtime_error(peer.name() + " returned a wrong value from a round trip");
  std::sort(seconds.begin(), seconds.end());
  const auto at = [&](double part) {
    return seconds[static_cast<std::size_t>(part * static_cast<double>(seconds.size() - 1))] * 1e6;
  };
  print_head(
      peer, arguments,
      "\"idle_us\":" + std::to_string(std::lround(idle_seconds * 1e6)) + ",\"threads\":" + std::to_string(threads));
  std::printf(
      ",\"seconds_min\":%.6g,\"seconds_median\":%.6g,\"us_median\":%.6g,\"us_p99\":%.6g,\"peak_rss_bytes\":%lld}\n",
      at(0) * 1e-6, at(0.5) * 1e-6, at(0.5), at(0.99), static_cast<long long>(peak_resident_bytes()));
}

void measure_metg(Peer& peer, const Arguments& arguments, int threads, double seconds_per_iteration) {
  const std::string name = arguments.text("pattern", "stencil_1d");
  const Pattern pattern(pattern_kind(name), arguments.number("width", 8), arguments.number("steps", 1000),
                        arguments.number("radix", 5));
  if (pattern.max_dependencies() > kMaxInputs)
    throw std::invalid_argument("the peers take at most " + std::to_string(kMaxInputs) + " inputs a task");
  const std::int64_t edges = pattern.edge_count();
  std::vector<Payload> outputs(static_cast<std::size_t>(pattern.width() * pattern.steps()));
  MetgOptions options;
  options.cores = threads;
  options.tasks = pattern.task_count();
  options.seconds_per_iteration = seconds_per_iteration;
  options.repetitions = static_cast<int>(arguments.number("reps", 5));
  options.max_seconds = static_cast<double>(arguments.number("max-seconds", 30));
  const MetgResult result = find_metg(options, [&](std::int64_t iterations) {
    std::fill(outputs.begin(), outputs.end(), Payload{});
    const double start = seconds_now();
    peer.run_pattern(pattern, iterations, outputs.data());
    const double seconds = seconds_now() - start;
    std::int64_t valid = 0;
    for (const Payload& output : outputs) valid += output.valid_inputs;
    if (valid != edges)
      throw std::runtime_error(peer.name() + ": " + std::to_string(valid) + " of " + std::to_string(edges) +
                               " inputs were right in " + name);
    return seconds;
  });
  print_head(peer, arguments,
             "\"pattern\":\"" + name + "\",\"width\":" + std::to_string(pattern.width()) +
                 ",\"radix\":" + std::to_string(pattern.radix()) + ",\"steps\":" + std::to_string(pattern.steps()) +
                 ",\"threads\":" + std::to_string(threads));
  std::printf(
      ",\"tasks\":%lld,\"edges_validated\":%lld,\"us_per_task\":%.6g,\"metg_us\":%.6g,\"complete\":%s,"
      "\"ns_per_iteration\":%.6g,\"peak_rss_bytes\":%lld}\n",
      static_cast<long long>(options.tasks), static_cast<long long>(edges), result.floor_us, result.metg_us,
      result.complete ? "true" : "false", seconds_per_iteration * 1e9, static_cast<long long>(peak_resident_bytes()));
  if (arguments.number("points", 0) != 0) {
    for (const MetgPoint& point : result.points)
      std::fprintf(stderr, "%10lld iterations  %9.3f core-us a task  efficiency %.3f\n",
                   static_cast<long long>(point.iterations), point.granularity_us, point.efficiency);
  }
}

int run(int argc, char** argv) {
  sched_getaffinity(0, sizeof allowed_at_start, &allowed_at_start);
  // Freed memory stays with the process, so that a warm run is warm for every system.
  constexpr int kLargest = 32 << 20;  // the most that the C library takes for the second
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_MMAP_THRESHOLD, kLargest);
  const Arguments arguments = parse(argc, argv);
  const int threads = static_cast<int>(arguments.number("threads", 2));
  const double seconds_per_iteration = arguments.name == "metg" ? kernel_seconds_per_iteration(threads) : 0;
  const std::unique_ptr<Peer> peer = make_peer(threads);
  if (arguments.name == "version") {
    std::printf("%s %s\n", peer->name().c_str(), peer->version().c_str());
  } else if (arguments.name == "metg") {
    measure_metg(*peer, arguments, threads, seconds_per_iteration);
  } else if (arguments.name == "roundtrip") {
    const std::int64_t count = arguments.number("count", 10'000);
    measure_roundtrip(*peer, arguments, threads, 0, count);
    measure_roundtrip(*peer, arguments, threads, 100e-6, std::max<std::int64_t>(count / 5, 10));
  } else if (arguments.name == "relaunch") {
    measure_relaunch(*peer, arguments, threads);
  } else {
    measure_shape(*peer, arguments, threads);
  }
  return 0;
}

}  // namespace

void pin_this_thread(int index) {
  const int count = CPU_COUNT(&allowed_at_start);
  int skip = count > 0 ? index % count : 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed_at_start) || skip-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
    return;
  }
}

}  // namespace weft::bench

int main(int argc, char** argv) {
  try {
    return weft::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}
