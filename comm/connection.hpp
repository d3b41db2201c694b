#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/fabric.hpp"
#include "comm/handshake.hpp"
#include "comm/introduction.hpp"
#include "comm/network_transport.hpp"
#include "comm/ring_lane.hpp"
#include "comm/wire_lane.hpp"

namespace weft::comm {

class Connection;

/// What a connection needs of its transport.
class ConnectionHost {
 public:
  virtual const NetworkOptions& options() const = 0;
  virtual Transport::Listener& listener() = 0;
  /// A stranger has proven the secret and said hello: from now on it is a peer.
  virtual PeerId admit(Connection& connection) = 0;
  virtual void refused(const std::string& sentence) = 0;
  /// Whether the socket should be watched for room to write.
  virtual void watch(Connection& connection, bool for_room) = 0;
  virtual Nanoseconds now() const = 0;
  /// Null where there is none.
  virtual Fabric* fabric() const = 0;
  /// A transfer on a fast lane to that place broke in the middle: the next connection there uses its socket alone.
  virtual void distrust(const Place& place, const std::string& why) = 0;
  virtual bool distrusts(const Place& place) const = 0;

 protected:
  ~ConnectionHost() = default;
};

/// One connection: its socket, its proof, its lanes, and what was sent before they stand.
///
///   Connecting -> Securing -> Proving -> Introducing -> Open -> Losing  -> Gone
///                                                        `---> Closing -> Gone
///
/// Securing: certificates are shown and checked; left out without TLS. Losing: its blocks have not all ended yet.
///
/// Owns: the socket, the lanes. Threading: that of its transport.
class Connection final : private LaneUser {
 public:
  enum class State : std::uint8_t { Connecting, Securing, Proving, Introducing, Open, Closing, Losing, Gone };

  /// `peer`: kNone on the accepting side, until it is admitted.
  Connection(ConnectionHost& host, Fd fd, Handshake::Role role, PeerId peer, const Place& place, std::string hello);
  ~Connection();

  int fd() const { return fd_.get(); }
  PeerId peer() const { return peer_; }
  State state() const { return state_; }
  RingLane* ring() const { return ring_; }
  bool has_fast_lane() const { return fast_ != nullptr; }
  bool gone() const { return state_ == State::Gone; }
  /// Polled every time: it is on its way up or down, or the socket carries its messages.
  bool needs_socket() const { return fast_ == nullptr || state_ != State::Open; }
  /// More has come than the socket tells of.
  bool holds_input() const { return state_ != State::Gone && state_ != State::Losing && wire_.may_hold(); }
  const std::string& failed_early() const { return failed_early_; }

  void send(std::span<const std::byte> bytes);
  void send_block(std::span<const std::byte> header, const void* data, std::size_t bytes, MemoryKind kind,
                  std::uint64_t token);
  void close();

  // Within progress.
  bool socket_ready(bool readable, bool writable);
  bool poll_fast_lane();
  /// Tells the ends of blocks that left outside of progress.
  bool tell_ends();
  void check_times(Nanoseconds now);
  void lose(const std::string& why);

  /// Brings out what waits. Outside of progress, too.
  bool move_out();
  void give_up_early(std::string why) { failed_early_ = std::move(why); }

 private:
  struct End {
    std::uint64_t token;
    bool ok;
    bool arrived;
  };
  struct Early {
    std::vector<std::byte> bytes;
    bool block = false;
    BlockQueues::Out data;
  };

  // LaneUser
  bool live() const override { return state_ == State::Open && broken_.empty(); }
  void message(std::span<const std::byte> bytes) override;
  BlockTarget offered(std::span<const std::byte> header, std::size_t bytes) override;
  void arrived(std::uint64_t token, bool ok) override;
  void sent(std::uint64_t token, bool ok) override { ends_.push_back({token, ok, false}); }
  void broken(std::string why) override;
  void moved() override { moved_ = true; }
  DeviceCopy* device() const override { return host_.options().device; }

  Lane& lane() { return fast_ != nullptr ? *fast_ : wire_; }
  std::string where() const;
  std::string whose() const;
  bool connected();
  bool secure();
  bool end_if_over();
  bool last_words_here();
  void finish_losing();
  bool prove();
  bool introduce();
  void control(Frame kind, std::span<const std::byte> payload);
  void met(const Introduction& theirs);
  void use_ring(SharedSegment segment, int side);
  void open();
  bool read_closing();
  void drain_fast_lane();
  void finish_closing();
  void gone_if_ended();
  bool end_all_blocks();
  void offer_lanes(Introduction& mine);
  void take_lane(const Introduction& theirs, Introduction& mine);

  ConnectionHost& host_;
  Fd fd_;
  const Handshake::Role role_;
  PeerId peer_;
  const Place place_;  // of the other side, where we connected
  const std::string hello_;
  State state_;
  const Digest nonce_;
  Handshake handshake_;
  WireLane wire_;
  std::unique_ptr<Lane> fast_;  // else the socket carries everything
  RingLane* ring_ = nullptr;    // fast_, if it is one
  std::unique_ptr<FabricLane> offered_lane_;
  std::optional<SharedSegment> offered_segment_;
  std::deque<Early> early_;  // sent before the lane was known
  std::vector<End> ends_;
  std::string broken_;  // why it is to be lost
  std::string failed_early_;
  bool said_goodbye_ = false;     // the other side
  bool half_closed_ = false;      // ours is shut down
  bool in_progress_ = false;      // the listener may be called at once
  bool blocks_ended_ = false;     // of a connection that is closing
  bool over_ = false;             // closing, and nothing more to wait for but its blocks
  std::uint64_t last_words_ = 0;  // units that the other side sent before its goodbye
  Nanoseconds goodbye_at_ = 0;
  std::string lost_why_;
  bool moved_ = false;
  bool watching_ = false;
  Nanoseconds since_;  // of the state, or of the last time that something moved
};

}  // namespace weft::comm
