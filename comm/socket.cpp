#include "comm/socket.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <memory>

namespace weft::comm {
namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

bool make_address(const std::string& ip, std::uint16_t port, SocketAddress& out) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (::inet_pton(AF_INET, ip.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    out.size = sizeof *v4;
    return true;
  }
  if (::inet_pton(AF_INET6, ip.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    out.size = sizeof *v6;
    return true;
  }
  return false;
}

std::string ip_of(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
  } else if (address->sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    if (!IN6_IS_ADDR_LINKLOCAL(&v6)) ::inet_ntop(AF_INET6, &v6, text, sizeof text);
  }
  return text;
}

/// Returns the address of an interface, IPv4 first; else an empty text, and in `names` what there is.
std::string interface_ip(std::string_view name, std::string& names) {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(first, ::freeifaddrs);
  std::string v4, v6;
  for (const ifaddrs* it = first; it != nullptr; it = it->ifa_next) {
    if (it->ifa_addr == nullptr || (it->ifa_flags & IFF_UP) == 0) continue;
    const std::string ip = ip_of(it->ifa_addr);
    if (ip.empty()) continue;
    names += (names.empty() ? "" : ", ") + std::string(it->ifa_name) + " (" + ip + ")";
    if (name != it->ifa_name) continue;
    std::string& mine = it->ifa_addr->sa_family == AF_INET ? v4 : v6;
    if (mine.empty()) mine = ip;
  }
  return v4.empty() ? v6 : v4;
}

[[noreturn]] void no_place(std::string_view text) {
  throw Error("cannot connect to '" + std::string(text.substr(0, 100)) + "': not an address of a weft process");
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::reset() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::string Place::socket_text() const {
  const bool v6 = ip.find(':') != std::string::npos;
  return (v6 ? "[" + ip + "]" : ip) + ":" + std::to_string(port);
}

std::string Place::text() const {
  char number[17] = "";
  std::snprintf(number, sizeof number, "%016llx", static_cast<unsigned long long>(host));
  return std::string("weft1/") + number + "/" + socket_text();
}

Place Place::parse(std::string_view text) {
  const std::string_view whole = text;
  if (!text.starts_with("weft1/") || text.size() < 24 || text[22] != '/') no_place(whole);
  Place place;
  const std::string_view number = text.substr(6, 16);
  if (const auto end = std::from_chars(number.data(), number.data() + 16, place.host, 16);
      end.ec != std::errc() || end.ptr != number.data() + 16)
    no_place(whole);
  text.remove_prefix(23);
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) no_place(whole);
  const std::string_view port = text.substr(colon + 1);
  if (const auto end = std::from_chars(port.data(), port.data() + port.size(), place.port);
      end.ec != std::errc() || end.ptr != port.data() + port.size() || place.port == 0)
    no_place(whole);
  std::string_view ip = text.substr(0, colon);
  if (ip.front() == '[' && ip.back() == ']') ip = ip.substr(1, ip.size() - 2);
  place.ip = ip;
  SocketAddress address;
  if (!make_address(place.ip, place.port, address)) no_place(whole);
  return place;
}

std::uint64_t this_host() {
  static const std::uint64_t number = [] {
    std::string text;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> text;
    if (text.empty()) {
      text.resize(256);
      ::gethostname(text.data(), text.size());
    }
    std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
    for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3u;
    return hash;
  }();
  return number;
}

Fd listen_on(std::string_view where, std::uint16_t port, Place& place) {
  SocketAddress address;
  std::string ip(where), names;
  if (!make_address(ip, port, address)) {
    ip = interface_ip(where, names);
    if (ip.empty() || !make_address(ip, port, address)) {
      throw Error("cannot listen on '" + std::string(where) + "': no such interface is up here; there are " + names);
    }
  }
  const auto failed = [&](const char* what) {
    throw Error("cannot listen on " + ip + " port " + std::to_string(port) + ": " + what + ": " + std::strerror(errno));
  };
  Fd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) failed("socket");
  const int one = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (::bind(fd.get(), address.get(), address.size) != 0) failed("bind");
  if (::listen(fd.get(), 1024) != 0) failed("listen");
  address.size = sizeof address.storage;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.size) != 0) failed("getsockname");
  const bool v6 = address.storage.ss_family == AF_INET6;
  place.host = this_host();
  place.ip = ip;
  place.port = ntohs(v6 ? reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port
                        : reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port);
  return fd;
}

Fd begin_connect(const Place& place, std::string& error) {
  SocketAddress address;
  make_address(place.ip, place.port, address);
  Fd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd) {
    tune_socket(fd.get());
    if (::connect(fd.get(), address.get(), address.size) == 0 || errno == EINPROGRESS) return fd;
  }
  error = std::strerror(errno);
  return {};
}

std::string other_end(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  Place place;
  place.ip = ip_of(reinterpret_cast<const sockaddr*>(&storage));
  if (place.ip.empty()) return {};
  const bool v6 = storage.ss_family == AF_INET6;
  place.port = ntohs(v6 ? reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port
                        : reinterpret_cast<sockaddr_in*>(&storage)->sin_port);
  return place.socket_text();
}

int socket_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

void tune_socket(int fd) {
  // Best effort: a socket that refuses these is slower to send or to tell of a dead machine, not wrong.
  const auto set = [fd](int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  // A process that dies closes its socket; a machine that dies does not.
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 4);
}

}  // namespace weft::comm
