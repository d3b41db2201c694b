#include "comm/wire_lane.hpp"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace weft::comm {
namespace {

constexpr std::size_t kBuffer = std::size_t{64} << 10;
/// Between two pieces of a block, messages pass.
constexpr std::size_t kPiece = std::size_t{512} << 10;
/// What one call moves at most, so that other connections get their turn.
constexpr std::size_t kTurn = std::size_t{4} << 20;
constexpr std::size_t kMostPayload = kMostMessageBytes + 4096;
/// Smaller pieces are not worth compressing.
constexpr std::size_t kLeastPacked = std::size_t{16} << 10;
/// What a packed piece begins with: the bytes that come of it, the codec.
constexpr std::size_t kPackedHead = 8;

Nanoseconds clock_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void write_head(std::byte* to, Frame kind, std::size_t bytes) {
  const auto length = static_cast<std::uint32_t>(bytes);
  std::memset(to, 0, kFrameHead);
  std::memcpy(to, &length, sizeof length);
  to[4] = static_cast<std::byte>(kind);
}

}  // namespace

WireLane::WireLane(Stream stream, LaneUser& user, Control control)
    : stream_(std::move(stream)), user_(user), control_(std::move(control)), blocks_(user) {}

void WireLane::put(Frame kind, std::span<const std::byte> first, std::span<const std::byte> second) {
  const std::size_t bytes = first.size() + second.size();
  const std::size_t at = out_.size();
  out_.resize(at + kFrameHead + bytes);
  write_head(out_.data() + at, kind, bytes);
  if (!first.empty()) std::memcpy(out_.data() + at + kFrameHead, first.data(), first.size());
  if (!second.empty()) std::memcpy(out_.data() + at + kFrameHead + first.size(), second.data(), second.size());
}

void WireLane::put_raw(std::span<const std::byte> bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

void WireLane::send_block(std::span<const std::byte> header, const void* data, std::size_t bytes, MemoryKind kind,
                          std::uint64_t token) {
  const std::uint64_t size = bytes;
  put(Frame::Offer, std::as_bytes(std::span(&size, 1)), header);
  blocks_.push({static_cast<const std::byte*>(data), bytes, 0, kind, token, false});
  blocks_.announce_next();  // data is only sent once all frames are out
}

/// Compresses the next piece of a block into what goes out; false if it goes as it is.
bool WireLane::pack_piece() {
  const Codec codec = packing_.next();
  if (codec == Codec::None) return false;
  const std::span<const std::byte> data = blocks_.next_out(kPiece);
  if (data.size() < kLeastPacked) return false;
  out_.resize(kFrameHead + kPackedHead);
  const bool shrank = compress(codec, data, out_);
  packing_.tried(shrank);
  if (!shrank) {
    out_.clear();
    return false;
  }
  const auto raw = static_cast<std::uint32_t>(data.size());
  write_head(out_.data(), Frame::Packed, out_.size() - kFrameHead);
  std::memset(out_.data() + kFrameHead, 0, kPackedHead);
  std::memcpy(out_.data() + kFrameHead, &raw, sizeof raw);
  out_[kFrameHead + sizeof raw] = static_cast<std::byte>(codec);
  blocks_.took(data.size());
  return true;
}

std::ptrdiff_t WireLane::write_some() {
  if (piece_left_ == 0 && out_begin_ == out_.size() && !blocks_.nothing_out()) pack_piece();
  iovec parts[3];
  std::size_t count = 0;
  if (piece_left_ == 0 && out_begin_ < out_.size())
    parts[count++] = {out_.data() + out_begin_, out_.size() - out_begin_};
  std::span<const std::byte> data;
  // Behind frames a piece goes along, unless it is to be compressed once they are out.
  if (piece_left_ > 0 || out_begin_ == out_.size() || !packing_.active())
    data = blocks_.next_out(piece_left_ > 0 ? piece_left_ : kPiece);
  if (piece_left_ == 0 && !data.empty()) {
    write_head(piece_head_, Frame::Data, data.size());
    piece_head_left_ = kFrameHead;
    piece_left_ = data.size();
  }
  if (piece_head_left_ > 0) parts[count++] = {piece_head_ + kFrameHead - piece_head_left_, piece_head_left_};
  if (piece_left_ > 0) parts[count++] = {const_cast<std::byte*>(data.data()), data.size()};
  if (count == 0) return 0;
  const ssize_t wrote = stream_.write(parts, static_cast<int>(count));
  // A piece of which nothing is out yet may be chosen anew: frames that come meanwhile go first.
  const bool with_frames = count > 0 && parts[0].iov_base == out_.data() + out_begin_ && out_begin_ < out_.size();
  std::size_t left = wrote > 0 ? static_cast<std::size_t>(wrote) : 0;
  if (with_frames) {
    const std::size_t frames = std::min(left, out_.size() - out_begin_);
    out_begin_ += frames;
    left -= frames;
    if (out_begin_ == out_.size()) {
      out_.clear();
      out_begin_ = 0;
      if (out_.capacity() > 4 * kBuffer) out_.shrink_to_fit();
    }
  }
  const std::size_t head = std::min(left, piece_head_left_);
  piece_head_left_ -= head;
  left -= head;
  if (left > 0) {
    piece_left_ -= left;
    blocks_.took(left);
  }
  if (piece_head_left_ == kFrameHead) {
    piece_head_left_ = 0;
    piece_left_ = 0;
  }
  return wrote;
}

bool WireLane::move_out() {
  bool moved = false;
  stream_.flush();
  for (std::size_t total = 0; total < kTurn && !write_failed_ && !out_empty();) {
    const std::ptrdiff_t wrote = write_some();
    if (wrote < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) packing_.full(clock_now());
      // What the other side sent before it went may still be unread: the reading side tells the end.
      if (errno != EAGAIN && errno != EWOULDBLOCK) write_failed_ = true;
      break;
    }
    if (wrote == 0) break;
    moved = true;
    total += static_cast<std::size_t>(wrote);
    packing_.wrote(static_cast<std::size_t>(wrote));
  }
  if (out_empty()) packing_.idle();
  return moved;
}

