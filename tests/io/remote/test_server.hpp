#pragma once

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace weft::io {

/// A program beside the test that serves a folder: server.py says how. It ends with this object, or with the test.
class TestServer {
 public:
  explicit TestServer(const std::string& folder, const std::string& certificate = {}) {
    int to[2] = {}, from[2] = {};
    if (::pipe(to) != 0 || ::pipe(from) != 0) return;
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(to[0], 0);
      ::dup2(from[1], 1);
      for (const int one : {to[0], to[1], from[0], from[1]}) ::close(one);
      const char* const python = WEFT_TEST_PYTHON3;
      if (certificate.empty()) {
        ::execl(python, python, WEFT_TEST_SERVER, folder.c_str(), nullptr);
      } else {
        ::execl(python, python, WEFT_TEST_SERVER, folder.c_str(), certificate.c_str(), nullptr);
      }
      ::_exit(127);
    }
    ::close(to[0]);
    ::close(from[1]);
    input_ = to[1];
    char digits[16] = {};
    for (std::size_t i = 0; i + 1 < sizeof digits && ::read(from[0], digits + i, 1) == 1 && digits[i] != '\n'; ++i) {
    }
    ::close(from[0]);
    port_ = std::atoi(digits);
    // Proxies of the machine do not stand between a test and itself.
    ::setenv("no_proxy", "127.0.0.1", 1);
  }
  ~TestServer() {
    if (input_ >= 0) ::close(input_);
    if (child_ <= 0) return;
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  bool runs() const { return port_ > 0; }
  std::string url(const std::string& path, const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_) + "/" + path;
  }
  /// Of an s3 store: what follows the question mark.
  std::string endpoint() const { return "?endpoint=http://127.0.0.1:" + std::to_string(port_); }

 private:
  pid_t child_ = -1;
  int input_ = -1, port_ = 0;
};

}  // namespace weft::io
