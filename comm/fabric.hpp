#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "comm/lane.hpp"

namespace weft::comm {

/// A lane over a fabric. It exists from the offer on, so that nothing that arrives early is lost, and sends once
/// joined.
class FabricLane : public Lane {
 public:
  /// Names this end to the other side; nobody can guess it.
  virtual std::uint64_t token() const = 0;
  /// Everything that is needed of the other end. False, and why, if it cannot be reached.
  virtual bool join(const std::string& address, std::uint64_t token, std::string& why) = 0;
};

/// What the lanes over one fabric share: UCX, where it was found at build time.
/// Owns: the library's context and worker; must outlive its lanes. Threading: that of its transport.
class Fabric {
 public:
  virtual ~Fabric() = default;
  /// Opaque bytes; told only to those who have proven the secret.
  virtual const std::string& address() const = 0;
  virtual std::unique_ptr<FabricLane> make_lane(LaneUser& user) = 0;
  virtual bool progress() = 0;
  /// Becomes readable when something arrives after `may_sleep` has said true.
  virtual int event_fd() const = 0;
  virtual bool may_sleep() = 0;
  virtual std::string_view description() const = 0;
};

/// Returns the fabric, or nullptr and why there is none. `interface`: where its own TCP sockets may listen, if
/// anywhere.
std::unique_ptr<Fabric> open_fabric(const std::string& interface, std::string& why);

/// Returns the devices of networks that only a fabric makes good use of (InfiniBand, RoCE), as the kernel lists them
/// below `root`: "mlx5_0, mlx5_1"; empty where there are none.
std::string fast_networks(const std::string& root = "");
inline bool fast_network_present() { return !fast_networks().empty(); }

/// Returns why this build, or UCX_TLS, leaves such a network unused; empty where nothing does. A sentence's end.
std::string why_no_fabric(const char* ucx_tls);

}  // namespace weft::comm
