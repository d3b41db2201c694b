#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Opt-in: how fast this machine's processes exchange messages and blocks, measured by starting some.
namespace weft {

/// What to measure.
struct TransferOptions {
  /// "shm": shared memory; "tcp": sockets alone; "tls": sockets under TLS; "ucx": UCX over whatever it finds (UCX_TLS).
  std::string path = "shm";
  std::size_t bytes = std::size_t{1} << 20;
  std::int64_t count = 200;
  /// Blocks on their way at once.
  int window = 4;
  /// Each block comes from, and lands in, memory that has not been touched before.
  bool cold = false;
};

/// Every number was measured; seconds are for one thing, one way.
struct TransferFigures {
  std::string transport;
  std::vector<double> seconds;  // of each round
  double bytes_per_second = 0;  // blocks only
};

/// Sends messages of `bytes` to another process and back, one at a time, without sleeping; half of a round trip each.
/// Forks: call it before the process has threads. Throws Error if the other process fails.
TransferFigures measure_message_latency(const TransferOptions& options);
/// Sends `count` messages of `bytes`, flushed as they come; the other process counts them.
TransferFigures measure_message_rate(const TransferOptions& options);
/// Sends `count` blocks of `bytes`, and checks the first and last bytes of each.
TransferFigures measure_block_bandwidth(const TransferOptions& options);
/// Sends one block of `bytes` to `processes` others, each of which passes it on: a binomial tree. Seconds from the
/// first byte sent to the last process's word that it has all.
TransferFigures measure_broadcast(const TransferOptions& options, int processes);

/// What the transports of this process have carried since it began, other than between its own endpoints.
struct TransferCounts {
  std::uint64_t messages_out = 0;
  std::uint64_t message_bytes_out = 0;
  std::uint64_t blocks_out = 0;
  std::uint64_t block_bytes_out = 0;
  std::uint64_t messages_in = 0;
  std::uint64_t message_bytes_in = 0;
  /// Those that were wanted.
  std::uint64_t blocks_in = 0;
  std::uint64_t block_bytes_in = 0;
};

/// Any thread. Counted when a message or block is given to its connection, and when it arrives or is announced.
TransferCounts transfer_counts();

}  // namespace weft
