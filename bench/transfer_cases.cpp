// transfer, broadcast: what messages and blocks cost between processes, without tasks.

#include <weft/measure_transfer.hpp>

#include <stdexcept>

#include "bench/cases.hpp"

namespace weft::bench {
namespace {

constexpr Option kPath = {
    "path", "shm",
    "shm: shared memory inside the node; tcp: sockets alone; tls: sockets under TLS; ucx: UCX_TLS says over what"};

TransferOptions transfer_options(const Arguments& arguments) {
  TransferOptions options;
  options.path = arguments.text("path");
  options.bytes = static_cast<std::size_t>(arguments.bytes("bytes"));
  options.count = arguments.integer("count", 1);
  return options;
}

Samples samples_of(const TransferFigures& figures) {
  Samples samples;
  for (const double seconds : figures.seconds) samples.add(seconds);
  return samples;
}

void run_transfer(const Case& self, const Arguments& arguments, const Output& output) {
  TransferOptions options = transfer_options(arguments);
  options.window = static_cast<int>(arguments.integer("window", 1));
  options.cold = arguments.text("memory") == "cold";
  if (!options.cold && arguments.text("memory") != "warm") throw std::invalid_argument("--memory is warm or cold");
  const std::string what = arguments.text("what");
  Line line(self.name);
  line.param("what", what).param("path", options.path).param("bytes", static_cast<std::int64_t>(options.bytes));
  line.param("count", options.count);
  if (what == "latency") {
    const Samples samples = samples_of(measure_message_latency(options));
    line.seconds(samples).number("us_median", samples.median() * 1e6).number("us_p99", samples.part(0.99) * 1e6);
  } else if (what == "rate") {
    const Samples samples = samples_of(measure_message_rate(options));
    line.seconds(samples)
        .number("us_per_message", samples.median() * 1e6)
        .number("messages_per_second", 1 / samples.median());
  } else if (what == "blocks") {
    line.param("window", static_cast<std::int64_t>(options.window)).param("memory", arguments.text("memory"));
    const TransferFigures figures = measure_block_bandwidth(options);
    const Samples samples = samples_of(figures);
    line.seconds(samples).number("gigabytes_per_second", figures.bytes_per_second / 1e9);
    line.number("best_gigabytes_per_second", static_cast<double>(options.bytes) / samples.min() / 1e9);
  } else {
    throw std::invalid_argument("--what is latency, rate or blocks");
  }
  output.print(line.peak());
}

void run_broadcast(const Case& self, const Arguments& arguments, const Output& output) {
  const TransferOptions options = transfer_options(arguments);
  const auto processes = static_cast<int>(arguments.integer("processes", 1));
  const TransferFigures figures = measure_broadcast(options, processes);
  Line line(self.name);
  line.param("path", options.path).param("bytes", static_cast<std::int64_t>(options.bytes));
  line.param("processes", std::int64_t{processes}).param("count", options.count).seconds(samples_of(figures));
  line.number("gigabytes_per_second", figures.bytes_per_second / 1e9);
  output.print(line.peak());
}

}  // namespace

std::vector<Case> transfer_cases() {
  return {
      {"transfer",
       "messages and blocks from one process to another, beside ucx_perftest",
       {{"what", "blocks", "latency: half of a message's round trip; rate: messages one way; blocks"},
        kPath,
        {"bytes", "1MiB", "of a message or block"},
        {"count", "200", "messages or blocks a round"},
        {"window", "4", "blocks on their way at once"},
        {"memory", "warm", "warm: the same places again; cold: never touched before"}},
       &run_transfer},
      {"broadcast",
       "one block to several processes in a tree",
       {kPath, {"bytes", "64MiB", "of the block"}, {"processes", "3", "that receive it"}, {"count", "10", "times"}},
       &run_broadcast},
  };
}

}  // namespace weft::bench
