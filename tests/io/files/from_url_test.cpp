#include <weft/from_url.hpp>
#include <weft/remote.hpp>

#include "tests/io/formats/file_of.hpp"
#include "tests/io/remote/test_server.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FromUrlTest : public testing::Test {
 protected:
  FromUrlTest() : server_(folder_ / "") {}
  void SetUp() override {
    if (!io::can_read_remote()) GTEST_SKIP() << "no libcurl here";
    ASSERT_TRUE(server_.runs());
  }
  std::string message(const std::string& url) {
    try {
      from_url(url).compute(client_);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "no error";
  }
  io::TestFolder folder_;
  io::TestServer server_;
  const Client client_{Options{.scheduler = "threads", .threads = 2}};
};

TEST_F(FromUrlTest, AnAddressIsAPartitionOfLines) {
  folder_.file("a.txt", "one\ntwo\r\n\nfour");
  folder_.file("b.txt", "five\n");
  folder_.file("none.txt", "");
  const auto lines = from_url({server_.url("plain/a.txt"), server_.url("plain/none.txt"), server_.url("flaky/b.txt")});
  EXPECT_EQ(lines.to_delayed().size(), 3u);
  EXPECT_THAT(lines.compute(client_), ElementsAre("one", "two", "", "four", "five"));
  EXPECT_THAT(from_url(server_.url("whole/a.txt")).compute(client_), ElementsAre("one", "two", "", "four"))
      << "from a server that knows no ranges";
}

TEST_F(FromUrlTest, LargeTextsComeWhole) {
  std::string text;
  for (int i = 0; i < 400'000; ++i) text += "line " + std::to_string(i) + "\n";
  folder_.file("large.txt", text);
  const auto lines = from_url(server_.url("plain/large.txt")).compute(client_);
  ASSERT_EQ(lines.size(), 400'000u);
  EXPECT_EQ(lines[399'999], "line 399999");
}

TEST_F(FromUrlTest, WhatIsNotThereIsNamed) {
  EXPECT_THAT(message(server_.url("plain/absent.txt")), HasSubstr("absent.txt"));
  EXPECT_THAT(message(server_.url("denied/a.txt")), HasSubstr("denied/a.txt"));
  EXPECT_THAT(message("/tmp/a.txt"), HasSubstr("is no address"));
  EXPECT_THROW(from_url(std::vector<std::string>{}), Error);
}

}  // namespace
}  // namespace weft
