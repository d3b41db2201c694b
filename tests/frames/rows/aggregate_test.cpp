#include "frames/rows/aggregate.hpp"

#include <weft/error.hpp>

#include "tests/frames/rows/random_tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace weft::frames {
namespace {

using ::testing::HasSubstr;
using Kind = AggregateKind;

constexpr Kind kForAll[] = {Kind::Count, Kind::Size, Kind::Min, Kind::Max, Kind::First, Kind::Last, Kind::Nunique};
constexpr Kind kForNumbers[] = {Kind::Sum, Kind::Product, Kind::Mean, Kind::Std,
                                Kind::Var, Kind::Any,     Kind::All,  Kind::Median};

bool is_number(ColumnType type) { return type <= ColumnType::Float64; }
bool is_whole(ColumnType type) { return type <= ColumnType::Int64; }

double real(const Cell& cell) {
  if (const auto* const flag = std::get_if<bool>(&cell)) return *flag ? 1 : 0;
  if (const auto* const whole = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*whole);
  return std::get<double>(cell);
}
std::int64_t whole(const Cell& cell) {
  const auto* const flag = std::get_if<bool>(&cell);
  return flag != nullptr ? std::int64_t{*flag} : std::get<std::int64_t>(cell);
}

Cell folded(Kind kind, ColumnType type, const std::vector<Cell>& values) {
  const bool sum = kind == Kind::Sum;
  if (is_whole(type)) {
    std::uint64_t all = sum ? 0 : 1;
    for (const Cell& value : values) {
      const auto next = static_cast<std::uint64_t>(whole(value));
      all = sum ? all + next : all * next;
    }
    return static_cast<std::int64_t>(all);
  }
  long double all = sum ? 0 : 1;
  for (const Cell& value : values) all = sum ? all + real(value) : all * real(value);
  return static_cast<double>(all);
}

Cell deviation(Kind kind, std::uint32_t ddof, const std::vector<Cell>& values) {
  if (values.size() <= ddof) return {};
  long double mean = 0, squares = 0;
  for (const Cell& value : values) mean += real(value) / static_cast<long double>(values.size());
  for (const Cell& value : values) squares += (real(value) - mean) * (real(value) - mean);
  const long double variance = squares / static_cast<long double>(values.size() - ddof);
  return static_cast<double>(kind == Kind::Std ? sqrtl(variance) : variance);
}

/// Aggregates cells one by one. `values`: those of the group that are not missing; `rows`: how many there are in all.
Cell aggregated(const Aggregate& aggregate, ColumnType type, std::vector<Cell> values, std::size_t rows) {
  const auto truth = [](const Cell& cell) { return real(cell) != 0; };
  switch (aggregate.kind) {
    case Kind::Sum:
    case Kind::Product:
      return folded(aggregate.kind, type, values);
    case Kind::Mean:
      return values.empty() ? Cell()
                            : Cell(std::get<double>(folded(Kind::Sum, ColumnType::Float64, values)) /
                                   static_cast<double>(values.size()));
    case Kind::Count:
      return static_cast<std::int64_t>(values.size());
    case Kind::Size:
      return static_cast<std::int64_t>(rows);
    case Kind::Min:
      return values.empty() ? Cell() : *std::min_element(values.begin(), values.end());
    case Kind::Max:
      return values.empty() ? Cell() : *std::max_element(values.begin(), values.end());
    case Kind::First:
      return values.empty() ? Cell() : values.front();
    case Kind::Last:
      return values.empty() ? Cell() : values.back();
    case Kind::Nunique:
      return static_cast<std::int64_t>(std::set<Cell>(values.begin(), values.end()).size());
    case Kind::Std:
    case Kind::Var:
      return deviation(aggregate.kind, aggregate.ddof, values);
    case Kind::Any:
      return std::any_of(values.begin(), values.end(), truth);
    case Kind::All:
      return std::all_of(values.begin(), values.end(), truth);
    case Kind::Median: {
      if (values.empty()) return {};
      std::vector<double> sorted;
      for (const Cell& value : values) sorted.push_back(real(value));
      std::sort(sorted.begin(), sorted.end());
      const double middle = sorted[sorted.size() / 2];
      return sorted.size() % 2 == 1 ? middle : (sorted[sorted.size() / 2 - 1] + middle) / 2;
    }
  }
  return {};
}

void expect_like(const Cell& is, const Cell& want, bool rounded, const std::string& what) {
  if (const auto* const real = std::get_if<double>(&want); real != nullptr && std::isnan(*real)) {
    EXPECT_EQ(is, Cell()) << what;
  } else if (real != nullptr && std::isfinite(*real)) {
    ASSERT_TRUE(std::holds_alternative<double>(is)) << what;
    EXPECT_NEAR(std::get<double>(is), *real, (rounded ? 1e-6 : 1e-12) * std::max(1.0, std::abs(*real))) << what;
  } else {
    EXPECT_EQ(is, want) << what;
  }
}

/// Aggregates in `parts` pieces, whose states are joined three at a time.
Table aggregate_in_parts(const Table& table, const AggregatePlan& plan, std::size_t parts) {
  std::vector<Table> states;
  for (std::size_t k = 0; k < parts; ++k) {
    const std::size_t begin = table.row_count() * k / parts, end = table.row_count() * (k + 1) / parts;
    states.push_back(begin_states(table.slice(begin, end - begin), plan));
  }
  while (states.size() > 1) {
    std::vector<Table> next;
    for (std::size_t k = 0; k < states.size(); k += 3) {
      const auto end = static_cast<std::ptrdiff_t>(std::min(k + 3, states.size()));
      next.push_back(join_states({states.begin() + static_cast<std::ptrdiff_t>(k), states.begin() + end}, plan));
    }
    states = std::move(next);
  }
  return finish_states(states.front(), plan);
}

void check(const Table& table, const AggregatePlan& plan, std::size_t parts) {
  const Table is = aggregate_in_parts(table, plan, parts);
  std::map<std::vector<Cell>, std::vector<std::size_t>> rows_of;
  std::vector<std::vector<Cell>> seen;
  for (std::size_t i = 0; i < table.row_count(); ++i) {
    const std::vector<Cell> key = cells_of(table, plan.keys, i);
    if (plan.drop_missing && std::count(key.begin(), key.end(), Cell()) != 0) continue;
    if (rows_of[key].empty()) seen.push_back(key);
    rows_of[key].push_back(i);
  }
  if (plan.keys.empty() && seen.empty()) {
    seen.emplace_back();
    rows_of[{}];
  }
  if (plan.sort) {
    std::sort(seen.begin(), seen.end(), [](const auto& a, const auto& b) {
      for (std::size_t k = 0; k < a.size(); ++k) {
        if (a[k] != b[k]) return a[k].index() == 0 || b[k].index() == 0 ? b[k].index() == 0 : a[k] < b[k];
      }
      return false;
    });
  }
  ASSERT_EQ(is.row_count(), seen.size());
  for (std::size_t g = 0; g < seen.size(); ++g) {
    ASSERT_EQ(cells_of(is, plan.keys, g), seen[g]) << g;
    for (const Aggregate& one : plan.aggregates) {
      std::vector<Cell> values;
      const Column& column = one.column.empty() ? table[0] : table[one.column];
      for (const std::size_t row : rows_of[seen[g]]) {
        Cell cell = column.cell(row);
        if (cell.index() != 0) values.push_back(std::move(cell));
      }
      const Cell want = aggregated(one, column.type(), values, rows_of[seen[g]].size());
      expect_like(is[one.name].cell(g), want, column.type() == ColumnType::Float32,
                  one.name + " of " + std::string(name_of(column.type())) + " in group " + std::to_string(g));
    }
  }
}

TEST(AggregateTest, GivesWhatCellByCellGives) {
  std::mt19937_64 random(31);
  for (int trial = 0; trial < 120 && !HasFailure(); ++trial) {
    const std::size_t keys = random() % 3, rows = trial % 8 == 0 ? random() % 3 : random() % 1500;
    Table table = random_table(rows, keys, random() % 2 == 0, random);
    AggregatePlan plan{key_names(keys), {{Kind::Size, "", "size"}}, random() % 2 == 0, random() % 2 == 0};
    for (int v = 0; v < 3; ++v) {
      const std::string name = "v" + std::to_string(v);
      ColumnType type = random_type(random);
      Column values = random_column(type, rows, v == 0 ? 5 : 1000, random() % 2 == 0, random);
      const bool infinite = type == ColumnType::Float32 || type == ColumnType::Float64;
      if (infinite || type == ColumnType::Int64)
        values = random_column(ColumnType::Int32, rows, 9, v != 1, random).cast(type);
      table.set(name, values);
      for (const Kind kind : kForAll)
        plan.aggregates.push_back({kind, name, name + "." + std::to_string(static_cast<int>(kind))});
      if (!is_number(type)) continue;
      for (const Kind kind : kForNumbers)
        plan.aggregates.push_back({kind, name, name + "." + std::to_string(static_cast<int>(kind)),
                                   static_cast<std::uint32_t>(random() % 3)});
    }
    check(table, plan, 1 + random() % 8);
  }
}

Cell only(Kind kind, const Column& values, std::size_t parts = 1, std::uint32_t ddof = 1) {
  const Table table({{"v", values}});
  return aggregate_in_parts(table, {{}, {{kind, "v", "r", ddof}}}, parts)["r"].cell(0);
}

TEST(AggregateTest, NoRowsAreOneGroupWhereThereAreNoKeys) {
  const Column none = Column::of(std::vector<double>{});
  EXPECT_EQ(only(Kind::Sum, none), Cell(0.0));
  EXPECT_EQ(only(Kind::Count, none), Cell(std::int64_t{0}));
  EXPECT_EQ(only(Kind::Nunique, none), Cell(std::int64_t{0}));
  for (const Kind kind : {Kind::Mean, Kind::Min, Kind::Last, Kind::Var, Kind::Median})
    EXPECT_EQ(only(kind, none), Cell());
  EXPECT_EQ(only(Kind::Any, none), Cell(false));
  EXPECT_EQ(only(Kind::All, none), Cell(true));
  EXPECT_EQ(only(Kind::Max, Column::of(std::vector<std::string>{})), Cell());
}

TEST(AggregateTest, NoRowsAreNoGroupsWhereThereAreKeys) {
  const Table table({{"k", Column::of(std::vector<std::string>{})}, {"v", Column::of(std::vector<float>{})}});
  const Table is =
      aggregate_in_parts(table, {{"k"}, {{Kind::Sum, "v", "s"}, {Kind::Median, "v", "m"}, {Kind::Min, "k", "l"}}}, 2);
  EXPECT_EQ(is.row_count(), 0u);
  EXPECT_EQ(is["s"].type(), ColumnType::Float32);
  EXPECT_EQ(is["m"].type(), ColumnType::Float64);
  EXPECT_EQ(is["l"].type(), ColumnType::String);
}

TEST(AggregateTest, RestsOfRoundingAreKept) {
  std::vector<double> values{1e16};
  values.insert(values.end(), 1000, 1.0);
  values.push_back(-1e16);
  EXPECT_EQ(only(Kind::Sum, Column::of(values)), Cell(1000.0));
  EXPECT_EQ(only(Kind::Sum, Column::of(values), 7), Cell(1000.0));
  EXPECT_EQ(only(Kind::Mean, Column::of(values), 7), Cell(1000.0 / 1002));
  std::vector<double> tenths(1000000, 0.1);
  EXPECT_EQ(only(Kind::Sum, Column::of(tenths)), Cell(100000.0));
  const Table table({{"k", Column::of(std::vector<std::int64_t>(1000000, 7))}, {"v", Column::of(tenths)}});
  EXPECT_EQ(aggregate_in_parts(table, {{"k"}, {{Kind::Sum, "v", "r"}}}, 3)["r"].cell(0), Cell(100000.0));
}

TEST(AggregateTest, InfiniteSumsStayInfinite) {
  EXPECT_EQ(only(Kind::Sum, Column::of(std::vector<double>{1, INFINITY, 2}), 3), Cell(INFINITY));
  EXPECT_EQ(only(Kind::Mean, Column::of(std::vector<double>{1, -INFINITY, 2})), Cell(-INFINITY));
  EXPECT_EQ(only(Kind::Sum, Column::of(std::vector<double>{INFINITY, -INFINITY}), 2), Cell());
}

TEST(AggregateTest, DeviationsOfValuesFarFromZeroAreExact) {
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) values.push_back(1e9 + i % 2);
  EXPECT_EQ(only(Kind::Var, Column::of(values), 1, 0), Cell(0.25));
  EXPECT_EQ(only(Kind::Std, Column::of(values), 5, 0), Cell(0.5));
  EXPECT_EQ(only(Kind::Var, Column::of(std::vector<double>{3}), 1, 1), Cell());
}

