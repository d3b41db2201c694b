#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <memory>
#include <string>

#include "comm/tls.hpp"

namespace weft::comm {

/// The bytes of a connected socket that does not block: as they are, or under TLS.
/// Owns: the session, not the socket. Threading: one thread at a time.
class Stream {
 public:
  explicit Stream(int fd) : fd_(fd) {}
  /// Null `tls`: as they are.
  Stream(int fd, const TlsContext* tls, TlsSide side)
      : fd_(fd), session_(tls != nullptr ? tls->open(fd, side) : nullptr), shaken_(session_ == nullptr) {}

  /// Both sides have proven themselves, so that bytes of ours may pass. Without TLS at once.
  TlsSession::Shake shake();
  bool shaken() const { return shaken_; }
  const std::string& why() const;

  /// As readv: a count, 0 at the end of the stream, or -1 with errno; EPROTO: see `why`.
  ssize_t read(const iovec* parts, int count);
  /// As sendmsg. What was taken has been copied.
  ssize_t write(const iovec* parts, int count);
  void flush() {
    if (session_ != nullptr) session_->flush();
  }
  /// What was taken is not all on its way: `flush` when the socket has room.
  bool unsent() const { return session_ != nullptr && session_->unsent(); }
  /// The socket does not tell of all that has come: read before waiting for it.
  bool may_hold() const { return session_ != nullptr && session_->may_hold(); }
  /// Says that nothing follows.
  void end() {
    if (session_ != nullptr) session_->end();
  }

 private:
  int fd_;
  std::unique_ptr<TlsSession> session_;
  bool shaken_ = true;
};

}  // namespace weft::comm
