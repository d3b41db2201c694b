#include "core/graph/boxes.hpp"

#include <weft/client.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace weft {
namespace {

using Numbers = std::vector<double>;

constexpr std::size_t kMiB = std::size_t{1} << 20;

Numbers make_mebibyte(int n) { return Numbers(kMiB / sizeof(double), n); }

Options with_memory(const char* memory) { return {.threads = 2, .memory = memory}; }

/// Makes `count` results of a mebibyte and looks at all of them; returns their futures.
std::vector<Future<Numbers>> fill(const Client& client, int count) {
  std::vector<Future<Numbers>> futures;
  for (int n = 0; n < count; ++n) futures.push_back(client.submit(make_mebibyte, n));
  for (int n = 0; n < count; ++n) {
    EXPECT_EQ(futures[static_cast<std::size_t>(n)].inspect([](const Numbers& all) { return all.back(); }), n);
  }
  return futures;
}

TEST(TwoClientsTest, EachKeepsItsResultsInItsOwnMemory) {
  const Client small(with_memory("32MiB"));
  const Client large(with_memory("1GiB"));
  // The one that was opened first must still be held to its own budget.
  const auto many = fill(small, 96);
  EXPECT_GT(small.memory().spilled_objects, 32u);
  EXPECT_EQ(large.memory().spilled_objects, 0u);
  EXPECT_LT(large.memory().used_bytes, kMiB);
  const auto few = fill(large, 96);
  EXPECT_EQ(large.memory().spilled_objects, 0u);
  EXPECT_GE(large.memory().used_bytes, 96 * kMiB);
}

TEST(TwoClientsTest, OneMayEndBeforeTheOther) {
  auto first = std::make_unique<Client>(with_memory("32MiB"));
  const Client second(with_memory("32MiB"));
  {
    const auto mine = fill(*first, 40);
    first.reset();
  }
  const auto many = fill(second, 96);
  EXPECT_GT(second.memory().spilled_objects, 32u);
}

TEST(TwoClientsTest, TheNewerMayEndFirst) {
  const Client first(with_memory("32MiB"));
  { const Client second(with_memory("64MiB")); }
  const auto many = fill(first, 96);
  EXPECT_GT(first.memory().spilled_objects, 32u) << "what lives on has a memory of its own";
}

TEST(TwoClientsTest, TheyWorkAtTheSameTime) {
  const Client one(with_memory("32MiB"));
  const Client two(with_memory("48MiB"));
  std::thread other([&] {
    for (int round = 0; round < 3; ++round) fill(two, 80);
  });
  for (int round = 0; round < 3; ++round) fill(one, 80);
  other.join();
  EXPECT_GT(one.memory().spill_written_bytes, 0u);
  EXPECT_GT(two.memory().spill_written_bytes, 0u);
}

TEST(TwoClientsTest, ATaskOfOneMayTakeAResultOfTheOther) {
  const Client one(with_memory("32MiB"));
  const Client two(with_memory("32MiB"));
  const auto mine = one.submit(make_mebibyte, 3);
  const auto sum = two.submit([](const Numbers& all) { return all.front() + all.back(); }, mine);
  EXPECT_EQ(sum.result(), 6);
}

TEST(TwoClientsTest, OneAfterTheOtherFindsAnEmptyMemory) {
  std::vector<Future<Numbers>> kept;
  for (int round = 0; round < 3; ++round) {
    const Client client(with_memory("256MiB"));
    EXPECT_LT(client.memory().used_bytes, kMiB);
    kept = fill(client, 20);
    EXPECT_GE(client.memory().used_bytes, 20 * kMiB);
  }
}

}  // namespace
}  // namespace weft
