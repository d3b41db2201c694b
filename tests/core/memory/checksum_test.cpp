#include "core/memory/checksum.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace weft {
namespace {

std::vector<unsigned char> noise(std::size_t size) {
  std::mt19937 random(5);
  std::vector<unsigned char> bytes(size);
  for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random());
  return bytes;
}

TEST(ChecksumTest, HardwareAndTablesAgree) {
  const std::vector<unsigned char> bytes = noise(10'000);
  for (const std::size_t size : {0u, 1u, 31u, 32u, 33u, 4096u, 9'999u}) {
    const std::uint64_t fast = Checksum::of(bytes.data(), size);
    Checksum::force_software(true);
    EXPECT_FALSE(Checksum::in_hardware());
    const std::uint64_t slow = Checksum::of(bytes.data(), size);
    Checksum::force_software(false);
    EXPECT_EQ(fast, slow) << size;
  }
}

TEST(ChecksumTest, PartsGiveTheSameAsTheWhole) {
  const std::vector<unsigned char> bytes = noise(5'000);
  const std::uint64_t whole = Checksum::of(bytes.data(), bytes.size());
  for (const std::size_t part : {1u, 7u, 32u, 33u, 1000u}) {
    Checksum checksum;
    for (std::size_t at = 0; at < bytes.size(); at += part) {
      checksum.add(bytes.data() + at, std::min(part, bytes.size() - at));
    }
    EXPECT_EQ(checksum.value(), whole) << part;
  }
}

TEST(ChecksumTest, EverySingleBitMatters) {
  std::vector<unsigned char> bytes = noise(100);
  const std::uint64_t good = Checksum::of(bytes.data(), bytes.size());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<unsigned char>(1u << (bit % 8));
    EXPECT_NE(Checksum::of(bytes.data(), bytes.size()), good) << bit;
    bytes[bit / 8] ^= static_cast<unsigned char>(1u << (bit % 8));
  }
}

TEST(ChecksumTest, LengthAndOrderMatter) {
  const std::vector<unsigned char> zeros(128, 0);
  EXPECT_NE(Checksum::of(zeros.data(), 64), Checksum::of(zeros.data(), 65));
  std::vector<unsigned char> bytes = noise(128);
  const std::uint64_t good = Checksum::of(bytes.data(), bytes.size());
  std::swap_ranges(bytes.begin(), bytes.begin() + 32, bytes.begin() + 32);
  EXPECT_NE(Checksum::of(bytes.data(), bytes.size()), good);
}

}  // namespace
}  // namespace weft
