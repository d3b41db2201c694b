#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/transport/transport.hpp"

namespace weft::comm {

/// The longest message, of every lane.
inline constexpr std::size_t kMostMessageBytes = std::size_t{1} << 20;

/// Copies between host and device memory, for lanes that reach host memory only. Filled by the room that has a device.
/// Threading: the thread that turns the transport. Both return when the bytes are there.
class DeviceCopy {
 public:
  virtual ~DeviceCopy() = default;
  virtual void to_host(void* to, const void* from, std::size_t bytes) = 0;
  virtual void to_device(void* to, const void* from, std::size_t bytes) = 0;
};

/// What a lane tells its connection. Everything but `sent` and `broken` may run the listener, which may close the
/// connection: a lane looks at `live` before it goes on.
class LaneUser {
 public:
  virtual bool live() const = 0;
  virtual void message(std::span<const std::byte> bytes) = 0;
  virtual BlockTarget offered(std::span<const std::byte> header, std::size_t bytes) = 0;
  virtual void arrived(std::uint64_t token, bool ok) = 0;
  /// Kept until the next progress, because blocks also leave during a flush.
  virtual void sent(std::uint64_t token, bool ok) = 0;
  virtual void broken(std::string why) = 0;
  /// Some bytes of a block have moved: the connection does not stall.
  virtual void moved() = 0;
  /// Null where there is no device.
  virtual DeviceCopy* device() const = 0;

 protected:
  ~LaneUser() = default;
};

/// One way for the messages and blocks of a connection: a socket, rings in shared memory, a fabric.
/// Threading: that of its transport.
class Lane {
 public:
  virtual ~Lane() = default;
  virtual void send(std::span<const std::byte> bytes) = 0;
  virtual void send_block(std::span<const std::byte> header, const void* data, std::size_t bytes, MemoryKind kind,
                          std::uint64_t token) = 0;
  /// Brings on its way what waits here. Returns whether anything moved.
  virtual bool move_out() = 0;
  /// Hands over what has come. Returns whether there was anything.
  virtual bool move_in() = 0;
  /// Nothing waits here; what was sent has reached the wire.
  virtual bool out_empty() const = 0;
  /// A block is on its way, in either direction.
  virtual bool carries_blocks() const = 0;
  /// Ends every block with `ok` false, and touches no byte of those that it has ended. Returns whether that is all of
  /// them; otherwise it is called again.
  virtual bool end_blocks() = 0;
  /// How many ordered units have gone out and come in: the last words of a connection are waited for where they do not
  /// travel beside its goodbye.
  virtual std::uint64_t units_out() const { return 0; }
  virtual std::uint64_t units_in() const { return 0; }
  virtual std::string_view name() const = 0;
};

/// The halves of blocks for lanes that carry them as a stream of bytes, first offered first.
/// Owns: what is known of blocks on their way. Threading: that of its transport.
class BlockQueues {
 public:
  struct Out {
    const std::byte* data = nullptr;
    std::size_t bytes = 0;
    std::size_t done = 0;
    MemoryKind kind = MemoryKind::Host;
    std::uint64_t token = 0;
    bool announced = false;  // its offer is on the wire, data may follow
  };

  explicit BlockQueues(LaneUser& user) : user_(user) {}

  bool empty() const { return out_.empty() && in_.empty(); }
  bool nothing_out() const { return out_.empty(); }
  bool nothing_in() const { return in_.empty(); }
  void push(const Out& block) { out_.push_back(block); }
  /// The oldest block that is not announced is now. A block without bytes ends here.
  void announce_next();

  /// Returns the next bytes that may go out, at most so many; they stay where they are until `took`.
  std::span<const std::byte> next_out(std::size_t most);
  void took(std::size_t bytes);

  /// Reads an offer (u64 size, header) and asks where the block goes. False if it makes no sense.
  bool take_offer(std::span<const std::byte> payload);
  /// Returns where the next bytes land, at most so many; empty if no block is expected.
  std::span<std::byte> landing(std::size_t most);
  void landed(std::size_t bytes);
  /// What has not come yet of the block that comes first; 0 if none is expected.
  std::size_t left_in() const { return in_.empty() ? 0 : in_.front().bytes - in_.front().done; }

  void end_all();

 private:
  struct In {
    std::byte* data = nullptr;
    std::size_t bytes = 0;
    std::size_t done = 0;
    MemoryKind kind = MemoryKind::Host;
    std::uint64_t token = 0;
  };

  LaneUser& user_;
  std::deque<Out> out_;
  std::size_t announced_ = 0;  // of out_, from the front
  std::deque<In> in_;
  std::vector<std::byte> out_stage_;  // a piece of device memory on its way out
  std::size_t out_staged_ = 0;
  std::vector<std::byte> in_stage_;  // unwanted bytes, and those bound for a device
};

/// The first bytes of an offer's frame, before its header.
inline constexpr std::size_t kOfferPrefix = sizeof(std::uint64_t);

}  // namespace weft::comm
