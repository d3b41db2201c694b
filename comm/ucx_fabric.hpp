#pragma once

#include <ucp/api/ucp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "comm/fabric.hpp"

namespace weft::comm {

class UcxLane;

// What an active message of ours is, as UCX numbers it.
inline constexpr unsigned kUcxBatch = 1;
inline constexpr unsigned kUcxBlock = 2;

/// Goes before every active message. A receiver drops what does not know its token: 64 random bits.
struct UcxHead {
  std::uint64_t token = 0;
  std::uint64_t number = 0;  // of the batch or block, counted by each direction from 0
};

/// UCX's context and worker of this process, and which lane each active message belongs to.
/// Owns: both, and the event descriptor that UCX lends. Threading: that of its transport.
class UcxFabric final : public Fabric {
 public:
  static std::unique_ptr<UcxFabric> open(const std::string& interface, std::string& why);
  ~UcxFabric() override;

  const std::string& address() const override { return address_; }
  std::unique_ptr<FabricLane> make_lane(LaneUser& user) override;
  bool progress() override { return ucp_worker_progress(worker_) != 0; }
  int event_fd() const override { return event_fd_; }
  bool may_sleep() override { return ucp_worker_arm(worker_) == UCS_OK; }
  std::string_view description() const override { return description_; }

  ucp_worker_h worker() const { return worker_; }
  bool moves_device() const { return (memory_types_ & UCS_BIT(UCS_MEMORY_TYPE_CUDA)) != 0; }
  std::uint64_t enter(UcxLane* lane);
  void leave(std::uint64_t token) { lanes_.erase(token); }
  /// A lane has ended whose connection UCX may not have finished to set up: the worker stays until the process ends.
  void never_destroy() { destroy_ = false; }

 private:
  UcxFabric() = default;
  bool start(const std::string& interface, std::string& why);
  static ucs_status_t batch_came(void* self, const void* header, size_t header_length, void* data, size_t length,
                                 const ucp_am_recv_param_t* param);
  static ucs_status_t block_came(void* self, const void* header, size_t header_length, void* data, size_t length,
                                 const ucp_am_recv_param_t* param);
  UcxLane* lane_of(const void* header, size_t header_length, UcxHead& head) const;

  ucp_context_h context_ = nullptr;
  ucp_worker_h worker_ = nullptr;
  std::string address_;
  std::string description_;
  int event_fd_ = -1;  // UCX's own
  bool destroy_ = true;
  std::uint64_t memory_types_ = 0;
  std::unordered_map<std::uint64_t, UcxLane*> lanes_;
};

}  // namespace weft::comm
