#include "comm/connection.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>
#include <weft/measure_transfer.hpp>

#include <sys/socket.h>

#include <atomic>
#include <cstring>
#include <utility>

namespace weft::comm {
namespace {

const logging::Room logger("comm");

// How long a closed connection may take to bring out its last messages.
constexpr Nanoseconds kLinger = 5'000'000'000;
// How long the other side's last messages may take that travel beside its goodbye.
constexpr Nanoseconds kLastWords = 2'000'000'000;

Digest random_nonce() {
  Digest nonce;
  fill_random(nonce);
  return nonce;
}

struct Counts {
  std::atomic<std::uint64_t> messages_out{0}, message_bytes_out{0}, blocks_out{0}, block_bytes_out{0};
  std::atomic<std::uint64_t> messages_in{0}, message_bytes_in{0}, blocks_in{0}, block_bytes_in{0};
};
Counts counts;

void count(std::atomic<std::uint64_t>& pieces, std::atomic<std::uint64_t>& bytes, std::size_t size) {
  pieces.fetch_add(1, std::memory_order_relaxed);
  bytes.fetch_add(size, std::memory_order_relaxed);
}

std::string seconds_text(Nanoseconds time) {
  const auto tenths = time / 100'000'000;
  return std::to_string(tenths / 10) + (tenths % 10 != 0 ? "." + std::to_string(tenths % 10) : "") + " s";
}

}  // namespace

Connection::Connection(ConnectionHost& host, Fd fd, Handshake::Role role, PeerId peer, const Place& place,
                       std::string hello)
    : host_(host),
      fd_(std::move(fd)),
      role_(role),
      peer_(peer),
      place_(place),
      hello_(std::move(hello)),
      state_(role == Handshake::Role::Connector ? State::Connecting : State::Securing),
      nonce_(random_nonce()),
      handshake_(role, host.options().secret, nonce_, host.options().protocol),
      wire_(Stream(fd_.get(), host.options().tls.get(),
                   role == Handshake::Role::Connector ? TlsSide::Connector : TlsSide::Acceptor),
            *this, [this](Frame kind, std::span<const std::byte> payload) { control(kind, payload); }),
      since_(host.now()) {}

Connection::~Connection() {
  // First of all members: what a lane says while it closes is still written down.
  offered_lane_.reset();
  fast_.reset();
}

std::string Connection::where() const {
  return std::string(fast_ != nullptr ? fast_->name() : wire_.name()) + " to " + place_.socket_text();
}

/// " from 10.0.0.3:40123", where the system says so.
std::string Connection::whose() const {
  const std::string place = other_end(fd_.get());
  return place.empty() ? place : " from " + place;
}

// --- What the user of the transport calls.

void Connection::send(std::span<const std::byte> bytes) {
  count(counts.messages_out, counts.message_bytes_out, bytes.size());
  if (state_ == State::Open) {
    lane().send(bytes);
  } else if (state_ < State::Open) {
    early_.push_back({{bytes.begin(), bytes.end()}, false, {}});
  }
}

void Connection::send_block(std::span<const std::byte> header, const void* data, std::size_t bytes, MemoryKind kind,
                            std::uint64_t token) {
  count(counts.blocks_out, counts.block_bytes_out, bytes);
  if (state_ == State::Open) {
    lane().send_block(header, data, bytes, kind, token);
  } else if (state_ < State::Open) {
    early_.push_back(
        {{header.begin(), header.end()}, true, {static_cast<const std::byte*>(data), bytes, 0, kind, token, false}});
  } else {
    sent(token, false);
  }
}

void Connection::close() {
  if (state_ >= State::Closing) return;
  const bool was_open = state_ == State::Open;
  const bool cut_short = !was_open || lane().carries_blocks() || wire_.inside_piece();
  state_ = State::Closing;
  since_ = host_.now();
  blocks_ended_ = end_all_blocks();
  if (cut_short) {
    finish_closing();
  } else {
    move_out();
  }
}

bool Connection::move_out() {
  if (state_ == State::Gone || state_ == State::Connecting) return false;
  bool moved = false;
  if (fast_ != nullptr && (state_ == State::Open || state_ == State::Closing)) moved = fast_->move_out();
  if (state_ == State::Closing && !blocks_ended_) blocks_ended_ = end_all_blocks();
  if (state_ == State::Closing && !half_closed_ && lane().out_empty()) finish_closing();
  moved |= wire_.move_out();
  if (const bool waits = !wire_.out_empty() && !half_closed_; waits != watching_) {
    watching_ = waits;
    host_.watch(*this, waits);
  }
  return moved;
}

void Connection::finish_closing() {
  if (half_closed_) return;
  if (wire_.stream().shaken()) {
    if (const std::uint64_t units = lane().units_out(); !wire_.inside_piece())
      wire_.put(Frame::Goodbye, std::as_bytes(std::span(&units, 1)), {});
    wire_.move_out();
    if (!wire_.out_empty() && !wire_.inside_piece()) return;  // a full socket: later
  }
  half_closed_ = true;
  wire_.stream().end();
  ::shutdown(fd_.get(), SHUT_WR);
}

// --- Within progress.

bool Connection::socket_ready(bool readable, bool writable) {
  in_progress_ = true;
  bool moved = false;
  if (state_ == State::Connecting && (writable || readable)) moved = connected();
  if (writable && state_ != State::Connecting) moved |= move_out();
  if (state_ == State::Securing) moved |= secure();
  if (readable) {
    if (state_ == State::Proving) moved |= prove();
    if (state_ == State::Introducing) moved |= introduce();
    if (state_ == State::Open) moved |= wire_.move_in();
    if (state_ == State::Closing) moved |= read_closing();
  }
  moved |= end_if_over();
  in_progress_ = false;
  return moved;
}

bool Connection::last_words_here() {
  drain_fast_lane();
  return fast_ == nullptr || fast_->units_in() >= last_words_ || host_.now() - goodbye_at_ > kLastWords;
}

bool Connection::end_if_over() {
  if (state_ >= State::Closing) return false;
  if (!broken_.empty()) {
    lose(broken_);
  } else if (said_goodbye_) {
    if (!last_words_here()) return false;
    lose(broken_.empty() ? "it closed the connection" : broken_);
  } else if (wire_.ended()) {
    drain_fast_lane();
    const std::string& why = wire_.stream().why();
    lose(!why.empty()         ? why
         : wire_.error() != 0 ? std::string("the connection broke: ") + std::strerror(wire_.error())
                              : "the process is gone");
  } else {
    return false;
  }
  return true;
}

bool Connection::poll_fast_lane() {
  in_progress_ = true;
  bool moved = fast_->move_in();
  if (state_ == State::Open && !fast_->out_empty()) moved |= fast_->move_out();
  if (!broken_.empty() || said_goodbye_) moved |= end_if_over();
  in_progress_ = false;
  return moved;
}

bool Connection::tell_ends() {
  if (ends_.empty()) return false;
  for (const End& end : std::exchange(ends_, {})) {
    if (end.arrived) {
      host_.listener().block_arrived(peer_, end.token, end.ok);
    } else {
      host_.listener().block_sent(peer_, end.token, end.ok);
    }
  }
  return true;
}

bool Connection::connected() {
  if (const int error = socket_error(fd_.get()); error != 0) {
    lose("nobody answers at " + place_.socket_text() + ": " + std::strerror(error));
    return true;
  }
  state_ = State::Securing;
  since_ = host_.now();
  secure();
  host_.watch(*this, watching_);
  return true;
}

/// Nothing of ours passes before the other side has shown a certificate of the same authority; without TLS at once.
bool Connection::secure() {
  const TlsSession::Shake state = wire_.stream().shake();
  if (state == TlsSession::Shake::Failed) {
    broken(wire_.stream().why());
    return true;
  }
  if (state == TlsSession::Shake::Done) {
    state_ = State::Proving;
    wire_.put_raw(handshake_.opening());
  }
  move_out();
  return state == TlsSession::Shake::Done;
}

bool Connection::prove() {
  bool moved = false;
  while (wire_.fill() && wire_.unread().size() < 4096) moved = true;
  std::size_t used = 0;
  std::vector<std::byte> out;
  const std::span<const std::byte> in = wire_.unread();
  const Handshake::State state = handshake_.take(in, used, out);
  wire_.use(used);
  if (!out.empty()) wire_.put_raw(out);
  if (state == Handshake::State::Refused) {
    move_out();
    broken(handshake_.why());
    return true;
  }
  if (state == Handshake::State::Done) {
    state_ = State::Introducing;
    moved = true;
    if (role_ == Handshake::Role::Connector) {
      Introduction mine;
      mine.hello = hello_;
      offer_lanes(mine);
      wire_.put(Frame::Introduction, mine.encode(), {});
    }
  }
  if (!wire_.out_empty()) move_out();
  return moved;
}

bool Connection::introduce() {
  // Frames pass `live` only once the connection is open; the first one must be the introduction.
  for (;;) {
    const std::span<const std::byte> in = wire_.unread();
    if (in.size() >= kFrameHead) {
      std::uint32_t length;
      std::memcpy(&length, in.data(), sizeof length);
      if (in[4] != static_cast<std::byte>(Frame::Introduction) || length > kMostHelloBytes + 4096) {
        broken("it did not introduce itself");
        return true;
      }
      if (in.size() >= kFrameHead + length) {
        const auto theirs = Introduction::decode(in.subspan(kFrameHead, length));
        wire_.use(kFrameHead + length);
        if (theirs) {
          met(*theirs);
        } else {
          broken("its introduction makes no sense");
        }
        return true;
      }
    }
    if (!wire_.fill()) return false;
  }
}

void Connection::offer_lanes(Introduction& mine) {
  if (host_.options().compression != Compression::Off) mine.codecs = codecs_here();
  if (host_.distrusts(place_)) return;
  if (host_.options().shared_memory && place_.host == this_host()) {
    offered_segment_ = SharedSegment::create(mine.remark);
    if (offered_segment_) mine.segment = offered_segment_->name();
  }
  if (Fabric* fabric = host_.fabric(); fabric != nullptr) {
    LaneUser& self = *this;
    offered_lane_ = fabric->make_lane(self);
    mine.fabric_address = fabric->address();
    mine.fabric_token = offered_lane_->token();
  }
}

void Connection::take_lane(const Introduction& theirs, Introduction& mine) {
  if (theirs.segment && host_.options().shared_memory) {
    if (auto segment = SharedSegment::open(*theirs.segment, mine.remark); segment) {
      mine.taken = Introduction::Taken::Segment;
      use_ring(std::move(*segment), 1);
      return;
    }
  }
  Fabric* fabric = host_.fabric();
  if (fabric == nullptr || theirs.fabric_address.empty()) return;
  LaneUser& self = *this;
  std::unique_ptr<FabricLane> lane = fabric->make_lane(self);
  if (!lane->join(theirs.fabric_address, theirs.fabric_token, mine.remark)) return;
  mine.taken = Introduction::Taken::Fabric;
  mine.fabric_address = fabric->address();
  mine.fabric_token = lane->token();
  fast_ = std::move(lane);
}

void Connection::met(const Introduction& theirs) {
  if (!theirs.remark.empty()) logger.info("a faster way to a peer is not used: ", theirs.remark);
  if (role_ == Handshake::Role::Acceptor) {
    peer_ = host_.admit(*this);
    Introduction mine;
    if (host_.options().compression != Compression::Off) mine.codecs = codecs_here();
    take_lane(theirs, mine);
    wire_.put(Frame::Introduction, mine.encode(), {});
  } else if (theirs.taken == Introduction::Taken::Segment && offered_segment_) {
    use_ring(std::move(*offered_segment_), 0);
    ring_->forget_fd();
  } else if (theirs.taken == Introduction::Taken::Fabric && offered_lane_ != nullptr) {
    std::string why;
    if (!offered_lane_->join(theirs.fabric_address, theirs.fabric_token, why)) {
      broken(why);
      return;
    }
    fast_ = std::move(offered_lane_);
  }
  offered_segment_.reset();
  offered_lane_.reset();
  wire_.pack(Packing(host_.options().compression, static_cast<CodecSet>(theirs.codecs & codecs_here())));
  state_ = State::Open;
  open();
  host_.listener().peer_connected(peer_, theirs.hello);
}

void Connection::use_ring(SharedSegment segment, int side) {
  LaneUser& self = *this;
  auto ring = std::make_unique<RingLane>(std::move(segment), side, self, [this] {
    wire_.put(Frame::Wake, {}, {});
    wire_.move_out();
  });
  ring_ = ring.get();
  fast_ = std::move(ring);
}

void Connection::open() {
  since_ = host_.now();
  for (const Early& early : std::exchange(early_, {})) {
    if (early.block) {
      lane().send_block(early.bytes, early.data.data, early.data.bytes, early.data.kind, early.data.token);
    } else {
      lane().send(early.bytes);
    }
  }
  move_out();
}

void Connection::control(Frame kind, std::span<const std::byte> payload) {
  if (kind == Frame::Goodbye) {
    said_goodbye_ = true;
    goodbye_at_ = host_.now();
    if (payload.size() == sizeof last_words_) std::memcpy(&last_words_, payload.data(), sizeof last_words_);
  }
  if (kind == Frame::Introduction) broken("it introduced itself twice");
  // A wake-up has done its work by arriving.
}

bool Connection::read_closing() {
  // Reads and drops, so that the system does not break off what is still going out.
  bool moved = false;
  while (wire_.fill()) {
    wire_.use(wire_.unread().size());
    moved = true;
  }
  if (wire_.ended()) {
    over_ = true;
    gone_if_ended();
    return true;
  }
  return moved;
}

void Connection::gone_if_ended() {
  if (!blocks_ended_) blocks_ended_ = end_all_blocks();
  if (blocks_ended_) state_ = State::Gone;
}

void Connection::drain_fast_lane() {
  // What a peer wrote before it went is still there.
  if (fast_ == nullptr || state_ != State::Open || !broken_.empty()) return;
  while (state_ == State::Open && broken_.empty() && fast_->move_in()) {
  }
}

void Connection::check_times(Nanoseconds now) {
  const NetworkOptions& options = host_.options();
  in_progress_ = true;
  if (std::exchange(moved_, false)) since_ = now;
  if (!failed_early_.empty()) {
    lose(failed_early_);
  } else if (state_ < State::Open && now - since_ > options.connect_timeout) {
    lose(state_ == State::Connecting
             ? "nobody answered at " + place_.socket_text() + " for " + seconds_text(options.connect_timeout)
             : "it did not prove itself within " + seconds_text(options.connect_timeout));
  } else if (state_ == State::Open) {
    if (!lane().carries_blocks()) {
      since_ = now;
    } else if (now - since_ > options.stall_timeout) {
      const std::string why = "nothing moved for " + seconds_text(options.stall_timeout) + " on " + where();
      logger.warning(why, "; this connection is given up");
      lose(why);
    }
  } else if (state_ == State::Closing && (over_ || now - since_ > kLinger)) {
    gone_if_ended();
  } else if (state_ == State::Losing) {
    finish_losing();
  }
  in_progress_ = false;
}

bool Connection::end_all_blocks() {
  for (const Early& early : std::exchange(early_, {}))
    if (early.block) sent(early.data.token, false);
  const bool wire_ended = wire_.end_blocks();
  return (fast_ == nullptr || fast_->end_blocks()) && wire_ended;
}

void Connection::lose(const std::string& why) {
  if (state_ >= State::Closing) return;
  if (state_ == State::Open && role_ == Handshake::Role::Connector && fast_ != nullptr && fast_->carries_blocks())
    host_.distrust(place_, why);
  state_ = State::Losing;
  lost_why_ = why;
  finish_losing();
}

void Connection::finish_losing() {
  if (!end_all_blocks()) return;  // again at the next tick
  state_ = State::Gone;
  if (peer_ == kNone) {
    // Somebody who only looked whether the port is open is no news.
    if (lost_why_ != "the process is gone") host_.refused("a connection" + whose() + " was refused: " + lost_why_);
    return;
  }
  tell_ends();
  host_.listener().peer_lost(peer_, lost_why_);
}

// --- LaneUser

void Connection::message(std::span<const std::byte> bytes) {
  count(counts.messages_in, counts.message_bytes_in, bytes.size());
  host_.listener().message(peer_, bytes);
}

BlockTarget Connection::offered(std::span<const std::byte> header, std::size_t bytes) {
  const BlockTarget target = host_.listener().block_offered(peer_, header, bytes);
  if (target.data != nullptr) count(counts.blocks_in, counts.block_bytes_in, bytes);
  return target;
}

void Connection::arrived(std::uint64_t token, bool ok) {
  if (in_progress_ && ok) {
    host_.listener().block_arrived(peer_, token, true);
  } else {
    ends_.push_back({token, ok, true});
  }
}

void Connection::broken(std::string why) {
  if (broken_.empty()) broken_ = std::move(why);
}

}  // namespace weft::comm

namespace weft {

TransferCounts transfer_counts() {
  const auto& all = comm::counts;
  const auto of = [](const std::atomic<std::uint64_t>& one) { return one.load(std::memory_order_relaxed); };
  return {of(all.messages_out), of(all.message_bytes_out), of(all.blocks_out), of(all.block_bytes_out),
          of(all.messages_in),  of(all.message_bytes_in),  of(all.blocks_in),  of(all.block_bytes_in)};
}

}  // namespace weft
