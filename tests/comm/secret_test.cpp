#include "comm/secret.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weft::comm {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string hex(const Digest& digest) {
  std::string text;
  for (const std::byte byte : digest) {
    text += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
    text += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

TEST(SecretTest, KeyedDigestIsHmacSha256) {
  // Against an independent implementation, for the key 00 01 ... 1f.
  Secret secret;
  for (std::size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<std::byte>(i);
  EXPECT_EQ(hex(keyed_digest(secret, bytes_of("what do ya want for nothing?"))),
            "099805f4ac310786968565c098db515cc50862b420ae31e20238312344bed36a");
}

TEST(SecretTest, RandomBytesDiffer) {
  Secret a{}, b{};
  fill_random(a);
  fill_random(b);
  EXPECT_FALSE(equal_digests(a, b));
  EXPECT_TRUE(equal_digests(a, a));
}

}  // namespace
}  // namespace weft::comm
