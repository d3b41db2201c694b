#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "comm/lane.hpp"
#include "comm/ring.hpp"

namespace weft::comm {

/// The fast path inside a node: records for messages and offers, and a ring of bytes that the data of blocks is copied
/// through in pieces that stay in cache. A peer that is killed leaves memory that only this process maps.
/// Owns: the segment. Threading: that of its transport.
class RingLane final : public Lane {
 public:
  /// `side`: 0 for the connector. `wake`: makes the other process look, through the socket.
  RingLane(SharedSegment segment, int side, LaneUser& user, std::function<void()> wake);

  void send(std::span<const std::byte> bytes) override { write(kMessage, {}, bytes); }
  void send_block(std::span<const std::byte> header, const void* data, std::size_t bytes, MemoryKind kind,
                  std::uint64_t token) override;
  bool move_out() override;
  bool move_in() override;
  bool out_empty() const override { return waiting_.empty() && blocks_.nothing_out() && out_.unpublished() == 0; }
  bool carries_blocks() const override { return !blocks_.empty(); }
  bool end_blocks() override {
    blocks_.end_all();
    return true;
  }
  std::string_view name() const override { return "shared memory"; }

  bool readable() const { return in_.readable() || (bulk_in_.readable() && !blocks_.nothing_in()); }
  /// Tells the other side that this one sleeps. False if there is something to do: then it must not.
  bool fall_asleep();
  void awake() { mine_.store(static_cast<std::uint32_t>(Asleep::No), std::memory_order_relaxed); }
  void forget_fd() { segment_.forget_fd(); }

 private:
  static constexpr std::uint8_t kMessage = 1;
  static constexpr std::uint8_t kOffer = 2;
  static constexpr std::uint8_t kMore = 0x80;  // the record goes on in the next one

  struct Waiting {
    std::uint8_t kind;
    std::vector<std::byte> payload;
    std::size_t done = 0;
  };

  void write(std::uint8_t kind, std::span<const std::byte> first, std::span<const std::byte> second);
  /// Puts as much as there is room for in records; returns how many bytes, and whether all.
  bool put(std::uint8_t kind, std::span<const std::byte> payload, std::size_t& done);
  void publish();
  void wake_other(Asleep least);
  bool read_records();
  bool take(std::uint8_t kind, std::span<const std::byte> payload);
  bool can_go_out();
  bool bulk_out();
  bool bulk_in();

  SharedSegment segment_;
  LaneUser& user_;
  const std::function<void()> wake_;
  std::atomic<std::uint32_t>& mine_;
  std::atomic<std::uint32_t>& theirs_;
  RecordWriter out_;
  RecordReader in_;
  BytesWriter bulk_out_;
  BytesReader bulk_in_;
  BlockQueues blocks_;
  std::deque<Waiting> waiting_;       // found no room in the ring
  std::vector<std::byte> assembled_;  // the parts of a record that is still coming
};

}  // namespace weft::comm
