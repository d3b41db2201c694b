#include "mpi_launch/control/connection.hpp"

#include "mpi_launch/control/secret.hpp"

#include "comm/socket.hpp"

#include <weft/error.hpp>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>

namespace weft::launch {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kMagic = "weft launch";
/// Grows with every change of the messages between supervisors and rank 0.
constexpr char kProtocol = 3;
constexpr std::size_t kRandomBytes = 32;

std::string magic() { return std::string(kMagic) + kProtocol; }

/// Returns the sentence for a greeting that does not begin as ours does, or "".
std::string strange(const std::string& frame) {
  if (frame.size() <= kMagic.size() || frame.compare(0, kMagic.size(), kMagic) != 0) {
    return "what answered there is no weft job";
  }
  if (frame[kMagic.size()] != kProtocol) {
    return "the other side speaks version " + std::to_string(int{frame[kMagic.size()]}) +
           " of the launch protocol, this side version " + std::to_string(int{kProtocol}) +
           ": start all processes with one version of weft";
  }
  return "";
}

using AddressList = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

AddressList addresses_of(const std::string& host, const std::string& port, bool passive) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = passive ? AI_PASSIVE | AI_NUMERICSERV : AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  if (code != 0) throw Error("the address '" + host + "' cannot be used: " + ::gai_strerror(code));
  return {list, &::freeaddrinfo};
}

void set_up(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

/// Waits for the socket until the deadline; returns whether it is ready.
bool wait_for(int socket, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd poll{socket, events, 0};
    const int ready = ::poll(&poll, 1, static_cast<int>(left > 0 ? left : 0));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

/// Returns a connected socket, or -1 with errno.
int try_connect(const addrinfo& address, Clock::time_point deadline) {
  const int socket = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return -1;
  int error = 0;
  if (::connect(socket, address.ai_addr, address.ai_addrlen) != 0) {
    error = errno;
    if (error == EINPROGRESS) {
      socklen_t size = sizeof error;
      error = ETIMEDOUT;
      if (wait_for(socket, POLLOUT, deadline)) ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    }
  }
  if (error == 0) return socket;
  ::close(socket);
  errno = error;
  return -1;
}

std::string next_frame(Connection& connection, Clock::time_point deadline, const std::string& endpoint) {
  std::vector<std::string> frames;
  for (;;) {
    const bool open = connection.receive(frames, 1);
    if (!frames.empty()) return frames.front();
    if (!connection.problem().empty()) throw Error("rank 0 at " + endpoint + ": " + connection.problem());
    if (!open) {
      throw Error("rank 0 at " + endpoint + " closed the connection: it does not accept the secret of this process");
    }
    if (!wait_for(connection.descriptor(), POLLIN, deadline)) {
      throw Error("rank 0 at " + endpoint + " does not answer");
    }
  }
}

}  // namespace

Connection::Connection(int socket, const comm::TlsContext* tls, comm::TlsSide side)
    : socket_(socket), stream_(socket, tls, side) {
  const int flags = ::fcntl(socket, F_GETFL);
  if (flags >= 0) ::fcntl(socket, F_SETFL, flags | O_NONBLOCK);
}

Connection::~Connection() { close(); }

Connection::Connection(Connection&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      stream_(std::move(other.stream_)),
      most_(other.most_),
      unsent_(std::move(other.unsent_)),
      unread_(std::move(other.unread_)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  if (this != &other) {
    close();
    socket_ = std::exchange(other.socket_, -1);
    stream_ = std::move(other.stream_);
    most_ = other.most_;
    unsent_ = std::move(other.unsent_);
    unread_ = std::move(other.unread_);
  }
  return *this;
}

void Connection::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void Connection::send(std::string_view frame) {
  const auto size = static_cast<std::uint32_t>(frame.size());
  unsent_.append(reinterpret_cast<const char*>(&size), sizeof size);
  unsent_ += frame;
  flush();
}

/// Goes on with TLS's hand-shake; true once it is over.
bool Connection::shake() {
  if (!stream_.shaken() && problem().empty()) stream_.shake();
  return stream_.shaken();
}

void Connection::flush() {
  if (socket_ < 0 || !shake()) return;
  stream_.flush();
  std::size_t sent = 0;
  while (sent < unsent_.size()) {
    const iovec part{unsent_.data() + sent, unsent_.size() - sent};
    const ssize_t wrote = stream_.write(&part, 1);
    if (wrote < 0 && errno != EAGAIN && errno != EWOULDBLOCK) sent = unsent_.size();  // receive() will tell
    if (wrote <= 0) break;
    sent += static_cast<std::size_t>(wrote);
  }
  unsent_.erase(0, sent);
}

bool Connection::receive(std::vector<std::string>& frames, std::size_t most) {
  bool open = socket_ >= 0;
  if (open && !stream_.shaken()) flush();  // what has waited for the hand-shake goes out with its end
  if (!problem().empty()) open = false;
  char part[65536];
  while (open && stream_.shaken()) {
    const iovec place{part, sizeof part};
    const ssize_t got = stream_.read(&place, 1);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (got <= 0) open = false;
    if (got > 0) unread_.append(part, static_cast<std::size_t>(got));
    if (unread_.size() > 2 * kMostFrame) break;
  }
  std::size_t at = 0;
  std::uint32_t size = 0;
  for (; most > 0 && unread_.size() - at >= sizeof size; --most) {
    std::memcpy(&size, unread_.data() + at, sizeof size);
    if (size > most_) return false;
    if (unread_.size() - at - sizeof size < size) break;
    frames.push_back(unread_.substr(at + sizeof size, size));
    at += sizeof size + size;
  }
  unread_.erase(0, at);
  return open;
}

std::string Connection::other_end() const { return comm::other_end(socket_); }

std::string Connection::own_host() const {
  sockaddr_storage place{};
  socklen_t size = sizeof place;
  char name[NI_MAXHOST] = "";
  if (::getsockname(socket_, reinterpret_cast<sockaddr*>(&place), &size) != 0) return "lo";
  if (::getnameinfo(reinterpret_cast<sockaddr*>(&place), size, name, sizeof name, nullptr, 0, NI_NUMERICHOST) != 0)
    return "lo";
  return name;
}

Endpoint parse_endpoint(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) {
    throw Error("'" + text + "' is no address: give HOST:PORT");
  }
  Endpoint endpoint{text.substr(0, colon), text.substr(colon + 1)};
  if (endpoint.host.front() == '[' && endpoint.host.back() == ']') {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  }
  return endpoint;
}

int listen_on(const std::string& host, std::string& bound) {
  const AddressList list = addresses_of(host, "0", true);
  int error = 0;
  for (const addrinfo* at = list.get(); at != nullptr; at = at->ai_next) {
    const int socket = ::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket < 0 || ::bind(socket, at->ai_addr, at->ai_addrlen) != 0 || ::listen(socket, 1024) != 0) {
      error = errno;
      if (socket >= 0) ::close(socket);
      continue;
    }
    sockaddr_storage place{};
    socklen_t size = sizeof place;
    char name[NI_MAXHOST];
    char port[NI_MAXSERV];
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&place), &size) != 0 ||
        ::getnameinfo(reinterpret_cast<sockaddr*>(&place), size, name, sizeof name, port, sizeof port,
                      NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
      ::close(socket);
      continue;
    }
    bound = at->ai_family == AF_INET6 ? std::string("[") + name + "]:" + port : std::string(name) + ":" + port;
    return socket;
  }
  throw Error("rank 0 cannot listen on '" + host + "': " + std::strerror(error) +
              "; name another interface with --weft-interface");
}

