#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "comm/socket.hpp"

namespace weft::comm {

/// The counters of one ring: bytes ever written and ever read. Each side writes one of them.
struct RingCounters {
  alignas(64) std::atomic<std::uint64_t> written;
  alignas(64) std::atomic<std::uint64_t> read;
};

/// How a side of a segment sleeps; the other wakes it through the socket.
enum class Asleep : std::uint32_t { No = 0, ForInput = 1, ForInputOrSpace = 2 };

/// What lies at the beginning of a segment. Index 0: written by the connector; 1: by the acceptor.
struct SegmentHead {
  std::uint64_t layout = 0;
  std::array<std::byte, 16> token{};
  struct alignas(64) Side {
    std::atomic<std::uint32_t> asleep;
  };
  Side sides[2];
  RingCounters messages[2];
  RingCounters bulk[2];
};

/// How a process finds another's segment: through /proc, so that no file of any name exists and none can be left.
struct SegmentName {
  std::int32_t process = 0;
  std::int32_t fd = -1;
  std::array<std::byte, 16> token{};
};

/// Memory that two processes of one machine share: four rings, and nothing of it outlives both.
/// Owns: the mapping, and on the creating side the descriptor until `forget_fd`.
/// Threading: see the lane that uses it.
class SharedSegment {
 public:
  static constexpr std::size_t kMessageRing = std::size_t{128} << 10;
  static constexpr std::size_t kBulkRing = std::size_t{1} << 20;

  /// Nullopt, and why, where the system has no such memory.
  static std::optional<SharedSegment> create(std::string& why);
  /// Maps another process's segment. Nullopt, and why, if it cannot be reached: another user, container, or machine.
  static std::optional<SharedSegment> open(const SegmentName& name, std::string& why);

  SharedSegment(SharedSegment&& other) noexcept;
  SharedSegment& operator=(SharedSegment&& other) noexcept;
  ~SharedSegment();

  const SegmentName& name() const { return name_; }
  /// The other side has mapped it: from now on only the two mappings keep it.
  void forget_fd() { fd_.reset(); }

  SegmentHead& head() const { return *static_cast<SegmentHead*>(memory_); }
  std::span<std::byte> message_ring(int writer) const;
  std::span<std::byte> bulk_ring(int writer) const;

 private:
  SharedSegment(void* memory, Fd fd, const SegmentName& name) : memory_(memory), fd_(std::move(fd)), name_(name) {}

  void* memory_;
  Fd fd_;
  SegmentName name_;
};

}  // namespace weft::comm
