#include "comm/ring_lane.hpp"

#include <algorithm>
#include <cstring>

namespace weft::comm {
namespace {

// Measured: pieces of this size, in a ring of eight to sixteen of them, stay in the caches of both cores.
constexpr std::size_t kPiece = std::size_t{64} << 10;
constexpr std::size_t kTurn = std::size_t{1} << 20;
constexpr int kRecordsTurn = 256;
// A reader that polls sees a batch no later than this many bytes after its first message.
constexpr std::uint64_t kPublish = 8192;

}  // namespace

RingLane::RingLane(SharedSegment segment, int side, LaneUser& user, std::function<void()> wake)
    : segment_(std::move(segment)),
      user_(user),
      wake_(std::move(wake)),
      mine_(segment_.head().sides[side].asleep),
      theirs_(segment_.head().sides[1 - side].asleep),
      out_(segment_.head().messages[side], segment_.message_ring(side)),
      in_(segment_.head().messages[1 - side], segment_.message_ring(1 - side)),
      bulk_out_(segment_.head().bulk[side], segment_.bulk_ring(side)),
      bulk_in_(segment_.head().bulk[1 - side], segment_.bulk_ring(1 - side)),
      blocks_(user) {}

void RingLane::write(std::uint8_t kind, std::span<const std::byte> first, std::span<const std::byte> second) {
  const std::size_t bytes = first.size() + second.size();
  if (waiting_.empty() && bytes <= out_.most_payload()) {
    if (std::byte* place = out_.reserve(bytes, kind); place != nullptr) {
      if (!first.empty()) std::memcpy(place, first.data(), first.size());
      if (!second.empty()) std::memcpy(place + first.size(), second.data(), second.size());
      out_.commit();
      if (kind == kOffer) blocks_.announce_next();
      if (out_.unpublished() >= kPublish) publish();
      return;
    }
  }
  Waiting rest{kind, {}, 0};
  rest.payload.reserve(bytes);
  rest.payload.insert(rest.payload.end(), first.begin(), first.end());
  rest.payload.insert(rest.payload.end(), second.begin(), second.end());
  waiting_.push_back(std::move(rest));
}

bool RingLane::put(std::uint8_t kind, std::span<const std::byte> payload, std::size_t& done) {
  for (;;) {
    const std::size_t left = payload.size() - done;
    const std::size_t count = std::min(left, out_.most_payload());
    const std::uint8_t more = count < left ? kMore : 0;
    std::byte* place = out_.reserve(count, static_cast<std::uint8_t>(kind | more));
    if (place == nullptr) return false;
    if (count > 0) std::memcpy(place, payload.data() + done, count);
    out_.commit();
    done += count;
    if (more == 0) return true;
  }
}

void RingLane::send_block(std::span<const std::byte> header, const void* data, std::size_t bytes, MemoryKind kind,
                          std::uint64_t token) {
  const std::uint64_t size = bytes;
  blocks_.push({static_cast<const std::byte*>(data), bytes, 0, kind, token, false});
  write(kOffer, std::as_bytes(std::span(&size, 1)), header);
}

void RingLane::publish() {
  out_.publish();
  wake_other(Asleep::ForInput);
}

void RingLane::wake_other(Asleep least) {
  // The other side stores its flag, fences, and looks at the counters; we have stored a counter: one of us sees the
  // other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (theirs_.load(std::memory_order_relaxed) < static_cast<std::uint32_t>(least)) return;
  if (theirs_.exchange(static_cast<std::uint32_t>(Asleep::No), std::memory_order_relaxed) != 0) wake_();
}

bool RingLane::move_out() {
  bool moved = false;
  while (!waiting_.empty()) {
    Waiting& first = waiting_.front();
    const std::size_t before = first.done;
    const bool all = put(first.kind, first.payload, first.done);
    moved |= all || first.done > before;
    if (!all) break;
    if (first.kind == kOffer) blocks_.announce_next();
    waiting_.pop_front();
  }
  if (out_.unpublished() > 0) {
    publish();
    moved = true;
  }
  return bulk_out() || moved;
}

bool RingLane::bulk_out() {
  std::size_t total = 0;
  while (total < kTurn && !blocks_.nothing_out()) {
    const std::span<std::byte> place = bulk_out_.place(kPiece);
    if (place.empty()) break;
    const std::span<const std::byte> data = blocks_.next_out(place.size());
    if (data.empty()) break;
    std::memcpy(place.data(), data.data(), data.size());
    bulk_out_.publish(data.size());
    total += data.size();
    wake_other(Asleep::ForInput);
    blocks_.took(data.size());
  }
  return total > 0;
}

bool RingLane::take(std::uint8_t kind, std::span<const std::byte> payload) {
  if ((kind & kMore) != 0 || !assembled_.empty()) {
    if (assembled_.size() + payload.size() > kMostMessageBytes + kOfferPrefix) {
      user_.broken("it sent a message without an end");
      return false;
    }
    assembled_.insert(assembled_.end(), payload.begin(), payload.end());
    if ((kind & kMore) != 0) return true;
    payload = assembled_;
  }
  const auto whole = static_cast<std::uint8_t>(kind & ~kMore);
  if (whole == kMessage) {
    user_.message(payload);
  } else if (whole != kOffer || !blocks_.take_offer(payload)) {
    user_.broken("it wrote what is no message");
  }
  assembled_.clear();
  return user_.live();
}

bool RingLane::read_records() {
  bool any = false;
  RecordReader::Record record;
  for (int i = 0; i < kRecordsTurn && in_.next(record); ++i) {
    any = true;
    if (!take(record.kind, record.payload)) break;
  }
  in_.release();
  if (in_.damaged()) user_.broken("it wrote what is no message");
  return any;
}

bool RingLane::bulk_in() {
  std::size_t total = 0;
  while (total < kTurn && user_.live()) {
    const std::span<std::byte> place = blocks_.landing(kPiece);
    if (place.empty()) break;  // its offer is still among the records
    const std::span<const std::byte> data = bulk_in_.piece(place.size());
    if (data.empty()) break;
    std::memcpy(place.data(), data.data(), data.size());
    bulk_in_.release(data.size());
    total += data.size();
    wake_other(Asleep::ForInputOrSpace);
    blocks_.landed(data.size());
  }
  if (bulk_in_.damaged()) user_.broken("it wrote what is no block");
  return total > 0;
}

bool RingLane::move_in() {
  bool moved = false;
  if (in_.readable()) {
    moved = read_records();
    if (moved) wake_other(Asleep::ForInputOrSpace);
  }
  if (user_.live() && !blocks_.nothing_in()) moved |= bulk_in();
  return moved;
}

bool RingLane::can_go_out() {
  if (!waiting_.empty() && out_.has_room()) return true;
  return !blocks_.nothing_out() && !blocks_.next_out(1).empty() && !bulk_out_.place(1).empty();
}

bool RingLane::fall_asleep() {
  const bool for_space = !out_empty();
  mine_.store(static_cast<std::uint32_t>(for_space ? Asleep::ForInputOrSpace : Asleep::ForInput),
              std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return !readable() && !(for_space && can_go_out()) && out_.unpublished() == 0;
}

}  // namespace weft::comm
