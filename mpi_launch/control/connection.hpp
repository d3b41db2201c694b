#pragma once

#include "comm/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::launch {

/// Sends and receives frames (a length of four bytes, then the bytes) over a stream socket without blocking, under TLS
/// where the job encrypts its links: then nothing is sent before both sides have shown their certificates.
///
/// For: the channel between supervisors and rank 0. Owns: the socket. Threading: one thread at a time.
class Connection {
 public:
  /// No frame is longer; before the other side has proved that it knows the secret, none is longer than kMostGreeting.
  static constexpr std::size_t kMostFrame = std::size_t{16} << 20;
  static constexpr std::size_t kMostGreeting = 1024;

  /// Null `tls`: not encrypted.
  explicit Connection(int socket, const comm::TlsContext* tls = nullptr, comm::TlsSide side = comm::TlsSide::Acceptor);
  ~Connection();
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;

  int descriptor() const { return socket_; }
  bool open() const { return socket_ >= 0; }
  /// Whether the socket should be polled for room to write.
  bool has_unsent() const { return stream_.unsent() || (stream_.shaken() && !unsent_.empty()); }
  /// A sentence's end on why TLS refused the other side, or was refused by it; else "".
  const std::string& problem() const { return stream_.why(); }

  /// Queues a frame and writes what the socket takes. On a broken connection nothing happens: `receive` tells.
  void send(std::string_view frame);
  /// Writes more of what is queued.
  void flush();
  /// Appends the frames that have arrived. Returns false once the other side has closed, the connection broke, or
  /// what came is no frame. At most `most` are taken; the rest stays for the next call.
  bool receive(std::vector<std::string>& frames, std::size_t most = SIZE_MAX);
  /// From now on long frames are taken.
  void trust() { most_ = kMostFrame; }
  void close();
  /// The address and port of the other side, where the system says so.
  std::string other_end() const;
  /// The address of this side, without port.
  std::string own_host() const;

 private:
  bool shake();

  int socket_;
  comm::Stream stream_;
  std::size_t most_ = kMostGreeting;
  std::string unsent_;
  std::string unread_;
};

/// A host and port in the form "10.0.0.3:4711" or "[fe80::1]:4711".
struct Endpoint {
  std::string host;
  std::string port;
};
/// Throws Error where the text is none.
Endpoint parse_endpoint(const std::string& text);

/// Listens on one address (any free port) and returns the socket; `bound` is set to its text. Throws Error.
int listen_on(const std::string& host, std::string& bound);

/// Connects to rank 0 and proves on both sides that the secret is known. Throws Error with a sentence after
/// `seconds`, or at once where the other side is of another version, does not know the secret, or fails TLS.
Connection connect_to(const std::string& endpoint, const std::string& secret, double seconds,
                      const comm::TlsContext* tls = nullptr);

/// The server's part of that greeting, one step a frame.
///
/// For: the hub. Owns: the random text of one connection. Threading: one thread at a time.
class Greeting {
 public:
  enum class Step { More, Known, Refused };

  Greeting(Connection& connection, const std::string& secret);
  /// Takes the next frame; `why` says why it was refused.
  Step take(Connection& connection, const std::string& frame, std::string& why);

 private:
  const std::string& secret_;
  std::string random_;
};

}  // namespace weft::launch
