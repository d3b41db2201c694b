#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

// The other end of a page's connections.

namespace weft::dashboard {

/// A connection to a port of this host. Owns: the socket.  Threading: one thread.
class Visit {
 public:
  explicit Visit(std::uint16_t port, double patience_seconds = 20) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval most{};
    most.tv_sec = static_cast<time_t>(patience_seconds);
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Visit() { ::close(socket_); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  bool connected() const { return connected_; }
  void send(std::string_view bytes) { static_cast<void>(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL)); }
  /// Returns all that comes until the other end closes.
  std::string receive() {
    std::string all;
    char part[4096];
    for (ssize_t count = 0; (count = ::recv(socket_, part, sizeof part, 0)) > 0;)
      all.append(part, static_cast<std::size_t>(count));
    return all;
  }

 private:
  int socket_;
  bool connected_ = false;
};

/// Returns the whole answer to GET, its head included.
inline std::string get(std::uint16_t port, const std::string& path) {
  Visit visit(port);
  visit.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return visit.receive();
}

inline std::string body_of(const std::string& answer) {
  const std::size_t head = answer.find("\r\n\r\n");
  return head == std::string::npos ? "" : answer.substr(head + 4);
}

/// Returns how many threads of this process have the name.
inline int threads_named(const std::string& name) {
  int count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string found;
    std::getline(std::ifstream(task.path() / "comm"), found);
    count += found == name ? 1 : 0;
  }
  return count;
}

}  // namespace weft::dashboard
