#include "frames/rows/groups.hpp"

#include "tests/frames/rows/random_tables.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace weft::frames {
namespace {

/// Numbers rows by a map of their cells.
Groups groups_by_cells(const Table& table, const std::vector<std::string>& keys, bool drop_missing) {
  Groups groups;
  std::map<std::vector<Cell>, std::uint32_t> numbers;
  for (std::size_t i = 0; i < table.row_count(); ++i) {
    const std::vector<Cell> cells = cells_of(table, keys, i);
    if (drop_missing && std::count(cells.begin(), cells.end(), Cell()) != 0) {
      groups.group_of.push_back(Groups::kNoGroup);
      continue;
    }
    const auto [at, fresh] = numbers.emplace(cells, static_cast<std::uint32_t>(numbers.size()));
    if (fresh) groups.first_row.push_back(static_cast<std::uint32_t>(i));
    groups.group_of.push_back(at->second);
  }
  return groups;
}

TEST(GroupsTest, NumbersKeysAsTheyFirstAppear) {
  std::mt19937_64 random(11);
  for (int trial = 0; trial < 300; ++trial) {
    const std::size_t keys = 1 + random() % 4, rows = trial % 10 == 0 ? random() % 3 : random() % 3000;
    const Table table = random_table(rows, keys, random() % 2 == 0, random);
    for (const bool drop : {false, true}) {
      const Groups is = group_rows(table, key_names(keys), drop), want = groups_by_cells(table, key_names(keys), drop);
      ASSERT_EQ(is.group_of, want.group_of) << trial << ' ' << drop;
      ASSERT_EQ(is.first_row, want.first_row) << trial << ' ' << drop;
    }
  }
}

TEST(GroupsTest, ManyDifferentKeysAreToldApart) {
  std::vector<std::int64_t> numbers;
  std::vector<std::string> texts;
  for (std::int64_t i = 0; i < 100000; ++i) {
    numbers.push_back(i % 50000 * (std::int64_t{1} << 40));
    texts.push_back("a text that is long " + std::to_string(i % 50000));
  }
  const Table table({{"n", Column::of(numbers)}, {"t", Column::of(texts)}});
  const std::vector<std::vector<std::string>> cases = {{"n"}, {"t"}, {"n", "t"}};
  for (const auto& keys : cases) {
    const Groups groups = group_rows(table, keys, true);
    ASSERT_EQ(groups.first_row.size(), 50000u);
    for (std::uint32_t i = 0; i < 100000; ++i) ASSERT_EQ(groups.group_of[i], i % 50000);
  }
}

TEST(GroupsTest, TheLeastAndTheGreatestNumberAndNoneAreThreeKeys) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min(),
                         kMost = std::numeric_limits<std::int64_t>::max();
  const Table table({{"k", Column::of(ColumnType::Int64, {kLeast, {}, kMost, kLeast, {}, kMost, std::int64_t{0}})}});
  EXPECT_EQ(group_rows(table, {"k"}, false).group_of, (std::vector<std::uint32_t>{0, 1, 2, 0, 1, 2, 3}));
}

TEST(GroupsTest, HashesAreTheSameOnEveryMachine) {
  const Table table({{"i", Column::of(std::vector<std::int64_t>{0, 1, -1})},
                     {"s", Column::of(std::vector<std::string>{"", "weft", "a longer string"})},
                     {"f", Column::of(std::vector<double>{-0.0, 1.5, std::nan("")})}});
  EXPECT_EQ(hash_rows(table, {"i", "s", "f"}),
            (std::vector<std::uint64_t>{338808789938421777u, 14867083453985470398u, 5730444877787005867u}));
}

TEST(GroupsTest, EqualValuesHashAlikeHoweverTheyLie) {
  std::mt19937_64 random(13);
  for (const ColumnType type : kAllTypes) {
    const Table table({{"k", random_column(type, 1000, 50, true, random)}});
    const std::vector<std::uint64_t> whole = hash_rows(table, {"k"});
    std::map<std::vector<Cell>, std::uint64_t> hash_of;
    for (std::size_t i = 0; i < 1000; ++i)
      ASSERT_EQ(hash_of.emplace(cells_of(table, {"k"}, i), whole[i]).first->second, whole[i]) << name_of(type);
    std::vector<std::uint64_t> different;
    for (const auto& [cells, hash] : hash_of) different.push_back(hash);
    std::sort(different.begin(), different.end());
    EXPECT_EQ(std::unique(different.begin(), different.end()), different.end());
    const std::vector<std::uint64_t> part = hash_rows(table.slice(500, 500), {"k"});
    EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + 500));
  }
  const Column one = Column::of(std::vector<std::string>{"x", "y"}).cast(ColumnType::Category);
  const Column other = Column::of(std::vector<std::string>{"y", "z"}).cast(ColumnType::Category);
  EXPECT_EQ(hash_rows(Table({{"k", one}}), {"k"})[1], hash_rows(Table({{"k", other}}), {"k"})[0]);
}

TEST(GroupsTest, PartsHoldEachRowOnceAndEqualKeysTogether) {
  std::mt19937_64 random(17);
  for (const std::size_t rows : {0u, 1u, 5000u}) {
    const Table table = random_table(rows, 2, true, random);
    const std::vector<Table> parts = split_by_hash(table, {"k0", "k1"}, 7);
    ASSERT_EQ(parts.size(), 7u);
    std::map<std::vector<Cell>, std::size_t> part_of;
    std::size_t seen = 0;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      EXPECT_EQ(parts[k].names(), table.names());
      std::int64_t before = -1;
      for (std::size_t i = 0; i < parts[k].row_count(); ++i, ++seen) {
        const std::int64_t row = parts[k]["row"].data<std::int64_t>()[i];
        ASSERT_GT(row, before);
        before = row;
        const std::vector<Cell> cells = cells_of(parts[k], {"k0", "k1"}, i);
        ASSERT_EQ(cells, cells_of(table, {"k0", "k1"}, static_cast<std::size_t>(row)));
        ASSERT_EQ(part_of.emplace(cells, k).first->second, k);
      }
    }
    EXPECT_EQ(seen, rows);
  }
}

TEST(GroupsTest, PartsOfManyKeysAreOfAboutEqualSize) {
  std::vector<std::int64_t> keys(100000);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<std::int64_t>(i) * 64;
  for (const Table& part : split_by_hash(Table({{"k", Column::of(keys)}}), {"k"}, 10))
    EXPECT_NEAR(static_cast<double>(part.row_count()), 10000, 500);
}

}  // namespace
}  // namespace weft::frames
