#include "comm/network_transport.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "comm/connection.hpp"

namespace weft::comm {
namespace {

const logging::Room logger("comm");

// Connections that have not proven the secret yet; more of them are not accepted until some have.
constexpr std::size_t kMostStrangers = 512;
// A process that comes back has another port: the places of the dead are forgotten when there are so many.
constexpr std::size_t kMostDistrusted = 4096;
// How often the clocks of connections are looked at.
constexpr Nanoseconds kTick = 100'000'000;
// While shared memory carries the messages, the sockets are asked every so many turns.
constexpr unsigned kSocketTurns = 64;

class NetworkTransport final : public Transport, private ConnectionHost {
 public:
  explicit NetworkTransport(const NetworkOptions& options);
  ~NetworkTransport() override;

  void set_listener(Listener* listener) override { listener_ = listener; }
  std::string address() const override { return place_.text(); }
  PeerId connect(std::string_view address, std::string_view hello) override;
  void send(PeerId peer, std::span<const std::byte> bytes) override;
  void send_block(PeerId peer, std::span<const std::byte> header, const void* data, std::size_t bytes, MemoryKind kind,
                  std::uint64_t token) override;
  void flush() override;
  bool progress() override;
  void sleep(Nanoseconds most) override;
  void wake() noexcept override;
  void close(PeerId peer) override;
  std::size_t most_message_bytes() const override { return kMostMessageBytes; }
  std::string description() const override;

 private:
  // ConnectionHost
  const NetworkOptions& options() const override { return options_; }
  Listener& listener() override { return *listener_; }
  PeerId admit(Connection& connection) override;
  void refused(const std::string& sentence) override;
  void watch(Connection& connection, bool for_room) override;
  Nanoseconds now() const override;
  Fabric* fabric() const override { return fabric_.get(); }
  void distrust(const Place& place, const std::string& why) override;
  bool distrusts(const Place& place) const override { return distrusted_.count(place.text()) != 0; }

  Connection* find(PeerId peer) const { return peer < peers_.size() ? peers_[peer] : nullptr; }
  Connection& add(Fd fd, Handshake::Role role, PeerId peer, const Place& place, std::string_view hello);
  void touch(Connection& connection);
  bool poll_sockets();
  void accept_strangers();
  void watch_listener(bool on);
  void check_times();
  void sweep();
  void open_ucx();
  bool lanes_may_sleep();

