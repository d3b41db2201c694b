#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "core/transport/transport.hpp"

namespace weft::comm {

/// What the wires do to what travels on them. The default: nothing. Equal seeds give equal delays and orders.
struct WireFaults {
  std::uint64_t seed = 0;
  /// Each message and each block's data arrives up to this much later; the order of one peer's messages stays.
  Nanoseconds most_delay = 0;
  /// Blocks that are on their way together arrive in a random order.
  bool reorder_blocks = false;
};

/// The wires between transports that live in this process: local mode, and tests of whatever uses a Transport.
///
/// For: tests with many endpoints in one process, delayed and cut links included. Owns: nothing but what the open
/// endpoints share; they may outlive it. Threading: every call from any thread; each endpoint keeps the contract of
/// Transport, and endpoints of different threads do not disturb each other.
class InProcessNetwork {
 public:
  explicit InProcessNetwork(WireFaults faults = {});
  ~InProcessNetwork();

  /// Returns a new endpoint. Destroying it looks to the others like the death of a process.
  std::unique_ptr<Transport> open();

  /// Both sides lose each other, as when a connection breaks; they may connect again.
  void cut(std::string_view address_a, std::string_view address_b);
  /// While held, nothing passes between the two, and nobody is told; after release it arrives in order. A new
  /// connection between them is not held.
  void hold(std::string_view address_a, std::string_view address_b);
  void release(std::string_view address_a, std::string_view address_b);
  /// Loses the messages that are held between the two, which no transport may do: for tests of what notices it. Returns
  /// how many there were.
  std::size_t lose_held(std::string_view address_a, std::string_view address_b);

  struct Hub;

 private:
  std::shared_ptr<Hub> hub_;  // shared: endpoints may outlive the network
};

}  // namespace weft::comm
