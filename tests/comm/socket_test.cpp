#include "comm/socket.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

namespace weft::comm {
namespace {

TEST(SocketTest, PlacesComeBackFromTheirText) {
  for (const char* ip : {"10.0.0.3", "::1", "fd00::17"}) {
    const Place place{0x1234, ip, 4711};
    const Place again = Place::parse(place.text());
    EXPECT_EQ(again.host, place.host);
    EXPECT_EQ(again.ip, place.ip);
    EXPECT_EQ(again.port, place.port);
  }
  EXPECT_EQ((Place{0x1234, "::1", 4711}).text(), "weft1/0000000000001234/[::1]:4711");
}

TEST(SocketTest, TextsThatAreNoPlaceAreRefused) {
  for (const char* text :
       {"", "weft1/", "weft2/0000000000001234/1.2.3.4:5", "weft1/000000000000123x/1.2.3.4:5",
        "weft1/0000000000001234/1.2.3.4", "weft1/0000000000001234/1.2.3.4:0", "weft1/0000000000001234/1.2.3.4:99999",
        "weft1/0000000000001234/host:5", "weft1/0000000000001234/:5", "weft1/0000000000001234/1.2.3.4:5 "})
    EXPECT_ANY_THROW(Place::parse(text)) << text;
}

TEST(SocketTest, ListeningSocketIsNotInheritedByChildren) {
  Place place;
  const Fd fd = listen_on("127.0.0.1", 0, place);
  EXPECT_NE(place.port, 0);
  EXPECT_EQ(place.host, this_host());
  EXPECT_NE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(SocketTest, PortThatIsTakenIsNamed) {
  Place place, other;
  const Fd fd = listen_on("lo", 0, place);
  try {
    listen_on("lo", place.port, other);
    FAIL() << "listened twice";
  } catch (const std::exception& error) {
    EXPECT_NE(std::string(error.what()).find(std::to_string(place.port)), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace weft::comm
