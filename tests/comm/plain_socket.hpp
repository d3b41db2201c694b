// A socket that knows nothing of weft.

#pragma once

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <string>

#include "comm/socket.hpp"

namespace weft::testing {

/// Connects to a process of a job, and says nothing.
inline int connect_plainly(const std::string& address) {
  const comm::Place place = comm::Place::parse(address);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(place.port);
  ::inet_pton(AF_INET, place.ip.c_str(), &to.sin_addr);
  EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  return fd;
}

}  // namespace weft::testing
