#include "frames/rows/join.hpp"

#include <weft/error.hpp>

#include "tests/frames/rows/random_tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace weft::frames {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Pair = std::pair<std::int64_t, std::int64_t>;  // rows, -1: none

/// Compares each row to each.
std::vector<Pair> pairs_by_cells(const Table& left, const Table& right, const JoinPlan& plan) {
  std::vector<Pair> pairs;
  std::vector<std::vector<Cell>> a, b;
  for (std::size_t i = 0; i < left.row_count(); ++i) a.push_back(cells_of(left, plan.left_on, i));
  for (std::size_t i = 0; i < right.row_count(); ++i) b.push_back(cells_of(right, plan.right_on, i));
  if (plan.kind == JoinKind::Right) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t before = pairs.size();
      for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] == b[j]) pairs.emplace_back(i, j);
      }
      if (pairs.size() == before) pairs.emplace_back(-1, j);
    }
    return pairs;
  }
  std::vector<bool> met(b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::size_t before = pairs.size();
    for (std::size_t j = 0; j < b.size(); ++j) {
      if (a[i] != b[j]) continue;
      met[j] = true;
      pairs.emplace_back(i, j);
    }
    if (pairs.size() == before && (plan.kind == JoinKind::Left || plan.kind == JoinKind::Outer))
      pairs.emplace_back(i, -1);
  }
  for (std::size_t j = 0; j < b.size() && plan.kind == JoinKind::Outer; ++j) {
    if (!met[j]) pairs.emplace_back(-1, j);
  }
  return pairs;
}

std::int64_t number(const Table& table, const char* column, std::size_t row) {
  const Cell cell = table[column].cell(row);
  return cell.index() == 0 ? -1 : std::get<std::int64_t>(cell);
}

TEST(JoinTest, JoinsAsComparingAllRowsDoes) {
  std::mt19937_64 random(41);
  for (int trial = 0; trial < 200; ++trial) {
    const std::size_t keys = 1 + random() % 3, some = trial % 10 == 0 ? 0 : random() % 300;
    const Table all = random_table(some + random() % 120, keys, random() % 2 == 0, random);
    const Table left = all.slice(0, some), right = all.slice(some, all.row_count());
    const JoinKind kind = static_cast<JoinKind>(trial % 4);
    const JoinPlan plan{kind, key_names(keys), key_names(keys), "_x", "_y", "from"};
    const std::vector<Pair> want = pairs_by_cells(left, right, plan);
    const Table is = join_tables(left, right, plan);
    ASSERT_EQ(is.row_count(), want.size()) << trial;
    for (std::size_t i = 0; i < want.size(); ++i) {
      const auto [l, r] = want[i];
      ASSERT_EQ(number(is, "row_x", i), l) << trial;
      ASSERT_EQ(number(is, "row_y", i), r < 0 ? r : r + static_cast<std::int64_t>(some)) << trial;
      ASSERT_EQ(is["from"].text(i), l < 0 ? "right_only" : r < 0 ? "left_only" : "both");
      const std::size_t row = static_cast<std::size_t>(l < 0 ? r + static_cast<std::int64_t>(some) : l);
      ASSERT_EQ(cells_of(is, key_names(keys), i), cells_of(all, key_names(keys), row));
    }
  }
}

TEST(JoinTest, FewRowsOnTheLeftAreLookedIn) {
  std::mt19937_64 random(43);
  for (int trial = 0; trial < 30; ++trial) {
    const Table all = random_table(1000, 2, true, random);
    const Table left = all.slice(0, 20), right = all.slice(20, 1000);
    const JoinPlan plan{JoinKind::Inner, key_names(2), key_names(2)};
    const std::vector<Pair> want = pairs_by_cells(left, right, plan);
    const Table is = join_tables(left, right, plan);
    ASSERT_EQ(is.row_count(), want.size());
    for (std::size_t i = 0; i < want.size(); ++i)
      ASSERT_EQ(Pair(number(is, "row_x", i), number(is, "row_y", i) - 20), want[i]);
  }
}