  /// Guards all below: one thread sleeps while another makes the calls. A listener calls back from within progress.
  std::recursive_mutex mutex_;
  NetworkOptions options_;
  Place place_;
  Fd listening_, poll_, wake_;
  std::unique_ptr<Fabric> fabric_;  // before the connections: their lanes need it to the end
  std::string fabric_remark_;
  std::set<std::string> distrusted_;  // places to which no fast lane is offered any more
  Listener* listener_ = nullptr;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> peers_;  // by PeerId; null when lost or forgotten
  std::vector<Connection*> fast_;   // those whose messages do not go through their socket
  std::vector<Connection*> dirty_;  // something was sent since the last flush
  std::vector<std::pair<PeerId, std::uint64_t>> refused_blocks_;
  std::size_t need_socket_ = 0;  // connections that only their socket moves
  unsigned turns_ = 0;
  bool changed_ = false;  // a connection came, went, or changed its lane
  bool sockets_ready_ = false;
  bool listening_watched_ = false;
  bool asleep_ = false;  // somebody waits for events
  Nanoseconds last_tick_ = 0;
  std::atomic<bool> woken_{false};  // set before the eventfd is written, cleared when `sleep` reads it
};

NetworkTransport::NetworkTransport(const NetworkOptions& options) : options_(options), peers_(1, nullptr) {
  if (options_.protocol == 0) options_.protocol = kProtocol;
  listening_ = listen_on(options_.listen_on, options_.port, place_);
  poll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  wake_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!poll_ || !wake_) throw Error(std::string("no event descriptors: ") + std::strerror(errno));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &wake_;
  ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
  watch_listener(true);
  open_ucx();
}

void NetworkTransport::open_ucx() {
  if (options_.ucx == UseUcx::Never || options_.tls != nullptr) return;
  const bool wanted = options_.ucx == UseUcx::Always;
  if (!wanted && !fast_network_present()) return;
  std::string why;
  const bool by_name = options_.listen_on.find_first_of(".:") == std::string::npos;
  fabric_ = open_fabric(by_name ? options_.listen_on : std::string(), why);
  if (fabric_ == nullptr) {
    if (wanted) throw Error("no transport over UCX: " + why);
    fabric_remark_ = "; a fast network is present and unused: " + why;
    return;
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &fabric_;
  ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fabric_->event_fd(), &event);
}

NetworkTransport::~NetworkTransport() {
  flush();
  for (const auto& connection : connections_) connection->move_out();
}

Nanoseconds NetworkTransport::now() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string NetworkTransport::description() const {
  std::string text = (options_.tls != nullptr ? "tls over tcp on " : "tcp on ") + place_.socket_text();
  if (fabric_ != nullptr) text = std::string(fabric_->description()) + ", " + text;
  return text + (options_.shared_memory ? ", shared memory inside the node" : "") + fabric_remark_;
}

Connection& NetworkTransport::add(Fd fd, Handshake::Role role, PeerId peer, const Place& place,
                                  std::string_view hello) {
  ConnectionHost& self = *this;
  connections_.push_back(std::make_unique<Connection>(self, std::move(fd), role, peer, place, std::string(hello)));
  Connection& connection = *connections_.back();
  changed_ = true;
  if (connection.fd() >= 0) {
    epoll_event event{};
    event.events = role == Handshake::Role::Connector ? EPOLLOUT : EPOLLIN;
    event.data.ptr = &connection;
    ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, connection.fd(), &event);
  }
  return connection;
}

PeerId NetworkTransport::connect(std::string_view address, std::string_view hello) {
  const std::lock_guard lock(mutex_);
  const Place place = Place::parse(address);
  if (hello.size() > kMostHelloBytes) throw Error("a hello of " + std::to_string(hello.size()) + " bytes is too long");
  std::string error;
  Fd fd = begin_connect(place, error);
  const bool begun = static_cast<bool>(fd);
  const auto peer = static_cast<PeerId>(peers_.size());
  Connection& connection = add(std::move(fd), Handshake::Role::Connector, peer, place, hello);
  if (!begun) {
    connection.give_up_early("nobody answers at " + place.socket_text() + ": " + error);
    last_tick_ = 0;
  }
  peers_.push_back(&connection);
  return peer;
}

PeerId NetworkTransport::admit(Connection& connection) {
  peers_.push_back(&connection);
  changed_ = true;
  return static_cast<PeerId>(peers_.size() - 1);
}

void NetworkTransport::refused(const std::string& sentence) {
  if (options_.on_refused) {
    options_.on_refused(sentence);
  } else {
    logger.warning(sentence);
  }
}

void NetworkTransport::distrust(const Place& place, const std::string& why) {
  logger.info("blocks to ", place.socket_text(), " go over tcp from now on: ", why);
  if (distrusted_.size() >= kMostDistrusted) distrusted_.clear();
  distrusted_.insert(place.text());
}

void NetworkTransport::watch(Connection& connection, bool for_room) {
  if (connection.gone() || connection.fd() < 0) return;
  epoll_event event{};
  event.events = EPOLLIN | (for_room ? static_cast<std::uint32_t>(EPOLLOUT) : 0u);
  event.data.ptr = &connection;
  ::epoll_ctl(poll_.get(), EPOLL_CTL_MOD, connection.fd(), &event);
}

void NetworkTransport::touch(Connection& connection) {
  if (dirty_.empty() || dirty_.back() != &connection) dirty_.push_back(&connection);
}

