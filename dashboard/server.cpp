#include "dashboard/server.hpp"

#include "dashboard/request.hpp"

#include <weft/error.hpp>

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace weft::dashboard {
namespace {

using Clock = std::chrono::steady_clock;

/// What a stranger may send after its request before the connection is closed without reading it.
constexpr std::size_t kMostIgnored = 64 << 10;

const char* reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Error";
  }
}

int listen_on(std::uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (listener >= 0 && ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::listen(listener, 64) == 0) {
    return listener;
  }
  const int error = errno;
  if (listener >= 0) ::close(listener);
  throw ConfigError(
      fmt::format("the page cannot listen on port {} of 127.0.0.1: {}; {}", port, std::strerror(error),
                  error == EADDRINUSE
                      ? "another program of this host has it: take another number, or any free one with --weft-page=on"
                      : "take another number, or any free one with --weft-page=on"));
}

}  // namespace

/// 1. `in` grows until a request is whole. 2. `out` is sent. 3. This end is closed, and what still comes is dropped
/// until the other end is closed too: closing with something unread would take the answer back.
struct Server::Connection {
  explicit Connection(int its_socket) : socket(its_socket) {}
  ~Connection() { ::close(socket); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const int socket;
  const Clock::time_point until = Clock::now() + kPatience;
  std::string in;
  std::string out;
  std::size_t sent = 0;
  std::size_t ignored = 0;
  bool answered = false;
  bool closing = false;
};

Server::Server(std::uint16_t port, std::function<Answer(const std::string&)> answer, std::function<void()> quiet)
    : answer_(std::move(answer)), quiet_(std::move(quiet)), listener_(listen_on(port)) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) {
    const int error = errno;
    ::close(listener_);
    throw Error(std::string("the page cannot be shown: ") + std::strerror(error));
  }
  // Signals are for the threads of the program.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Server::~Server() {
  ::eventfd_write(wake_, 1);
  thread_.join();
  connections_.clear();
  ::close(listener_);
  ::close(wake_);
}

void Server::run() {
  ::pthread_setname_np(::pthread_self(), "weft page");
  std::vector<pollfd> waits;
  for (;;) {
    waits.assign({{wake_, POLLIN, 0}, {listener_, POLLIN, 0}});
    for (const Connection& one : connections_) {
      const bool sends = one.answered && !one.closing;
      waits.push_back({one.socket, static_cast<short>(sends ? POLLOUT : POLLIN), 0});
    }
    // Nothing happens, and no time passes for anybody, while nobody is connected.
    Clock::time_point next = told_quiet_ ? Clock::time_point::max() : asked_ + kPatience;
    if (!connections_.empty()) next = std::min(next, connections_.front().until);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
    const int most = next == Clock::time_point::max() ? -1 : static_cast<int>(std::max<long>(0, left));
    if (::poll(waits.data(), waits.size(), most) < 0 && errno != EINTR) return;
    if (waits[0].revents != 0) return;
    auto wait = waits.begin() + 2;
    const Clock::time_point now = Clock::now();
    for (auto one = connections_.begin(); one != connections_.end(); ++wait) {
      const bool ended = one->until <= now || (wait->revents != 0 && !go_on(*one));
      one = ended ? connections_.erase(one) : std::next(one);
    }
    if (waits[1].revents != 0) take_new();
    if (!told_quiet_ && Clock::now() >= asked_ + kPatience) {
      told_quiet_ = true;
      quiet_();
    }
  }
}

void Server::take_new() {
  const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  const bool no_more_files = socket < 0 && (errno == EMFILE || errno == ENFILE);
  if ((no_more_files || connections_.size() >= kMostConnections) && !connections_.empty()) connections_.pop_front();
  // Whoever waits to be taken goes on waiting; without a pause this thread would only ask again and again.
  if (no_more_files) ::poll(nullptr, 0, 100);
  if (socket >= 0) connections_.emplace_back(socket);
}

bool Server::go_on(Connection& one) {
  char part[4096];
  if (!one.answered || one.closing) {
    const ssize_t count = ::recv(one.socket, part, sizeof part, 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return false;
    if (one.closing) return (one.ignored += static_cast<std::size_t>(count)) <= kMostIgnored;
    one.in.append(part, static_cast<std::size_t>(count));
    std::string path;
    switch (read_request(one.in, path)) {
      case RequestState::Unfinished:
        return true;
      case RequestState::Good:
        asked_ = Clock::now();
        told_quiet_ = false;
        reply(one, answer_(path));
        break;
      case RequestState::Other:
        reply(one, {405, "text/plain; charset=utf-8", "this page is only read: GET\n"});
        break;
      case RequestState::Bad:
        reply(one, {400, "text/plain; charset=utf-8", "this is not a request of HTTP/1.1\n"});
        break;
      case RequestState::TooLong:
        reply(one, {431, "text/plain; charset=utf-8", "the request is too long\n"});
        break;
    }
  }
  while (one.sent < one.out.size()) {
    const ssize_t count = ::send(one.socket, one.out.data() + one.sent, one.out.size() - one.sent, MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    one.sent += static_cast<std::size_t>(count);
  }
  one.closing = true;
  return ::shutdown(one.socket, SHUT_WR) == 0;
}

/// Nothing of what is shown is kept by a browser, comes from elsewhere, or goes elsewhere.
void Server::reply(Connection& one, const Answer& answer) {
  one.answered = true;
  one.in.clear();
  one.out = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'; "
      "connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'\r\n\r\n{}",
      answer.status, reason_of(answer.status), answer.type, answer.body.size(), answer.body);
}

}  // namespace weft::dashboard
