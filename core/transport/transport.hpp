#pragma once

#include <weft/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace weft {

/// A connection to another process. Dense and small, never used again in this process, so that what arrives late from a
/// closed one is recognised.
using PeerId = std::uint32_t;

/// What the bytes of a block lie in. A transport that cannot reach a kind stages it through host memory itself.
enum class MemoryKind : std::uint8_t { Host, Device };

/// Where an incoming block goes, and what tells when it is there.
struct BlockTarget {
  /// Null: the block is not wanted; the transport drops its bytes. A block of no bytes, too, has a place if it is
  /// wanted.
  void* data = nullptr;
  MemoryKind kind = MemoryKind::Host;
  /// Given back in block_arrived.
  std::uint64_t token = 0;
};

/// Moves messages and blocks between processes, point to point. Outer rooms fill it; `core` only uses it.
///
/// For: the runtime loops of a cluster. Owns: its connections.
/// Threading: one thread at a time calls it (whoever waits makes progress, under the caller's lock), and one sleeps
/// (8); only `wake` may be called by any thread at any time. The listener is called from within `progress` only.
///
/// Contract, checked by the same tests for each transport:
///  1. Messages of one peer arrive whole, once and in the order they were sent; also relative to the announcement of
///     blocks (`block_offered`). Blocks may end in any order.
///  2. A message or header given to a call has been copied when it returns. The data of a block stays untouched until
///     `block_sent`; `ok` true says that all of it has left the sender's memory, not that the receiver has it.
///  3. A peer that dies, closes, or lets a transfer stall leads to exactly one `peer_lost`. Each block on its way first
///     ends with `block_sent` or `block_arrived` and `ok` false; from then on the transport touches its bytes no more.
///  4. After `close` nothing more is heard of the peer but the ends of its blocks: those still on their way end with
///  `ok`
///     false. Messages sent before still go out, unless a block was on its way. The other side then loses its peer.
///  5. Every call to the listener comes from within `progress`. A listener may call everything but `progress` and
///     `sleep`.
///  6. Calls that name a peer that was lost or closed do nothing; such a send_block ends with `ok` false.
///  7. No call blocks, but `sleep`.
///  8. One thread may be in `sleep` while another makes the other calls: `sleep` touches nothing that they touch, and
///     returns when something has arrived that `progress` will find, even if another thread finds it first.
class Transport {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// Somebody has connected to us and `hello` is what they gave, or our `connect` is through and `hello` is empty.
    virtual void peer_connected(PeerId peer, std::string_view hello) = 0;
    /// `bytes` last until the call returns.
    virtual void message(PeerId peer, std::span<const std::byte> bytes) = 0;
    /// A block of `bytes` comes; `header` is the sender's. Returns where it goes. A block that is not wanted (no data
    /// in the target) is not heard of again.
    virtual BlockTarget block_offered(PeerId peer, std::span<const std::byte> header, std::size_t bytes) = 0;
    virtual void block_arrived(PeerId peer, std::uint64_t token, bool ok) = 0;
    virtual void block_sent(PeerId peer, std::uint64_t token, bool ok) = 0;
    /// `why` is a sentence's end: "the process was killed", "nothing moved for 30 s on tcp to 10.0.0.3:4711".
    virtual void peer_lost(PeerId peer, std::string_view why) = 0;
  };

  virtual ~Transport() = default;

  /// Must be set before anybody learns the address.
  virtual void set_listener(Listener* listener) = 0;
  /// What another process gives to `connect`; opaque bytes.
  virtual std::string address() const = 0;
  /// Returns the new peer; messages may be sent to it at once. Whether it is there is told by peer_connected or
  /// peer_lost. Throws Error where the address makes no sense.
  virtual PeerId connect(std::string_view address, std::string_view hello) = 0;
  /// Sends a message of at most `most_message_bytes`. May keep it back until `flush`.
  virtual void send(PeerId peer, std::span<const std::byte> bytes) = 0;
  virtual void send_block(PeerId peer, std::span<const std::byte> header, const void* data, std::size_t bytes,
                          MemoryKind kind, std::uint64_t token) = 0;
  virtual void flush() = 0;
  /// Moves what can move and calls the listener. Returns whether anything happened.
  virtual bool progress() = 0;
  /// Sleeps until something may have arrived, `wake` is called, or the time is over. Uses no processor.
  virtual void sleep(Nanoseconds most) = 0;
  virtual void wake() noexcept = 0;
  /// Ends the connection, see 4.
  virtual void close(PeerId peer) = 0;

  virtual std::size_t most_message_bytes() const = 0;
  /// For the start block and errors: "ucx tcp,self (safe path)".
  virtual std::string description() const = 0;
};

}  // namespace weft