void WireLane::make_room(std::size_t bytes) {
  if (in_begin_ == in_end_) in_begin_ = in_end_ = 0;
  const std::size_t wanted = std::max(bytes, kBuffer);
  if (in_capacity_ - in_begin_ >= wanted && in_end_ < in_capacity_) return;
  const std::size_t held = in_end_ - in_begin_;
  if (in_capacity_ < wanted || (held == 0 && in_capacity_ > 4 * kBuffer && wanted == kBuffer)) {
    std::unique_ptr<std::byte[]> larger(new std::byte[wanted]);
    if (held > 0) std::memcpy(larger.get(), in_.get() + in_begin_, held);
    in_ = std::move(larger);
    in_capacity_ = wanted;
  } else if (held > 0) {
    std::memmove(in_.get(), in_.get() + in_begin_, held);
  }
  in_begin_ = 0;
  in_end_ = held;
}

bool WireLane::fill() {
  if (ended_) return false;
  std::size_t needed = 0;
  if (const std::size_t held = in_end_ - in_begin_; held >= kFrameHead && data_left_ == 0) {
    std::uint32_t length;
    std::memcpy(&length, in_.get() + in_begin_, sizeof length);
    if (length <= kMostPayload) needed = kFrameHead + length;
  }
  make_room(needed);
  iovec parts[2];
  std::size_t count = 0;
  std::span<std::byte> place;
  if (data_left_ > 0 && in_begin_ == in_end_) {
    place = blocks_.landing(data_left_);
    parts[count++] = {place.data(), place.size()};
  }
  // Behind the end of a piece only the next frame's head is read: if that is a piece too, it goes where it belongs.
  const std::size_t room = in_capacity_ - in_end_;
  const bool ends_piece = data_left_ > 0 && place.size() == data_left_;
  parts[count++] = {in_.get() + in_end_, ends_piece ? std::min(room, kFrameHead) : room};
  const ssize_t got = stream_.read(parts, static_cast<int>(count));
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  if (got <= 0) {
    ended_ = true;
    error_ = got < 0 ? errno : 0;
    return false;
  }
  auto left = static_cast<std::size_t>(got);
  const std::size_t direct = std::min(left, place.size());
  in_end_ += left - direct;
  if (direct > 0) {
    data_left_ -= direct;
    blocks_.landed(direct);
  }
  return true;
}

