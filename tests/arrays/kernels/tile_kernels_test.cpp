#include "arrays/kernels/tile_kernels.hpp"

#include "arrays/kernels/order.hpp"

#include <weft/arrays.hpp>
#include <weft/client.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace weft::arrays::kernels {
namespace {

constexpr Vectors kSets[] = {Vectors::Base, Vectors::Avx2, Vectors::Avx512};

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

TEST(TileKernelsTest, RandomBitsAreThoseOfPhiloxWithTenRounds) {
  // The known answers that the generator's authors publish for a counter and a key of zeros.
  std::uint64_t bits[2];
  kernels(Vectors::Base).random_bits(bits, 0, 0, 1, 2);
  EXPECT_EQ(static_cast<std::uint32_t>(bits[0]), 0x6627e8d5u);
  EXPECT_EQ(static_cast<std::uint32_t>(bits[0] >> 32), 0xe169c58du);
  EXPECT_EQ(static_cast<std::uint32_t>(bits[1]), 0xbc57ac4cu);
  EXPECT_EQ(static_cast<std::uint32_t>(bits[1] >> 32), 0x9b00dbd8u);
}

TEST(TileKernelsTest, RandomNumbersAreTheSameBitsOnEveryInstructionSet) {
  for (const std::int64_t first : {std::int64_t{0}, std::int64_t{7}, (std::int64_t{1} << 34) + 3}) {
    for (const std::int64_t step : {1, 2, 1001, -3, 0}) {
      for (const std::size_t n : {1u, 31u, 64u, 700u, 1024u}) {
        const std::int64_t from = step < 0 ? first + 4000 : first;
        std::vector<std::uint64_t> bits[3];
        std::vector<double> uniform[3], normal[3], exponential[3];
        for (const Vectors set : kSets) {
          const KernelTable& table = kernels(set);
          const auto at = static_cast<std::size_t>(set);
          bits[at].resize(n);
          uniform[at].resize(n);
          table.random_bits(bits[at].data(), 42, from, step, n);
          table.uniform(uniform[at].data(), 42, from, step, n);
          normal[at] = exponential[at] = uniform[at];
          table.normal(normal[at].data(), n, 1.5, 2.5);
          table.exponential(exponential[at].data(), n, 3);
        }
        for (const std::size_t set : {1u, 2u}) {
          EXPECT_TRUE(same_bits(bits[0], bits[set])) << first << ' ' << step << ' ' << n;
          EXPECT_TRUE(same_bits(uniform[0], uniform[set])) << first << ' ' << step << ' ' << n;
          EXPECT_TRUE(same_bits(normal[0], normal[set])) << first << ' ' << step << ' ' << n;
          EXPECT_TRUE(same_bits(exponential[0], exponential[set])) << first << ' ' << step << ' ' << n;
        }
        for (std::size_t i = 0; i < n; ++i) {
          std::uint64_t one = 0;
          kernels(Vectors::Base).random_bits(&one, 42, from + static_cast<std::int64_t>(i) * step, 1, 1);
          ASSERT_EQ(bits[0][i], one) << first << ' ' << step << ' ' << i;
        }
      }
    }
  }
}

TEST(TileKernelsTest, NormalNumbersAreTheQuantilesOfUniformOnes) {
  // From the middle to the farthest tail.
  std::vector<double> values{0,      0x1p-52, 1e-13, 1e-11, 1e-5,   0.01,     0.0749,
                             0.0751, 0.3,     0.5,   0.77,  0.9251, 1 - 1e-6, 1 - 0x1p-52};
  // As uniform numbers are: multiples of 2^-52.
  for (double& value : values) value = std::floor(value * 0x1p52) * 0x1p-52;
  const std::vector<double> given = values;
  kernels().normal(values.data(), values.size(), 0, 1);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double p = given[i] + 0x1p-53;
    const double back = 0.5 * std::erfc(-values[i] / std::sqrt(2.0));
    EXPECT_NEAR(back / p, 1, 1e-13) << given[i];
  }
  std::vector<double> logs{0, 0.25, 0.5, 0.75, 1 - 0x1p-52};
  kernels().exponential(logs.data(), logs.size(), 2);
  EXPECT_EQ(logs[0], 0);
  EXPECT_FALSE(std::signbit(logs[0]));
  EXPECT_DOUBLE_EQ(logs[2], 2 * std::log(2.0));
  EXPECT_DOUBLE_EQ(logs[4], 104 * std::log(2.0));
}

