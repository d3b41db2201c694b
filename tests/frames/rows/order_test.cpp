#include "frames/rows/order.hpp"

#include <weft/error.hpp>

#include "tests/frames/rows/random_tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace weft::frames {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Tells whether row `a` of `left` comes before row `b` of `right`.
bool before(const Table& left, std::size_t a, const Table& right, std::size_t b, const SortOrder& order) {
  for (std::size_t k = 0; k < order.by.size(); ++k) {
    const Cell x = cells_of(left, {order.by[k]}, a)[0], y = cells_of(right, {order.by[k]}, b)[0];
    if (x == y) continue;
    if (x.index() == 0 || y.index() == 0) return (x.index() == 0) == order.missing_first;
    return (x < y) == order.ascending[k];
  }
  return false;
}

SortOrder random_order(std::size_t keys, std::mt19937_64& random) {
  SortOrder order{key_names(keys), {}, random() % 2 == 0};
  for (std::size_t k = 0; k < keys; ++k) order.ascending.push_back(random() % 2 == 0);
  return order;
}

std::vector<std::uint32_t> sorted_by_cells(const Table& table, const SortOrder& order) {
  std::vector<std::uint32_t> rows(table.row_count());
  std::iota(rows.begin(), rows.end(), 0);
  std::stable_sort(rows.begin(), rows.end(), [&](auto a, auto b) { return before(table, a, table, b, order); });
  return rows;
}

TEST(OrderTest, SortsAsComparingCellsDoes) {
  std::mt19937_64 random(3);
  for (int trial = 0; trial < 150; ++trial) {
    const std::size_t keys = 1 + random() % 4, rows = trial % 10 == 0 ? random() % 3 : random() % 1000;
    const Table table = random_table(rows, keys, random() % 2 == 0, random);
    const SortOrder order = random_order(keys, random);
    ASSERT_EQ(sorted_rows(table, order), sorted_by_cells(table, order)) << trial;
  }
}

TEST(OrderTest, KeysTooWideForOneWordAreSortedToo) {
  std::mt19937_64 random(5);
  Table table;
  for (const char* const name : {"k0", "k1", "k2"}) {
    std::vector<double> values(2000);
    for (double& value : values) value = static_cast<double>(static_cast<std::int64_t>(random() % 5) - 2) * 1e300;
    table.set(name, Column::of(values));
  }
  const SortOrder order = random_order(3, random);
  EXPECT_EQ(sorted_rows(table, order), sorted_by_cells(table, order));
}

TEST(OrderTest, MissingValuesComeLastEitherWay) {
  const Table table({{"k", Column::of(std::vector<double>{2, std::nan(""), -INFINITY, INFINITY})}});
  EXPECT_THAT(sorted_rows(table, {{"k"}, {true}}), ElementsAre(2, 0, 3, 1));
  EXPECT_THAT(sorted_rows(table, {{"k"}, {false}}), ElementsAre(3, 0, 2, 1));
  EXPECT_THAT(sorted_rows(table, {{"k"}, {false}, true}), ElementsAre(1, 3, 0, 2));
}

TEST(OrderTest, AsManyDirectionsAsColumnsAreNeeded) {
  try {
    static_cast<void>(sorted_rows(Table({{"k", Column::of(std::vector<double>{1})}}), {{"k"}, {}}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("sorted by 1 columns, but 0 directions are given"));
  }
}

TEST(OrderTest, PartsBetweenBoundsAreInOrder) {
  std::mt19937_64 random(7);
  for (int trial = 0; trial < 60; ++trial) {
    const std::size_t keys = 1 + random() % 3, parts = 1 + random() % 6;
    const Table table = random_table(trial % 10 == 0 ? random() % 3 : random() % 1000, keys, random() % 2 == 0, random);
    const SortOrder order = random_order(keys, random);
    const Table bounds =
        choose_bounds({sample_keys(table.slice(0, 300), order, 40), sample_keys(table, order, 40)}, order, parts);
    ASSERT_LT(bounds.row_count(), parts);
    const std::vector<Table> cut = split_by_bounds(table, order, bounds, parts);
    ASSERT_EQ(cut.size(), parts);
    std::vector<Table> sorted;
    for (std::size_t k = 0; k < parts; ++k) {
      for (std::size_t i = 0; i < cut[k].row_count(); ++i) {
        if (k > bounds.row_count()) FAIL() << "behind the last";
        ASSERT_FALSE(k > 0 && before(cut[k], i, bounds, k - 1, order));
        ASSERT_TRUE(k == bounds.row_count() || before(cut[k], i, bounds, k, order));
      }
      sorted.push_back(cut[k].take(sorted_rows(cut[k], order)));
    }
    ASSERT_TRUE(Table::concat(sorted).equals(table.take(sorted_by_cells(table, order)))) << trial;
  }
}

TEST(OrderTest, BoundsMakePartsOfAboutEqualSize) {
  std::mt19937_64 random(9);
  std::vector<double> values(100000);
  for (double& value : values) value = std::exp(static_cast<double>(random() % 1000000) / 1e5);
  const Table table({{"k", Column::of(values)}});
  const SortOrder order{{"k"}, {true}};
  const Table bounds = choose_bounds({sample_keys(table, order, 2000)}, order, 8);
  for (const Table& part : split_by_bounds(table, order, bounds, 8))
    EXPECT_NEAR(static_cast<double>(part.row_count()), 12500, 2500);
}

TEST(OrderTest, OneValueHasNoBounds) {
  const Table table({{"k", Column::of(std::vector<double>(50, 1.0))}});
  const SortOrder order{{"k"}, {true}};
  EXPECT_EQ(choose_bounds({sample_keys(table, order, 10)}, order, 4).row_count(), 0u);
  EXPECT_EQ(split_by_bounds(table, order, table.slice(0, 0), 3)[0].row_count(), 50u);
}

TEST(OrderTest, TopRowsAreTheFirstOfAll) {
  std::mt19937_64 random(21);
  for (int trial = 0; trial < 60; ++trial) {
    const std::size_t keys = 1 + random() % 2;
    const Table table = random_table(random() % 2000, keys, random() % 2 == 0, random);
    const SortOrder order = random_order(keys, random);
    const std::vector<std::uint32_t> sorted = sorted_by_cells(table, order);
    for (const std::size_t count : {0u, 1u, 10u, 900u, 5000u}) {
      const std::vector<std::uint32_t> first(
          sorted.begin(), sorted.begin() + static_cast<long>(std::min<std::size_t>(count, sorted.size())));
      ASSERT_TRUE(top_rows(table, order, count).equals(table.take(first))) << trial << ' ' << count;
    }
  }
}

}  // namespace
}  // namespace weft::frames