bool WireLane::land() {
  while (data_left_ > 0 && in_begin_ < in_end_) {
    const std::span<std::byte> place = blocks_.landing(std::min(data_left_, in_end_ - in_begin_));
    if (place.empty()) {
      user_.broken("it sent data of a block that it had not offered");
      return false;
    }
    std::memcpy(place.data(), in_.get() + in_begin_, place.size());
    in_begin_ += place.size();
    data_left_ -= place.size();
    blocks_.landed(place.size());
    if (!user_.live()) return false;
  }
  return true;
}

void WireLane::take_packed(std::span<const std::byte> payload) {
  std::uint32_t raw = 0;
  if (payload.size() > kPackedHead) std::memcpy(&raw, payload.data(), sizeof raw);
  if (raw == 0 || raw > kPiece || raw > blocks_.left_in()) {
    user_.broken("it sent data of a block that it had not offered");
    return;
  }
  const auto codec = static_cast<Codec>(payload[sizeof raw]);
  unpacked_.resize(raw);
  if (!decompress(codec, payload.subspan(kPackedHead), unpacked_)) {
    user_.broken("it sent a compressed piece of a block that makes no sense");
    return;
  }
  for (std::size_t at = 0; at < raw && user_.live();) {
    const std::span<std::byte> place = blocks_.landing(raw - at);
    std::memcpy(place.data(), unpacked_.data() + at, place.size());
    at += place.size();
    blocks_.landed(place.size());
  }
}

bool WireLane::take_frame(Frame kind, std::span<const std::byte> payload) {
  switch (kind) {
    case Frame::Message:
      user_.message(payload);
      break;
    case Frame::Offer:
      if (!blocks_.take_offer(payload)) user_.broken("it offered a block without a size");
      break;
    case Frame::Introduction:
    case Frame::Wake:
    case Frame::Goodbye:
      control_(kind, payload);
      break;
    case Frame::Packed:
      take_packed(payload);
      break;
    case Frame::Data:
      break;  // seen before
    default:
      user_.broken("it sent a frame of a kind that does not exist");
      break;
  }
  return user_.live();
}

bool WireLane::parse() {
  while (user_.live() && land() && in_end_ - in_begin_ >= kFrameHead) {
    const std::byte* head = in_.get() + in_begin_;
    std::uint32_t length;
    std::memcpy(&length, head, sizeof length);
    const auto kind = static_cast<Frame>(head[4]);
    if (kind == Frame::Data) {
      if (blocks_.nothing_in() || length == 0) {
        user_.broken("it sent data of a block that it had not offered");
        return false;
      }
      data_left_ = length;
      in_begin_ += kFrameHead;
      continue;
    }
    if (length > kMostPayload) {
      user_.broken("it sent a frame of " + std::to_string(length) + " bytes");
      return false;
    }
    if (in_end_ - in_begin_ < kFrameHead + length) break;
    in_begin_ += kFrameHead + length;
    if (!take_frame(kind, {head + kFrameHead, length})) return false;
  }
  return user_.live();
}

bool WireLane::move_in() {
  bool moved = false;
  std::size_t before = in_end_ - in_begin_;
  if (before > 0) moved = parse() && in_end_ - in_begin_ < before;
  for (std::size_t total = 0; total < kTurn && user_.live();) {
    const std::size_t data_before = data_left_;
    before = in_end_ - in_begin_;
    if (!fill()) break;
    moved = true;
    // A read that did not fill what it was given has emptied the socket; the next turn reads on.
    const std::size_t got = (data_before - data_left_) + (in_end_ - in_begin_ - before);
    total += got;
    if (!parse()) break;
    if (got < kBuffer / 2 && data_left_ == 0 && !stream_.may_hold()) break;
  }
  return moved;
}

}  // namespace weft::comm
