#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weft::comm {

/// Owns a file descriptor. Every one of this room is close-on-exec: children must not keep a connection open.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

/// A place that listens: which machine, and which socket on it.
/// As text: "weft1/0123456789abcdef/10.0.0.3:4711", with an IPv6 address in brackets.
struct Place {
  std::uint64_t host = 0;  // equal for processes that may share memory
  std::string ip;
  std::uint16_t port = 0;

  std::string text() const;
  std::string socket_text() const;
  /// Throws Error, naming the text, if it is no place.
  static Place parse(std::string_view text);
};

/// A number of this machine since its start, equal for all of its processes.
std::uint64_t this_host();

/// Opens a listening socket on `where`: "lo" or another interface's name, or an IP address of this machine. Port 0
/// takes any free one. Throws Error naming the interfaces there are.
Fd listen_on(std::string_view where, std::uint16_t port, Place& place);

/// Begins a connection; `error` says what is wrong if none is returned.
Fd begin_connect(const Place& place, std::string& error);

/// Returns the address and port of the other side, "" where there is none any more.
std::string other_end(int fd);

/// Returns the error a socket has met, 0 if none.
int socket_error(int fd);
/// Small frames go at once. The buffers stay the system's, which grow with the link.
void tune_socket(int fd);

}  // namespace weft::comm
