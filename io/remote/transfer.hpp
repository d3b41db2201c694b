#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Requests to servers: many at once, tried again where that may help.
namespace weft::io::remote {

/// One request. What `path` and `body` name must outlive it.
struct Request {
  enum class Method : std::uint8_t { Get, Head, Put };
  std::string path;
  Method method = Method::Get;
  /// Of the object, these bytes; all of it where `bytes` is kAll, its last ones where `place` is kLast.
  static constexpr std::uint64_t kAll = ~std::uint64_t{0}, kLast = ~std::uint64_t{0};
  std::uint64_t place = 0;
  std::uint64_t bytes = kAll;
  /// Instead of the object: what the bucket says to this question, percent-encoded and sorted.
  std::string query = {};
  /// Of Put.
  std::span<const std::byte> body = {};
  /// Whether a refusal says that it is not there: stores say so to who may not list them.
  bool may_be_refused = false;
  /// An answer that is longer is refused.
  std::uint64_t most_bytes = std::uint64_t{1} << 32;
};

struct Reply {
  /// Whether the object is there; nothing else is said where it is not.
  bool there = false;
  std::vector<std::byte> body;
  /// Of the whole object.
  std::uint64_t object_bytes = 0;
  /// Tells two states of the object apart: from its ETag, or the time of its last change; 0 where the server says
  /// neither.
  std::int64_t changed_ns = 0;
};

/// Sends the requests, several at once, and returns the replies in their order. What a server or the network may do
/// right the next time is tried again, with pauses. A task's slot runs others meanwhile. Throws FileError that names
/// the object, and never a key or a signature.
/// Threading: any thread.
std::vector<Reply> perform(std::span<const Request> requests);
Reply perform_one(const Request& request);

/// While it lives, the slot of this thread's task stays its own: for who holds a lock that other tasks want.
/// Threading: one thread.
class KeepSlot {
 public:
  KeepSlot();
  ~KeepSlot();
  KeepSlot(const KeepSlot&) = delete;
  KeepSlot& operator=(const KeepSlot&) = delete;
};

/// How often a request is sent at most, and the pause in front of the second time, which doubles.
inline constexpr int kMostTries = 6;
inline constexpr int kFirstPauseMs = 100;

}  // namespace weft::io::remote
