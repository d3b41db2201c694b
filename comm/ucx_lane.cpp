#include "comm/ucx_lane.hpp"

#include <weft/log.hpp>

#include <chrono>
#include <cstring>
#include <utility>

#include "comm/ucx_status.hpp"

namespace weft::comm {
namespace {

// Blocks up to this size travel inside their batch.
constexpr std::size_t kInline = std::size_t{16} << 10;
constexpr std::size_t kBatchBytes = std::size_t{64} << 10;
constexpr std::size_t kBatchesOut = 16;
constexpr std::size_t kRecordHead = 8;
constexpr auto kForcedClose = std::chrono::seconds(2);

}  // namespace

// --- Outwards.

bool UcxLane::join(const std::string& address, std::uint64_t token, std::string& why) {
  other_token_ = token;
  ucp_ep_params_t params{};
  params.field_mask =
      UCP_EP_PARAM_FIELD_REMOTE_ADDRESS | UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE | UCP_EP_PARAM_FIELD_ERR_HANDLER;
  params.address = reinterpret_cast<const ucp_address_t*>(address.data());
  params.err_mode = UCP_ERR_HANDLING_MODE_PEER;
  params.err_handler.cb = &UcxLane::endpoint_failed;
  params.err_handler.arg = this;
  return ucx_good(ucp_ep_create(fabric_.worker(), &params, &endpoint_), "ucp_ep_create", why);
}

void UcxLane::put(Record kind, std::span<const std::byte> first, std::span<const std::byte> second) {
  const auto bytes = static_cast<std::uint32_t>(first.size() + second.size());
  const std::size_t at = batch_.size();
  batch_.resize(at + kRecordHead + bytes);
  std::memset(batch_.data() + at, 0, kRecordHead);
  std::memcpy(batch_.data() + at, &bytes, sizeof bytes);
  batch_[at + 4] = static_cast<std::byte>(kind);
  if (!first.empty()) std::memcpy(batch_.data() + at + kRecordHead, first.data(), first.size());
  if (!second.empty()) std::memcpy(batch_.data() + at + kRecordHead + first.size(), second.data(), second.size());
  if (batch_.size() >= kBatchBytes) send_batch();
}

void UcxLane::set_memory(ucp_request_param_t& param, MemoryKind kind) const {
  if (kind != MemoryKind::Device) return;
  param.op_attr_mask |= UCP_OP_ATTR_FIELD_MEMORY_TYPE;
  param.memory_type = UCS_MEMORY_TYPE_CUDA;
}

bool UcxLane::send_batch() {
  if (endpoint_ == nullptr || batch_.empty() || batches_.size() >= kBatchesOut || closing_ != nullptr) return false;
  auto batch = std::make_unique<Batch>(Batch{this, std::exchange(batch_, {}), {other_token_, next_batch_out_++}});
  ucp_request_param_t param{};
  param.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FIELD_FLAGS;
  param.flags = UCP_AM_SEND_FLAG_EAGER;
  param.cb.send = &UcxLane::batch_sent;
  param.user_data = batch.get();
  Batch& one = *batch;
  batches_.emplace(&one, std::move(batch));
  const ucs_status_ptr_t request =
      ucp_am_send_nbx(endpoint_, kUcxBatch, &one.head, sizeof one.head, one.bytes.data(), one.bytes.size(), &param);
  if (UCS_PTR_IS_ERR(request)) {
    failed(UCS_PTR_STATUS(request));
    batches_.erase(&one);
  } else if (request == nullptr) {
    batches_.erase(&one);
  } else {
    ++requests_;
  }
  return true;
}

void UcxLane::batch_sent(void* request, ucs_status_t status, void* user_data) {
  auto* batch = static_cast<Batch*>(user_data);
  UcxLane& lane = *batch->lane;
  --lane.requests_;
  if (status != UCS_OK) lane.failed(status);
  lane.batches_.erase(batch);
  ucp_request_free(request);
}

void UcxLane::send_block(std::span<const std::byte> header, const void* data, std::size_t bytes, MemoryKind kind,
                         std::uint64_t token) {
  const std::uint64_t size = bytes;
  put(Record::Offer, std::as_bytes(std::span(&size, 1)), header);
  if (bytes <= kInline) {
    std::vector<std::byte> staged;
    const auto* from = static_cast<const std::byte*>(data);
    if (kind == MemoryKind::Device && bytes > 0) {
      staged.resize(bytes);
      user_.device()->to_host(staged.data(), data, bytes);
      from = staged.data();
    }
    if (bytes > 0) put(Record::Data, {from, bytes}, {});
    user_.sent(token, true);
    return;
  }
  auto out = std::make_unique<Out>();
  out->lane = this;
  out->token = token;
  if (kind == MemoryKind::Device && !fabric_.moves_device()) {
    out->stage.resize(bytes);
    user_.device()->to_host(out->stage.data(), data, bytes);
    data = out->stage.data();
    kind = MemoryKind::Host;
  }
  const std::uint64_t number = next_block_out_++;
  out_.emplace(number, std::move(out));
  pending_.push_back({number, data, bytes, kind});
}

void UcxLane::post_out(const Pending& block) {
  Out& out = *out_.at(block.number);
  out.head = {other_token_, block.number};
  ucp_request_param_t param{};
  param.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FIELD_FLAGS;
  param.flags = UCP_AM_SEND_FLAG_RNDV;
  param.cb.send = &UcxLane::block_sent;
  param.user_data = &out;
  set_memory(param, block.kind);
  const ucs_status_ptr_t request =
      ucp_am_send_nbx(endpoint_, kUcxBlock, &out.head, sizeof out.head, block.data, block.bytes, &param);
  if (UCS_PTR_IS_ERR(request) || request == nullptr) {
    out.done = true;
    out.ok = request == nullptr;
    if (!out.ok) failed(UCS_PTR_STATUS(request));
    return;
  }
  out.posted = true;
  ++requests_;
}

void UcxLane::block_sent(void* request, ucs_status_t status, void* user_data) {
  auto* out = static_cast<Out*>(user_data);
  out->posted = false;
  out->done = true;
  out->ok = status == UCS_OK;
  --out->lane->requests_;
  if (!out->ok) out->lane->failed(status);
  ucp_request_free(request);
}

bool UcxLane::move_out() {
  bool moved = send_batch();
  if (endpoint_ != nullptr && closing_ == nullptr) {
    for (const Pending& block : std::exchange(pending_, {})) {
      post_out(block);
      moved = true;
    }
  }
  return moved;
}

// --- Inwards. What UCX hands over is only written down; the listener is called from move_in.

ucs_status_t UcxLane::block_came(std::uint64_t number, void* data, std::size_t length, bool rendezvous) {
  if (!rendezvous || (number < next_block_in_ && in_.count(number) == 0)) return UCS_OK;  // not wanted, or no sense
  std::unique_ptr<In>& block = in_[number];
  if (block == nullptr) block = std::make_unique<In>();
  if (block->descriptor != nullptr || block->posted || (block->offered && block->bytes != length)) return UCS_OK;
  block->lane = this;
  block->bytes = length;
  block->descriptor = data;
  return UCS_INPROGRESS;
}

void UcxLane::post_in(std::uint64_t number, In& block) {
  void* place = block.target.data;
  MemoryKind kind = block.target.kind;
  if (kind == MemoryKind::Device && !fabric_.moves_device()) {
    block.stage.resize(block.bytes);
    place = block.stage.data();
    kind = MemoryKind::Host;
  }
  ucp_request_param_t param{};
  param.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FLAG_NO_IMM_CMPL;
  param.cb.recv_am = &UcxLane::block_received;
  param.user_data = &block;
  set_memory(param, kind);
  void* descriptor = std::exchange(block.descriptor, nullptr);
  const ucs_status_ptr_t request = ucp_am_recv_data_nbx(fabric_.worker(), descriptor, place, block.bytes, &param);
  if (UCS_PTR_IS_ERR(request)) {
    block.done = true;
    failed(UCS_PTR_STATUS(request));
    return;
  }
  (void)number;
  block.posted = true;
  ++requests_;
}

void UcxLane::block_received(void* request, ucs_status_t status, size_t, void* user_data) {
  auto* block = static_cast<In*>(user_data);
  block->posted = false;
  block->done = true;
  block->ok = status == UCS_OK;
  --block->lane->requests_;
  if (!block->ok) block->lane->failed(status);
  ucp_request_free(request);
}

bool UcxLane::take_offer(std::span<const std::byte> payload) {
  std::uint64_t bytes;
  if (payload.size() < sizeof bytes || inline_bytes_ != 0) return false;
  std::memcpy(&bytes, payload.data(), sizeof bytes);
  const BlockTarget target = user_.offered(payload.subspan(sizeof bytes), bytes);
  if (!user_.live()) {
    if (target.data != nullptr) user_.arrived(target.token, false);
    return true;
  }
  if (bytes <= kInline) {
    if (bytes == 0 && target.data != nullptr) user_.arrived(target.token, true);
    inline_target_ = target;
    inline_bytes_ = bytes;
    return true;
  }
  const std::uint64_t number = next_block_in_++;
  std::unique_ptr<In>& block = in_[number];
  if (block == nullptr) block = std::make_unique<In>();
  if (block->descriptor != nullptr && block->bytes != bytes) return false;
  block->lane = this;
  block->bytes = bytes;
  block->offered = true;
  block->target = target;
  return true;
}

bool UcxLane::take_data(std::span<const std::byte> payload) {
  if (payload.size() != inline_bytes_ || payload.empty()) return false;
  inline_bytes_ = 0;
  user_.moved();
  if (inline_target_.data == nullptr) return true;
  if (inline_target_.kind == MemoryKind::Device) {
    user_.device()->to_device(inline_target_.data, payload.data(), payload.size());
  } else {
    std::memcpy(inline_target_.data, payload.data(), payload.size());
  }
  user_.arrived(inline_target_.token, true);
  return true;
}

bool UcxLane::read_batch(std::span<const std::byte> bytes) {
  while (bytes.size() >= kRecordHead) {
    std::uint32_t length;
    std::memcpy(&length, bytes.data(), sizeof length);
    const auto kind = static_cast<Record>(bytes[4]);
    if (length > bytes.size() - kRecordHead) return false;
    const std::span<const std::byte> payload = bytes.subspan(kRecordHead, length);
    bytes = bytes.subspan(kRecordHead + length);
    if (kind == Record::Message) {
      user_.message(payload);
    } else if (kind == Record::Offer ? !take_offer(payload) : kind != Record::Data || !take_data(payload)) {
      return false;
    }
    if (!user_.live()) return true;
  }
  return bytes.empty();
}

bool UcxLane::finish_blocks() {
  bool moved = false;
  for (auto it = out_.begin(); it != out_.end();) {
    if (!it->second->done) {
      ++it;
      continue;
    }
    user_.moved();
    user_.sent(it->second->token, it->second->ok);
    it = out_.erase(it);
    moved = true;
  }
  // The listener may close the connection: nothing here changes in_ but this loop and the ends that follow.
  for (auto it = in_.begin(); it != in_.end() && user_.live();) {
    In& block = *it->second;
    if (block.offered && block.descriptor != nullptr && !block.posted && !block.done) {
      if (block.target.data == nullptr) {
        ucp_am_data_release(fabric_.worker(), std::exchange(block.descriptor, nullptr));
        block.done = true;
      } else {
        post_in(it->first, block);
      }
      moved = true;
    }
    if (!block.done) {
      ++it;
      continue;
    }
    const std::unique_ptr<In> ended = std::move(it->second);
    it = in_.erase(it);
    moved = true;
    user_.moved();
    if (ended->target.data == nullptr) continue;
    if (ended->ok && !ended->stage.empty())
      user_.device()->to_device(ended->target.data, ended->stage.data(), ended->bytes);
    user_.arrived(ended->target.token, ended->ok);
  }
  return moved;
}

bool UcxLane::move_in() {
  bool moved = false;
  for (auto it = came_.find(next_batch_in_); it != came_.end() && user_.live(); it = came_.find(next_batch_in_)) {
    const std::vector<std::byte> bytes = std::move(it->second);
    came_.erase(it);
    ++next_batch_in_;
    moved = true;
    if (!read_batch(bytes)) user_.broken("it sent what is no message");
  }
  return finish_blocks() || moved;
}

// --- The end.

void UcxLane::close_endpoint() {
  if (endpoint_ == nullptr) return;
  for (auto& [number, block] : in_)
    if (block->descriptor != nullptr) ucp_am_data_release(fabric_.worker(), std::exchange(block->descriptor, nullptr));
  ucp_request_param_t param{};
  param.op_attr_mask = UCP_OP_ATTR_FIELD_FLAGS;
  param.flags = UCP_EP_CLOSE_FLAG_FORCE;
  const ucs_status_ptr_t request = ucp_ep_close_nbx(std::exchange(endpoint_, nullptr), &param);
  if (!UCS_PTR_IS_ERR(request)) closing_ = request;
}

bool UcxLane::end_blocks() {
  if (carries_blocks()) close_endpoint();
  // Forced, every request completes in a few turns; they are not left to chance, because bytes are about to be freed.
  for (int i = 0; i < 10'000 && requests_ > 0; ++i) fabric_.progress();
  for (auto it = out_.begin(); it != out_.end();) {
    if (it->second->posted) {
      ++it;
      continue;
    }
    user_.sent(it->second->token, it->second->done && it->second->ok);
    it = out_.erase(it);
  }
  pending_.clear();
  for (auto it = in_.begin(); it != in_.end();) {
    if (it->second->posted) {
      ++it;
      continue;
    }
    if (it->second->target.data != nullptr) user_.arrived(it->second->target.token, false);
    it = in_.erase(it);
  }
  if (std::exchange(inline_bytes_, 0) > 0 && inline_target_.data != nullptr) user_.arrived(inline_target_.token, false);
  return out_.empty() && in_.empty();
}

UcxLane::~UcxLane() {
  fabric_.leave(token_);
  // Only what has come from the other side says that the connection stands.
  if (next_batch_in_ == 0 || requests_ > 0) fabric_.never_destroy();
  close_endpoint();
  const auto until = std::chrono::steady_clock::now() + kForcedClose;
  const auto closed = [&] { return closing_ == nullptr || ucp_request_check_status(closing_) != UCS_INPROGRESS; };
  while ((requests_ > 0 || !closed()) && std::chrono::steady_clock::now() < until) fabric_.progress();
  if (closing_ != nullptr) ucp_request_free(closing_);
  if (requests_ > 0) {
    // Never seen. What UCX may still touch stays where it is.
    logging::error("comm", "UCX did not give back ", requests_, " requests of a closed connection");
    for (auto& [key, batch] : batches_) static_cast<void>(batch.release());
    for (auto& [number, out] : out_) static_cast<void>(out.release());
    for (auto& [number, in] : in_) static_cast<void>(in.release());
  }
}

}  // namespace weft::comm
