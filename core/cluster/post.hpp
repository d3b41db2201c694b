#pragma once

#include "core/cluster/letters.hpp"
#include "core/transport/transport.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace weft::cluster {

/// Carries letters over a transport: many in a message, one that is too long for a message as a block, all of a peer in
/// the order they were written.
///
/// For: both sides of a cluster. Owns: the transport, what is being written, and blocks on their way.
/// Threading: as a Transport: one thread at a time, but for `sleep` and `wake`.
class Post final : private Transport::Listener {
 public:
  /// Hears what comes. A letter that is not what it should be may throw Error: then its peer is closed and lost.
  class Recipient {
   public:
    virtual ~Recipient() = default;
    virtual void connected(PeerId peer, std::string_view hello) = 0;
    virtual void letter(PeerId peer, LetterKind kind, Reader& reader) = 0;
    /// A block comes that `header` describes. Returns where it goes; its token is given back in block_ended.
    virtual BlockTarget block(PeerId peer, Reader& header, std::size_t bytes) = 0;
    virtual void block_ended(PeerId peer, std::uint64_t token, bool ok) = 0;
    virtual void lost(PeerId peer, std::string_view why) = 0;
  };

  Post(std::unique_ptr<Transport> transport, Recipient& recipient);
  ~Post() override;

  Transport& transport() { return *transport_; }
  PeerId connect(std::string_view address, const Hello& hello);
  /// Begins a letter; the caller appends its fields to what is returned, and ends it before anything else is written.
  Writer& begin(PeerId peer, LetterKind kind);
  void end(PeerId peer);
  template <class Body>
  void send(PeerId peer, LetterKind kind, const Body& body) {
    write(begin(peer, kind), body);
    end(peer);
  }
  /// Sends a block of the caller's; `done` is called when its bytes are free again.
  void send_block(PeerId peer, const Writer& header, const void* data, std::size_t bytes, std::function<void()> done);
  void close(PeerId peer);

  /// Ends the transport: who is connected, or connects from now on, loses its peer. No other call may follow.
  void shut() { transport_.reset(); }

  /// Hands everything written to the transport.
  void flush();
  bool progress();
  void sleep(Nanoseconds most) { transport_->sleep(most); }
  void wake() noexcept { transport_->wake(); }

 private:
  /// What is being written to a peer.
  struct Out {
    Writer batch;
    std::size_t letter = 0;
    bool waiting = false;  // listed in dirty_
  };
  /// A long letter that comes as a block, and what came behind it.
  struct In {
    std::vector<std::byte> bytes;
    bool arrived = false;
  };
  struct Line {
    std::deque<std::shared_ptr<In>> waiting;  // shared: the transport may write into it after its peer is gone
  };
  struct Outgoing {
    Writer letter;
    std::function<void()> done;
  };
  struct Incoming {
    std::shared_ptr<In> letter;  // null: the recipient's; shared with its line
    std::uint64_t token = 0;     // the recipient's
  };

  void peer_connected(PeerId peer, std::string_view hello) override;
  void message(PeerId peer, std::span<const std::byte> bytes) override;
  BlockTarget block_offered(PeerId peer, std::span<const std::byte> header, std::size_t bytes) override;
  void block_arrived(PeerId peer, std::uint64_t token, bool ok) override;
  void block_sent(PeerId peer, std::uint64_t token, bool ok) override;
  void peer_lost(PeerId peer, std::string_view why) override;

  Out& out(PeerId peer);
  void send_batch(PeerId peer, Out& out, std::size_t bytes);
  void read(PeerId peer, const std::byte* bytes, std::size_t size);
  void read_line(PeerId peer);
  /// Closes a peer that wrote nonsense, and reports it lost.
  void reject(PeerId peer, std::string_view why);
  template <class Call>
  bool guarded(PeerId peer, const Call& call);

  std::unique_ptr<Transport> transport_;
  Recipient& recipient_;
  const std::size_t most_bytes_;
  std::unordered_map<PeerId, Out> outs_;
  std::vector<PeerId> dirty_;
  std::unordered_map<PeerId, Line> lines_;
  std::unordered_map<std::uint64_t, Outgoing> outgoing_;
  std::unordered_map<std::uint64_t, Incoming> incoming_;
  std::uint64_t next_token_ = 1;
  std::unordered_map<PeerId, bool> gone_;  // closed by us or lost: nothing more is passed on
};

}  // namespace weft::cluster
