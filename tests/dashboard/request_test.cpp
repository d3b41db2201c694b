#include "dashboard/request.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace weft::dashboard {
namespace {

RequestState state_of(std::string_view bytes) {
  std::string path;
  return read_request(bytes, path);
}

TEST(RequestTest, WhatABrowserSendsIsRead) {
  std::string path;
  EXPECT_EQ(read_request("GET /abc/state.json?x=1 HTTP/1.1\r\nHost: localhost:1\r\nAccept: */*\r\n\r\n", path),
            RequestState::Good);
  EXPECT_EQ(path, "/abc/state.json");
}

TEST(RequestTest, EveryPartOfARequestIsUnfinished) {
  const std::string whole = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(state_of(std::string_view(whole).substr(0, size)), RequestState::Unfinished) << size;
  EXPECT_EQ(state_of(whole), RequestState::Good);
}

TEST(RequestTest, OtherMethodsAreToldApart) {
  EXPECT_EQ(state_of("POST /a HTTP/1.1\r\n\r\n"), RequestState::Other);
  EXPECT_EQ(state_of("DELETE / HTTP/1.0\r\n\r\n"), RequestState::Other);
}

TEST(RequestTest, WhatIsNoHttpIsToldAtOnce) {
  for (const char* const bytes : {"\x16\x03\x01\x02", "SSH-2.0-OpenSSH_9\r\n", "get / HTTP/1.1\r\n", "\r\n\r\n",
                                  "GET\r\n", "GETGETGETGETGETGET", " GET / HTTP/1.1\r\n"}) {
    EXPECT_EQ(state_of(bytes), RequestState::Bad) << bytes;
  }
  EXPECT_EQ(state_of("GET / HTTP/2\r\n\r\n"), RequestState::Bad);
  EXPECT_EQ(state_of("GET relative HTTP/1.1\r\n\r\n"), RequestState::Bad);
  EXPECT_EQ(state_of("GET / x HTTP/1.1\r\n\r\n"), RequestState::Bad);
  EXPECT_EQ(state_of("GET /\r\n\r\n"), RequestState::Bad);
  EXPECT_EQ(state_of("GET /\x01 HTTP/1.1\r\n\r\n"), RequestState::Bad);
}

TEST(RequestTest, WhatGoesOnTooLongIsRefused) {
  std::string bytes = "GET / HTTP/1.1\r\nCookie: ";
  bytes.resize(kMostRequestBytes - 1, 'x');
  EXPECT_EQ(state_of(bytes), RequestState::Unfinished);
  bytes += 'x';
  EXPECT_EQ(state_of(bytes), RequestState::TooLong);
}

TEST(RequestTest, RandomBytesAreNeverAGoodRequestByChance) {
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (i % 2 == 0) bytes = "GET /" + bytes;
    EXPECT_NE(state_of(bytes), RequestState::Good);
  }
}

TEST(RequestTest, SecretsAreComparedWhole) {
  EXPECT_TRUE(same_secret("abcd", "abcd"));
  for (const char* const wrong : {"", "abc", "abce", "bbcd", "abcda", "abcdabcd"})
    EXPECT_FALSE(same_secret("abcd", wrong));
}

}  // namespace
}  // namespace weft::dashboard
