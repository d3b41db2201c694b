#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>

namespace weft::dashboard {

/// What a GET request is answered with.
struct Answer {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

/// Answers GET requests on loopback.
///
/// Holds at most kMostConnections, each for at most kPatience and one request; when all places are taken, the oldest
/// goes. So neither a stranger who sends rubbish nor one who sends nothing keeps others out, or memory.
/// Owns: the sockets and a thread.  Threading: made and destroyed by one thread; the functions are called by its own
/// thread, one at a time, and not after the destructor has returned.
class Server {
 public:
  static constexpr std::size_t kMostConnections = 32;
  static constexpr std::chrono::seconds kPatience{10};

  /// `port` 0: any that is free. `answer` gets the path; `quiet` is called when nothing has been asked for kPatience.
  /// Throws ConfigError where the port cannot be had.
  Server(std::uint16_t port, std::function<Answer(const std::string& path)> answer, std::function<void()> quiet);
  /// Closes the connections, and ends the thread.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  struct Connection;
  void run();
  void take_new();
  /// Reads and writes what is possible; false when the connection has ended.
  bool go_on(Connection& connection);
  void reply(Connection& connection, const Answer& answer);

  const std::function<Answer(const std::string&)> answer_;
  const std::function<void()> quiet_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  int wake_ = -1;
  // Of the thread.
  std::list<Connection> connections_;  // oldest first
  std::chrono::steady_clock::time_point asked_;
  bool told_quiet_ = true;
  std::thread thread_;
};

}  // namespace weft::dashboard