TEST(TileKernelsTest, ProgramsGiveTheSameBitsOnEveryInstructionSet) {
  const Client client({.scheduler = "threads", .threads = 2});
  const auto results = [&] {
    const Array x = random::normal(0, 1, {150, 150}, {.chunks = {40, 50}, .seed = 7});
    const Array y = sqrt(abs(x + transpose(x) * 2.0)) - mean(x, 0);
    return std::vector<NDArray>{client.compute(y), client.compute(sum(y)), client.compute(stddev(y, 0)),
                                client.compute((y * 10).astype(int32).sum(1)), client.compute(sort(ravel(y)))};
  };
  use_kernels(kernels(Vectors::Base));
  const std::vector<NDArray> base = results();
  for (const Vectors set : {Vectors::Avx2, Vectors::Avx512}) {
    use_kernels(kernels(set));
    const std::vector<NDArray> wide = results();
    for (std::size_t i = 0; i < base.size(); ++i) {
      ASSERT_EQ(base[i].nbytes(), wide[i].nbytes());
      EXPECT_EQ(std::memcmp(base[i].data(), wide[i].data(), static_cast<std::size_t>(base[i].nbytes())), 0) << i;
    }
  }
}

TEST(TileKernelsTest, StripsAreTransposedOnEveryInstructionSet) {
  for (const Vectors set : kSets) {
    for (const std::size_t rows : {1u, 3u, 8u, 31u, 32u}) {
      for (const std::size_t n : {1u, 7u, 8u, 50u}) {
        const std::size_t stride = rows + 5, to_row = n + 3;
        std::vector<std::uint64_t> from(stride * n), to(to_row * rows);
        std::vector<std::uint32_t> from_words(stride * n), to_words(to_row * rows);
        for (std::size_t i = 0; i < from.size(); ++i) from[i] = from_words[i] = static_cast<std::uint32_t>(i);
        kernels(set).transpose_doubles(reinterpret_cast<std::byte*>(to.data()), to_row * 8,
                                       reinterpret_cast<const std::byte*>(from.data()),
                                       static_cast<std::int64_t>(stride * 8), rows, n);
        kernels(set).transpose_words(reinterpret_cast<std::byte*>(to_words.data()), to_row * 4,
                                     reinterpret_cast<const std::byte*>(from_words.data()),
                                     static_cast<std::int64_t>(stride * 4), rows, n);
        for (std::size_t row = 0; row < rows; ++row) {
          for (std::size_t i = 0; i < n; ++i) {
            ASSERT_EQ(to[row * to_row + i], from[i * stride + row]) << rows << ' ' << n;
            ASSERT_EQ(to_words[row * to_row + i], from[i * stride + row]) << rows << ' ' << n;
          }
        }
      }
    }
  }
}

TEST(TileKernelsTest, KeysAndWhatMatchesThemAreTheSameOnEveryInstructionSet) {
  std::mt19937_64 random(3);
  std::vector<double> values{0.0,
                             -0.0,
                             1,
                             -1,
                             std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(),
                             std::nan(""),
                             -std::nan(""),
                             5e-324};
  for (int i = 0; i < 1000; ++i) values.push_back(std::ldexp(static_cast<double>(random() % 1000) - 500, i % 60 - 30));
  for (const Vectors set : kSets) {
    std::vector<std::uint64_t> keys(values.size()), found(values.size() + 8), wanted;
    kernels(set).write_double_keys(values.data(), values.size(), keys.data());
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(keys[i], key_of(values[i], false)) << values[i];
    const std::uint64_t known = key_of(100.0, false);
    for (const std::uint64_t key : keys) {
      if (key >> 54 == known >> 54) wanted.push_back(key);
    }
    found.resize(kernels(set).matching_keys(keys.data(), keys.size(), 54, known, found.data()));
    EXPECT_EQ(found, wanted);
  }
}

}  // namespace
}  // namespace weft::arrays::kernels
