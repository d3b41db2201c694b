#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "comm/compression.hpp"
#include "comm/lane.hpp"
#include "comm/stream.hpp"

namespace weft::comm {

/// What a frame on a socket is. A frame: u32 payload bytes, u8 kind, three zero bytes, payload.
enum class Frame : std::uint8_t {
  Introduction = 1,  // once each way, after the handshake
  Message = 2,
  Offer = 3,    // u64 bytes, header
  Data = 4,     // the next bytes of the oldest block that is not complete
  Wake = 5,     // look at the rings
  Goodbye = 6,  // closed on purpose; u64: units that went another way; nothing follows
  Packed = 7,   // as Data, compressed: u32 bytes that come of it, u8 codec, three zero bytes, the rest
};
inline constexpr std::size_t kFrameHead = 8;

/// The socket of a connection, as a lane: frames for messages and offers, and between them the data of one block after
/// the other in pieces, read into its place without a copy. Also carries introductions, wake-ups and the end of
/// connections whose messages go another way.
/// Owns: nothing of the socket; its buffers. Threading: that of its transport.
class WireLane final : public Lane {
 public:
  /// Frames that are neither messages nor blocks.
  using Control = std::function<void(Frame kind, std::span<const std::byte> payload)>;

  WireLane(Stream stream, LaneUser& user, Control control);

  void send(std::span<const std::byte> bytes) override { put(Frame::Message, {}, bytes); }
  void send_block(std::span<const std::byte> header, const void* data, std::size_t bytes, MemoryKind kind,
                  std::uint64_t token) override;
  bool move_out() override;
  bool move_in() override;
  bool out_empty() const override {
    return out_begin_ == out_.size() && piece_left_ == 0 && blocks_.nothing_out() && !stream_.unsent();
  }
  bool carries_blocks() const override { return !blocks_.empty(); }
  bool end_blocks() override {
    blocks_.end_all();
    return true;
  }
  std::string_view name() const override { return "tcp"; }
  /// For the hand-shake before the first byte, and its end.
  Stream& stream() { return stream_; }

  /// From now on pieces of blocks may go compressed.
  void pack(const Packing& packing) { packing_ = packing; }
  const Packing& packing() const { return packing_; }

  void put(Frame kind, std::span<const std::byte> first, std::span<const std::byte> second);
  /// Bytes without a frame: the handshake.
  void put_raw(std::span<const std::byte> bytes);
  /// Reads what has come without looking at it; false at the end of the stream or on an error, which `ended` then says.
  bool fill();
  /// The bytes that were read and not used up.
  std::span<const std::byte> unread() const { return {in_.get() + in_begin_, in_end_ - in_begin_}; }
  void use(std::size_t bytes) { in_begin_ += bytes; }

  /// The other side has closed, or the socket has failed: everything that came before has been handed over.
  bool ended() const { return ended_; }
  /// Zero if the other side closed in order.
  int error() const { return error_; }
  /// More may have come than the socket tells of: `fill` finds it.
  bool may_hold() const { return !ended_ && stream_.may_hold(); }
  /// A piece of a block is half sent: no frame can follow unless it is completed.
  bool inside_piece() const { return piece_left_ > 0; }

 private:
  bool parse();
  bool land();
  bool take_frame(Frame kind, std::span<const std::byte> payload);
  void take_packed(std::span<const std::byte> payload);
  bool pack_piece();
  void make_room(std::size_t bytes);
  std::ptrdiff_t write_some();

  Stream stream_;
  LaneUser& user_;
  const Control control_;
  BlockQueues blocks_;
  Packing packing_;
  std::vector<std::byte> unpacked_;

  // Out: frames, then pieces of blocks. A piece that was begun is finished before the next frame.
  std::vector<std::byte> out_;
  std::size_t out_begin_ = 0;
  std::byte piece_head_[kFrameHead] = {};
  std::size_t piece_head_left_ = 0;
  std::size_t piece_left_ = 0;  // bytes of data
  bool write_failed_ = false;

  // In. Not initialised before it is read into.
  std::unique_ptr<std::byte[]> in_;
  std::size_t in_capacity_ = 0;
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  std::size_t data_left_ = 0;  // of the piece that is coming in
  bool ended_ = false;
  int error_ = 0;
};

}  // namespace weft::comm