Connection connect_to(const std::string& endpoint, const std::string& secret, double seconds,
                      const comm::TlsContext* tls) {
  const auto deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  const Endpoint place = parse_endpoint(endpoint);
  const AddressList list = addresses_of(place.host, place.port, false);
  int socket = -1;
  int error = 0;
  while (socket < 0) {
    for (const addrinfo* at = list.get(); socket < 0 && at != nullptr; at = at->ai_next) {
      socket = try_connect(*at, deadline);
      if (socket < 0) error = errno;
    }
    if (socket >= 0) break;
    if (Clock::now() >= deadline) {
      throw Error("rank 0 at " + endpoint + " cannot be reached: " + std::strerror(error) +
                  "; is another interface needed (--weft-interface)?");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  set_up(socket);
  Connection connection(socket, tls, comm::TlsSide::Connector);
  connection.flush();  // under TLS the first word is ours
  const std::string challenge = next_frame(connection, deadline, endpoint);
  if (const std::string why = strange(challenge); !why.empty()) throw Error("rank 0 at " + endpoint + ": " + why);
  const std::string theirs = challenge.substr(magic().size());
  const std::string mine = random_bytes(kRandomBytes);
  connection.send(magic() + mine + proof_of(Side::Client, secret, theirs, mine));
  const std::string answer = next_frame(connection, deadline, endpoint);
  if (!proves(answer, Side::Server, secret, theirs, mine)) {
    throw Error("what listens at " + endpoint + " does not know the secret of this job; it is not rank 0");
  }
  connection.trust();
  return connection;
}

Greeting::Greeting(Connection& connection, const std::string& secret)
    : secret_(secret), random_(random_bytes(kRandomBytes)) {
  set_up(connection.descriptor());
  connection.send(magic() + random_);
}

Greeting::Step Greeting::take(Connection& connection, const std::string& frame, std::string& why) {
  why = strange(frame);
  if (!why.empty()) return Step::Refused;
  const std::size_t begin = magic().size();
  if (frame.size() <= begin + kRandomBytes) {
    why = "its greeting is too short";
    return Step::Refused;
  }
  const std::string theirs = frame.substr(begin, kRandomBytes);
  if (!proves(frame.substr(begin + kRandomBytes), Side::Client, secret_, random_, theirs)) {
    why = "it does not know the secret of this job";
    return Step::Refused;
  }
  connection.send(proof_of(Side::Server, secret_, random_, theirs));
  connection.trust();
  return Step::Known;
}

}  // namespace weft::launch
