#include "comm/lane.hpp"

#include <algorithm>
#include <cstring>

namespace weft::comm {
namespace {
constexpr std::size_t kStage = std::size_t{256} << 10;
}

void BlockQueues::announce_next() {
  Out& block = out_[announced_];
  block.announced = true;
  ++announced_;
  // An empty block is over when its offer is out; others keep their order before it.
  while (!out_.empty() && out_.front().announced && out_.front().bytes == 0) {
    user_.sent(out_.front().token, true);
    out_.pop_front();
    --announced_;
  }
}

std::span<const std::byte> BlockQueues::next_out(std::size_t most) {
  if (out_.empty() || !out_.front().announced) return {};
  const Out& block = out_.front();
  const std::size_t count = std::min(most, block.bytes - block.done);
  if (block.kind == MemoryKind::Host) return {block.data + block.done, count};
  if (out_staged_ == 0) {
    out_stage_.resize(kStage);
    out_staged_ = std::min(kStage, block.bytes - block.done);
    user_.device()->to_host(out_stage_.data(), block.data + block.done, out_staged_);
  }
  return {out_stage_.data(), std::min(count, out_staged_)};
}

void BlockQueues::took(std::size_t bytes) {
  Out& block = out_.front();
  block.done += bytes;
  if (block.kind == MemoryKind::Device) {
    out_staged_ -= bytes;
    // The rest of the piece moves to the front; pieces mostly go at once.
    if (out_staged_ > 0) std::memmove(out_stage_.data(), out_stage_.data() + bytes, out_staged_);
  }
  user_.moved();
  while (!out_.empty() && out_.front().announced && out_.front().done == out_.front().bytes) {
    user_.sent(out_.front().token, true);
    out_.pop_front();
    --announced_;
  }
}

bool BlockQueues::take_offer(std::span<const std::byte> payload) {
  if (payload.size() < kOfferPrefix) return false;
  std::uint64_t bytes;
  std::memcpy(&bytes, payload.data(), sizeof bytes);
  const BlockTarget target = user_.offered(payload.subspan(kOfferPrefix), bytes);
  if (!user_.live()) {
    // The listener closed the connection from within the call.
    if (target.data != nullptr) user_.arrived(target.token, false);
    return true;
  }
  if (bytes == 0) {
    if (target.data != nullptr) user_.arrived(target.token, true);
    return true;
  }
  in_.push_back({static_cast<std::byte*>(target.data), bytes, 0, target.kind, target.token});
  return true;
}

std::span<std::byte> BlockQueues::landing(std::size_t most) {
  if (in_.empty()) return {};
  const In& block = in_.front();
  const std::size_t count = std::min(most, block.bytes - block.done);
  if (block.data != nullptr && block.kind == MemoryKind::Host) return {block.data + block.done, count};
  in_stage_.resize(kStage);
  return {in_stage_.data(), std::min(count, kStage)};
}

void BlockQueues::landed(std::size_t bytes) {
  In& block = in_.front();
  if (block.data != nullptr && block.kind == MemoryKind::Device)
    user_.device()->to_device(block.data + block.done, in_stage_.data(), bytes);
  block.done += bytes;
  user_.moved();
  if (block.done < block.bytes) return;
  const In ended = block;
  in_.pop_front();
  if (ended.data != nullptr) user_.arrived(ended.token, true);
}

void BlockQueues::end_all() {
  const std::deque<In> in = std::move(in_);
  const std::deque<Out> out = std::move(out_);
  in_.clear();
  out_.clear();
  announced_ = 0;
  out_staged_ = 0;
  for (const Out& block : out) user_.sent(block.token, false);
  for (const In& block : in)
    if (block.data != nullptr) user_.arrived(block.token, false);
}

}  // namespace weft::comm
