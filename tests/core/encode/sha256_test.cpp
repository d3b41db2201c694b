#include "core/encode/sha256.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weft {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string hex(const Sha256Digest& digest) {
  std::string text;
  for (const std::byte byte : digest) {
    text += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
    text += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

std::string sha256(std::string_view text) {
  Sha256 hash;
  hash.add(bytes_of(text));
  return hex(hash.finish());
}

TEST(Sha256Test, GivesTheStandardsAnswers) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, PiecesHashLikeTheWhole) {
  const std::string text(300, 'q');
  for (std::size_t cut : {1u, 55u, 63u, 64u, 65u, 128u, 299u}) {
    Sha256 hash;
    hash.add(bytes_of(std::string_view(text).substr(0, cut)));
    hash.add(bytes_of(std::string_view(text).substr(cut)));
    EXPECT_EQ(hex(hash.finish()), sha256(text)) << cut;
  }
}

TEST(Sha256Test, KeysOfAnyLengthGiveTheStandardsAnswers) {
  // RFC 4231, cases 2 and 6.
  EXPECT_EQ(hex(keyed_sha256(bytes_of("Jefe"), bytes_of("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(keyed_sha256(bytes_of(std::string(131, '\xaa')),
                             bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

}  // namespace
}  // namespace weft