TEST(AggregateTest, GreatestAndLeastWordsAreValuesToo) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min(),
                         kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(only(Kind::Min, Column::of(std::vector<std::int64_t>{kMost})), Cell(kMost));
  EXPECT_EQ(only(Kind::Max, Column::of(std::vector<std::int64_t>{kLeast}), 3), Cell(kLeast));
}

TEST(AggregateTest, CategoriesOfDifferentListsAreJoinedByName) {
  const auto part = [](std::vector<std::string> values) {
    return Table(
        {{"k", Column::of(values).cast(ColumnType::Category)}, {"v", Column::of(values).cast(ColumnType::Category)}});
  };
  const AggregatePlan plan{{"k"}, {{Kind::Nunique, "v", "n"}, {Kind::Max, "v", "m"}, {Kind::Size, "", "s"}}};
  const Table is = finish_states(
      join_states({begin_states(part({"b", "c"}), plan), begin_states(part({"a", "b"}), plan)}, plan), plan);
  EXPECT_EQ(is["k"].cell(1), Cell("b"));
  EXPECT_EQ(is["n"].cell(1), Cell(std::int64_t{1}));
  EXPECT_EQ(is["m"].cell(1), Cell("b"));
  EXPECT_EQ(is["s"].cell(1), Cell(std::int64_t{2}));
  EXPECT_EQ(is.row_count(), 3u);
}

TEST(AggregateTest, StatesTravel) {
  std::mt19937_64 random(37);
  const Table table = random_table(200, 1, true, random);
  const AggregatePlan plan{{"k0"},
                           {{Kind::Nunique, "row", "n"}, {Kind::Median, "row", "m"}, {Kind::Nunique, "k0", "o"}}};
  const Table states = begin_states(table, plan);
  EXPECT_TRUE(finish_states(through_encoding(states), plan).equals(finish_states(states, plan)));
}

TEST(AggregateTest, StringsHaveNoSum) {
  try {
    static_cast<void>(only(Kind::Sum, Column::of(std::vector<std::string>{"a"})));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("column 'v' of string has no sum: strings have first, last, min, max, count and nunique"));
  }
  EXPECT_THROW(
      static_cast<void>(only(Kind::Mean, Column::of(std::vector<std::int64_t>{1}).cast(ColumnType::Timestamp))), Error);
}

}  // namespace
}  // namespace weft::frames