void NetworkTransport::send(PeerId peer, std::span<const std::byte> bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes.size() > kMostMessageBytes) {
    throw Error("a message of " + std::to_string(bytes.size()) + " bytes is too long: at most " +
                std::to_string(kMostMessageBytes) + "; send it as a block");
  }
  Connection* connection = find(peer);
  if (connection == nullptr) return;
  connection->send(bytes);
  touch(*connection);
}

void NetworkTransport::send_block(PeerId peer, std::span<const std::byte> header, const void* data, std::size_t bytes,
                                  MemoryKind kind, std::uint64_t token) {
  const std::lock_guard lock(mutex_);
  if (kind == MemoryKind::Device && options_.device == nullptr) {
    throw Error("a block in device memory, but the transport was opened without a device");
  }
  if (header.size() > kMostMessageBytes) {
    throw Error("a header of " + std::to_string(header.size()) + " bytes is too long for a block");
  }
  Connection* connection = find(peer);
  if (connection == nullptr || connection->state() >= Connection::State::Closing) {
    refused_blocks_.emplace_back(peer, token);
    return;
  }
  connection->send_block(header, data, bytes, kind, token);
  touch(*connection);
}

void NetworkTransport::flush() {
  const std::lock_guard lock(mutex_);
  for (Connection* connection : dirty_) connection->move_out();
  dirty_.clear();
}

void NetworkTransport::close(PeerId peer) {
  const std::lock_guard lock(mutex_);
  Connection* connection = find(peer);
  if (connection == nullptr) return;
  connection->close();
  peers_[peer] = nullptr;
  changed_ = true;
}

bool NetworkTransport::progress() {
  const std::lock_guard lock(mutex_);
  bool moved = false;
  if (!dirty_.empty()) flush();
  for (const auto& [peer, token] : std::exchange(refused_blocks_, {})) {
    listener_->block_sent(peer, token, false);
    moved = true;
  }
  if (fabric_ != nullptr) moved |= fabric_->progress();
  for (std::size_t i = 0; i < fast_.size(); ++i) {
    Connection& connection = *fast_[i];
    if (connection.state() == Connection::State::Open) moved |= connection.poll_fast_lane();
    moved |= connection.tell_ends();
    changed_ |= connection.state() != Connection::State::Open;
  }
  if (changed_ || sockets_ready_ || need_socket_ > 0 || ++turns_ >= kSocketTurns) moved |= poll_sockets();
  if (!dirty_.empty()) flush();
  if (changed_) sweep();
  // What would have woken it may be gone with the news, and nobody writes to it again who believes it awake.
  if (moved && asleep_) wake();
  return moved;
}

bool NetworkTransport::poll_sockets() {
  turns_ = 0;
  sockets_ready_ = false;
  bool moved = false;
  std::array<epoll_event, 64> events;
  const int count = ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.ptr == &wake_) continue;    // for who sleeps, or the next who does
    if (event.data.ptr == &fabric_) continue;  // progress has looked there
    if (event.data.ptr == &listening_) {
      accept_strangers();
      continue;
    }
    auto& connection = *static_cast<Connection*>(event.data.ptr);
    const bool readable = (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0;
    const Connection::State before = connection.state();
    moved |= connection.socket_ready(readable, (event.events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0);
    changed_ |= connection.state() != before;
  }
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    // What was read from the socket and not looked at: no event tells of it.
    if (connections_[i]->holds_input()) {
      const Connection::State before = connections_[i]->state();
      moved |= connections_[i]->socket_ready(true, false);
      changed_ |= connections_[i]->state() != before;
    }
    if (!connections_[i]->needs_socket()) continue;
    if (connections_[i]->state() == Connection::State::Closing) moved |= connections_[i]->move_out();
    moved |= connections_[i]->tell_ends();
  }
  if (const Nanoseconds time = now(); time - last_tick_ >= kTick) {
    last_tick_ = time;
    check_times();
  }
  return moved;
}

void NetworkTransport::check_times() {
  const Nanoseconds time = last_tick_;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    connections_[i]->check_times(time);
    connections_[i]->tell_ends();
    changed_ |= connections_[i]->gone();
  }
  if (!listening_watched_) watch_listener(true);
}

