#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "comm/compression.hpp"
#include "comm/lane.hpp"
#include "comm/secret.hpp"
#include "comm/tls.hpp"
#include "core/transport/transport.hpp"

namespace weft::comm {

/// When UCX carries messages and blocks. Auto: to other machines, where this one has a network that only a fabric makes
/// good use of. Always: wherever shared memory does not.
enum class UseUcx : std::uint8_t { Auto, Never, Always };

/// How a NetworkTransport listens and which ways it may use.
struct NetworkOptions {
  /// The job's; both sides of a connection prove that they know it.
  Secret secret{};
  /// An interface ("lo", "eth0") or an IP address of this machine. Nothing else is listened on.
  std::string listen_on = "lo";
  std::uint16_t port = 0;  // 0: any free one
  /// Shared memory between processes of one machine; off: the socket carries everything.
  bool shared_memory = true;
  UseUcx ucx = UseUcx::Auto;
  /// Sockets speak TLS, and UCX, which cannot, is left out. Null: they do not.
  std::shared_ptr<const TlsContext> tls;
  /// Of blocks that go through sockets.
  Compression compression = Compression::Auto;
  /// Nothing of a block has moved for so long: the connection is given up.
  Nanoseconds stall_timeout = 30'000'000'000;
  /// For connecting and for proving the secret.
  Nanoseconds connect_timeout = 10'000'000'000;
  /// Where blocks may lie in device memory; must outlive the transport.
  DeviceCopy* device = nullptr;
  /// Told of everybody who was turned away, with a sentence; otherwise it is logged as a warning.
  std::function<void(std::string_view sentence)> on_refused;
  /// Of this side; for tests of the refusal.
  std::uint32_t protocol = 0;  // 0: kProtocol
};

/// Opens the transport between processes, on one machine or many: a TCP connection for each pair, on which both sides
/// prove the secret and which tells deaths, and the fastest safe way for messages and blocks beside it.
/// Throws Error if it cannot listen there, or if UCX was asked for and is not to be had.
std::unique_ptr<Transport> open_network_transport(const NetworkOptions& options);

}  // namespace weft::comm
