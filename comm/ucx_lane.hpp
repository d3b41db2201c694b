#pragma once

#include <ucp/api/ucp.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "comm/ucx_fabric.hpp"

namespace weft::comm {

/// The lane over UCX: batches of messages and offers as eager active messages, blocks by rendezvous into the memory
/// that the listener names. Its endpoint is opened in error mode: it never uses shared memory, and a dead peer
/// completes every request. Owns: the endpoint, and what UCX may still touch until its request has completed.
/// Threading: that of its transport.
class UcxLane final : public FabricLane {
 public:
  UcxLane(UcxFabric& fabric, LaneUser& user) : fabric_(fabric), user_(user), token_(fabric.enter(this)) {}
  ~UcxLane() override;

  std::uint64_t token() const override { return token_; }
  bool join(const std::string& address, std::uint64_t token, std::string& why) override;

  void send(std::span<const std::byte> bytes) override { put(Record::Message, {}, bytes); }
  void send_block(std::span<const std::byte> header, const void* data, std::size_t bytes, MemoryKind kind,
                  std::uint64_t token) override;
  bool move_out() override;
  bool move_in() override;
  bool out_empty() const override { return batch_.empty() && batches_.empty() && out_.empty(); }
  bool carries_blocks() const override { return !out_.empty() || !in_.empty(); }
  bool end_blocks() override;
  std::uint64_t units_out() const override { return next_batch_out_; }
  std::uint64_t units_in() const override { return next_batch_in_; }
  std::string_view name() const override { return fabric_.description(); }

  void batch_came(std::uint64_t number, std::span<const std::byte> bytes) {
    came_[number].assign(bytes.begin(), bytes.end());
  }
  ucs_status_t block_came(std::uint64_t number, void* data, std::size_t length, bool rendezvous);
  void failed(ucs_status_t status) { user_.broken(std::string("the fabric broke: ") + ucs_status_string(status)); }

 private:
  // What UCX may still touch. Kept until its request has completed.
  struct Batch {
    UcxLane* lane;
    std::vector<std::byte> bytes;
    UcxHead head;
  };
  struct Out {
    UcxLane* lane;
    UcxHead head;
    std::uint64_t token;
    std::vector<std::byte> stage;  // of device memory that UCX cannot reach
    bool posted = false;
    bool done = false;
    bool ok = false;
  };
  struct In {
    UcxLane* lane = nullptr;
    BlockTarget target;
    std::size_t bytes = 0;
    bool offered = false;
    void* descriptor = nullptr;  // of the rendezvous
    std::vector<std::byte> stage;
    bool posted = false;
    bool done = false;
    bool ok = false;
  };
  struct Pending {  // blocks that wait for the endpoint
    std::uint64_t number;
    const void* data;
    std::size_t bytes;
    MemoryKind kind;
  };

  enum class Record : std::uint8_t { Message = 1, Offer = 2, Data = 3 };

  void put(Record kind, std::span<const std::byte> first, std::span<const std::byte> second);
  bool send_batch();
  void post_out(const Pending& block);
  void post_in(std::uint64_t number, In& block);
  bool read_batch(std::span<const std::byte> bytes);
  bool take_offer(std::span<const std::byte> payload);
  bool take_data(std::span<const std::byte> payload);
  bool finish_blocks();
  void close_endpoint();
  void set_memory(ucp_request_param_t& param, MemoryKind kind) const;

  static void batch_sent(void* request, ucs_status_t status, void* user_data);
  static void block_sent(void* request, ucs_status_t status, void* user_data);
  static void block_received(void* request, ucs_status_t status, size_t length, void* user_data);
  static void endpoint_failed(void* self, ucp_ep_h, ucs_status_t status) {
    static_cast<UcxLane*>(self)->failed(status);
  }

  UcxFabric& fabric_;
  LaneUser& user_;
  const std::uint64_t token_;
  std::uint64_t other_token_ = 0;
  ucp_ep_h endpoint_ = nullptr;
  void* closing_ = nullptr;
  std::size_t requests_ = 0;

  std::vector<std::byte> batch_;
  std::unordered_map<Batch*, std::unique_ptr<Batch>> batches_;
  std::uint64_t next_batch_out_ = 0, next_block_out_ = 0;
  std::vector<Pending> pending_;
  std::map<std::uint64_t, std::unique_ptr<Out>> out_;

  std::map<std::uint64_t, std::vector<std::byte>> came_;  // batches, also those ahead of their turn
  std::uint64_t next_batch_in_ = 0, next_block_in_ = 0;
  std::map<std::uint64_t, std::unique_ptr<In>> in_;
  std::vector<std::uint64_t> inline_;  // at most one: the block whose data is the next record
  BlockTarget inline_target_;
  std::size_t inline_bytes_ = 0;
};

}  // namespace weft::comm
