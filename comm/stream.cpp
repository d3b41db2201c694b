#include "comm/stream.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace weft::comm {

TlsSession::Shake Stream::shake() {
  if (shaken_) return TlsSession::Shake::Done;
  const TlsSession::Shake state = session_->shake();
  shaken_ = state == TlsSession::Shake::Done;
  return state;
}

const std::string& Stream::why() const {
  static const std::string nothing;
  return session_ != nullptr ? session_->why() : nothing;
}

ssize_t Stream::read(const iovec* parts, int count) {
  if (session_ != nullptr) return session_->read(parts, count);
  ssize_t got;
  do {
    got = ::readv(fd_, parts, count);
  } while (got < 0 && errno == EINTR);
  return got;
}

ssize_t Stream::write(const iovec* parts, int count) {
  if (session_ != nullptr) return session_->write(parts, count);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<std::size_t>(count);
  ssize_t wrote;
  do {
    wrote = ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (wrote < 0 && errno == EINTR);
  return wrote;
}

}  // namespace weft::comm
