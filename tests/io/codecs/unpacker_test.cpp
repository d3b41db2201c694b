#include "io/codecs/unpacker.hpp"

#include "io/codecs/filters.hpp"

#include <weft/storage.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace weft::io {
namespace {

std::vector<std::byte> some_text() {
  std::vector<std::byte> text(700000);
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<std::byte>('a' + i * i / 91 % 23);
  return text;
}

/// Packs the parts one behind the other.
std::vector<std::byte> packed(std::uint32_t codec, std::span<const std::byte> text, std::size_t part) {
  std::vector<std::byte> all;
  for (std::size_t at = 0; at < text.size(); at += part) {
    const auto some = apply_filters("a", {{codec, {}}}, 1, text.subspan(at, std::min(part, text.size() - at)));
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

/// Unpacks bytes that come in pieces of `given`, and asks for pieces of `asked`.
std::vector<std::byte> unpacked(const std::vector<std::byte>& from, std::size_t given, std::size_t asked) {
  Unpacker unpacker("a.gz", packing_of(from), [&, at = std::size_t{0}](std::span<std::byte> out) mutable {
    const std::size_t count = std::min({given, out.size(), from.size() - at});
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(at), count, out.begin());
    at += count;
    return count;
  });
  std::vector<std::byte> text;
  for (;;) {
    std::vector<std::byte> some(asked);
    const std::size_t got = unpacker.read(some);
    text.insert(text.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(got));
    if (got < asked) return text;
  }
}

TEST(UnpackerTest, PartsThatWereJoinedAreOneText) {
  const std::vector<std::byte> text = some_text();
  for (const std::uint32_t codec : {Filter::kGzip, Filter::kZstd}) {
    if (!missing_codec({codec, {}}).empty()) continue;
    for (const std::size_t part : {std::size_t{65000}, text.size()}) {
      const std::vector<std::byte> all = packed(codec, text, part);
      EXPECT_EQ(unpacked(all, 1000, 64000), text);
      EXPECT_EQ(unpacked(all, all.size(), 2 * text.size()), text);
    }
  }
}

TEST(UnpackerTest, AFileThatEndsEarlyIsRefused) {
  for (const std::uint32_t codec : {Filter::kGzip, Filter::kZstd}) {
    if (!missing_codec({codec, {}}).empty()) continue;
    const std::vector<std::byte> all = packed(codec, some_text(), 300000);
    EXPECT_THROW(unpacked({all.begin(), all.end() - 3}, 5000, 10000), FileError);
  }
}

TEST(UnpackerTest, FirstBytesTellThePacking) {
  const auto bytes = [](const char* text) { return std::as_bytes(std::span(text, 4)); };
  EXPECT_EQ(packing_of(bytes("\x1f\x8b\x08\x00")), Packing::Gzip);
  EXPECT_EQ(packing_of(bytes("\x28\xb5\x2f\xfd")), Packing::Zstd);
  EXPECT_EQ(packing_of(bytes("a,b\n")), Packing::None);
  EXPECT_EQ(packing_of({}), Packing::None);
}

}  // namespace
}  // namespace weft::io