TEST(JoinTest, SemiAndAntiChooseRowsOfTheLeft) {
  const Table left(
      {{"k", Column::of(std::vector<std::int64_t>{5, 1, 5, 9})}, {"a", Column::of(std::vector<double>{1, 2, 3, 4})}});
  const Table right(
      {{"k", Column::of(std::vector<std::int64_t>{5, 5, 2})}, {"b", Column::of(std::vector<double>{1, 2, 3})}});
  EXPECT_TRUE(
      join_tables(left, right, {JoinKind::LeftSemi, {"k"}, {"k"}}).equals(left.take(std::vector<std::uint32_t>{0, 2})));
  EXPECT_TRUE(
      join_tables(left, right, {JoinKind::LeftAnti, {"k"}, {"k"}}).equals(left.take(std::vector<std::uint32_t>{1, 3})));
}

TEST(JoinTest, ColumnsAreNamedAsPandasNamesThem) {
  const Column ones = Column::of(std::vector<std::int64_t>{1});
  const Table left({{"k", ones}, {"v", ones}, {"a", ones}}), right({{"v", ones}, {"k", ones}, {"b", ones}});
  EXPECT_THAT(join_tables(left, right, {JoinKind::Inner, {"k"}, {"k"}}).names(),
              ElementsAre("k", "v_x", "a", "v_y", "b"));
  EXPECT_THAT(join_tables(left, right, {JoinKind::Inner, {"a"}, {"b"}, "", "_right"}).names(),
              ElementsAre("k", "v", "a", "v_right", "k_right", "b"));
  EXPECT_THAT(join_tables(left, right, {JoinKind::Inner, {"k"}, {"v"}}).names(),
              ElementsAre("k_x", "v_x", "a", "v_y", "k_y", "b"));
  EXPECT_THROW(static_cast<void>(join_tables(left, right, {JoinKind::Inner, {"k"}, {"k"}, "", ""})), Error);
}

TEST(JoinTest, NumbersOfDifferentTypesCompare) {
  const Table left({{"k", Column::of(std::vector<std::int32_t>{1, 2})}});
  const Table right({{"k", Column::of(std::vector<double>{2.0, 1.5})}});
  const Table outer = join_tables(left, right, {JoinKind::Outer, {"k"}, {"k"}});
  EXPECT_EQ(outer["k"].type(), ColumnType::Float64);
  EXPECT_EQ(outer.row_count(), 3u);
  EXPECT_EQ(outer["k"].cell(2), Cell(1.5));
  EXPECT_EQ(join_tables(left, right, {JoinKind::Inner, {"k"}, {"k"}})["k"].type(), ColumnType::Int32);
  constexpr std::int64_t kBig = (std::int64_t{1} << 53) + 1;
  const Table big({{"k", Column::of(std::vector<std::int64_t>{kBig, 1})}});
  EXPECT_EQ(join_tables(left, big, {JoinKind::Inner, {"k"}, {"k"}}).row_count(), 1u);
  const Table names({{"k", Column::of(std::vector<std::string>{"b", "c"})}});
  const Table codes({{"k", Column::of(std::vector<std::string>{"c", "d"}).cast(ColumnType::Category)}});
  EXPECT_EQ(join_tables(names, codes, {JoinKind::Inner, {"k"}, {"k"}})["k"].cell(0), Cell("c"));
}

TEST(JoinTest, TextsDoNotCompareToNumbers) {
  const Table left({{"k", Column::of(std::vector<std::int64_t>{1})}}),
      right({{"n", Column::of(std::vector<std::string>{"1"})}});
  try {
    static_cast<void>(join_tables(left, right, {JoinKind::Inner, {"k"}, {"n"}}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("cannot be joined on 'k' of int64 and 'n' of string"));
  }
  EXPECT_THROW(static_cast<void>(join_tables(left, left, {JoinKind::Inner, {}, {}})), Error);
}

TEST(JoinTest, TooManyRowsAreRefusedBeforeTheyAreMade) {
  const Table table({{"k", Column::of(std::vector<std::int64_t>(70000, 1))}});
  EXPECT_THROW(static_cast<void>(join_tables(table, table, {JoinKind::Inner, {"k"}, {"k"}})), Error);
}

}  // namespace
}  // namespace weft::frames