void NetworkTransport::watch_listener(bool on) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &listening_;
  ::epoll_ctl(poll_.get(), on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listening_.get(), &event);
  listening_watched_ = on;
}

void NetworkTransport::accept_strangers() {
  std::size_t strangers = 0;
  for (const auto& connection : connections_) strangers += connection->peer() == kNone;
  for (int i = 0; i < 64; ++i) {
    if (strangers++ >= kMostStrangers) {
      watch_listener(false);  // until the next tick: some will have proven themselves, or have run out of time
      return;
    }
    Fd fd(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      if (errno == EINTR || errno == ECONNABORTED) continue;
      // Out of descriptors or memory: those who wait may try again.
      logger.warning("a connection was not accepted: ", std::strerror(errno));
      watch_listener(false);
      return;
    }
    tune_socket(fd.get());
    add(std::move(fd), Handshake::Role::Acceptor, kNone, place_, {});
  }
}

void NetworkTransport::sweep() {
  changed_ = false;
  need_socket_ = 0;
  fast_.clear();
  for (const auto& connection : connections_) {
    connection->tell_ends();
    if (connection->gone()) {
      const PeerId peer = connection->peer();
      if (peer < peers_.size() && peers_[peer] == connection.get()) peers_[peer] = nullptr;
      std::erase(dirty_, connection.get());
      // Closing the descriptor is not enough: a process that is being forked right now holds the socket for a moment.
      if (connection->fd() >= 0) ::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, connection->fd(), nullptr);
      continue;
    }
    if (connection->has_fast_lane()) fast_.push_back(connection.get());
    if (connection->needs_socket()) ++need_socket_;
  }
  std::erase_if(connections_, [](const auto& connection) { return connection->gone(); });
}

bool NetworkTransport::lanes_may_sleep() {
  bool may = true;
  for (const Connection* connection : fast_)
    if (connection->ring() != nullptr) may = connection->ring()->fall_asleep() && may;
  return may && (fabric_ == nullptr || fabric_->may_sleep());
}

void NetworkTransport::sleep(Nanoseconds most) {
  Nanoseconds time = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!dirty_.empty()) flush();
    sockets_ready_ = true;
    if (!refused_blocks_.empty() || changed_) return;
    if (std::any_of(connections_.begin(), connections_.end(), [](const auto& it) { return it->holds_input(); })) return;
    if (lanes_may_sleep()) {
      // The clocks of connections are looked at while asleep, too.
      const bool timed = std::any_of(connections_.begin(), connections_.end(), [](const auto& connection) {
        return connection->state() != Connection::State::Open;
      });
      time = std::clamp<Nanoseconds>(timed ? std::min(most, kTick) : most, 0, 1'000'000'000);
    }
    asleep_ = time > 0;
  }
  if (time > 0) {
    const timespec timeout{static_cast<time_t>(time / 1'000'000'000), static_cast<long>(time % 1'000'000'000)};
    pollfd one{poll_.get(), POLLIN, 0};
    ::ppoll(&one, 1, &timeout, nullptr);
  }
  const std::lock_guard lock(mutex_);
  asleep_ = false;
  for (const Connection* connection : fast_)
    if (connection->ring() != nullptr) connection->ring()->awake();
  if (time > 0 || woken_.load(std::memory_order_relaxed)) {
    // In this order: who finds it woken and writes nothing has this end of a sleep, or the next.
    std::uint64_t number;
    [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &number, sizeof number);
    woken_.exchange(false, std::memory_order_acq_rel);
  }
}

void NetworkTransport::wake() noexcept {
  if (woken_.exchange(true, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t wrote = ::write(wake_.get(), &one, sizeof one);
}

}  // namespace

std::unique_ptr<Transport> open_network_transport(const NetworkOptions& options) {
  return std::make_unique<NetworkTransport>(options);
}

}  // namespace weft::comm
