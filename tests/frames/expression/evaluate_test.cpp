#include <weft/column_expression.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace weft {
namespace {

using frames::evaluate;
using ::testing::HasSubstr;

std::int64_t at(const char* text) { return parse_timestamp(text).value(); }

class EvaluateTest : public ::testing::Test {
 protected:
  std::vector<Cell> cells(const ColumnExpr& expression) const {
    const Column column = evaluate(expression, table_);
    std::vector<Cell> all;
    for (std::size_t i = 0; i < column.size(); ++i) all.push_back(column.cell(i));
    return all;
  }
  std::string error_of(const ColumnExpr& expression) const {
    try {
      static_cast<void>(evaluate(expression, table_));
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  template <class... T>
  static std::vector<Cell> list(const T&... values) {
    std::vector<Cell> all;
    (all.push_back([](const auto& value) -> Cell {
      using V = std::decay_t<decltype(value)>;
      if constexpr (std::is_same_v<V, std::monostate> || std::is_same_v<V, bool> || std::is_same_v<V, double>)
        return value;
      else if constexpr (std::is_integral_v<V>)
        return static_cast<std::int64_t>(value);
      else
        return std::string(value);
    }(values)),
     ...);
    return all;
  }
  static constexpr std::monostate none{};

  const Table table_{std::vector<Table::Named>{
      {"n", Column::of(ColumnType::Int64, list(7, -7, none, 0))},
      {"x", Column::of(std::vector<double>{1.5, -2.5, std::nan(""), 4})},
      {"s", Column::of(ColumnType::String, list("Ada", "zoë ", none, ""))},
      {"c", Column::of(ColumnType::Category, list("red", "blue", none, "red"))},
      {"b", Column::of(ColumnType::Bool, list(true, false, none, true))},
      {"t", Column::of(ColumnType::Timestamp, list(at("2015-03-29 07:05:59.25"), at("2016-12-31 23:59:59"), none,
                                                   at("1969-12-31 23:00:00")))}}};
};

TEST_F(EvaluateTest, ArithmeticIsPandas) {
  EXPECT_EQ(cells(col("n") + 1), list(8, -6, none, 1));
  EXPECT_EQ(cells(col("n") / 2), list(3.5, -3.5, none, 0.0));
  EXPECT_EQ(cells(col("n").floordiv(2)), list(3, -4, none, 0));
  EXPECT_EQ(cells(col("n") % 4), list(3, 1, none, 0));
  EXPECT_EQ(cells(col("n") % -4), list(-1, -3, none, 0));
  EXPECT_EQ(cells(col("n").floordiv(0)), list(none, none, none, none));
  EXPECT_EQ(cells(col("n").pow(2)), list(49, 49, none, 0));
  EXPECT_EQ(cells(1 - col("x")), list(-0.5, 3.5, none, -3.0));
  EXPECT_EQ(cells(col("n") * col("x")), list(10.5, 17.5, none, 0.0));
  EXPECT_EQ(cells(-col("n").abs()), list(-7, -7, none, 0));
  EXPECT_EQ(cells(col("x").round()), list(2.0, -2.0, none, 4.0));
  EXPECT_EQ(cells(col("b") + 1), list(2, 1, none, 2));
  EXPECT_EQ(cells(col("s") + "!"), list("Ada!", "zoë !", none, "!"));
}

TEST_F(EvaluateTest, LiteralsDoNotWidenColumns) {
  const Table narrow({{"f", Column::of(std::vector<float>{1.5f})}, {"i", Column::of(std::vector<std::int32_t>{3})}});
  EXPECT_EQ(evaluate(col("f") * 2, narrow).type(), ColumnType::Float32);
  EXPECT_EQ(evaluate(col("f") * 2.5, narrow).type(), ColumnType::Float32);
  EXPECT_EQ(evaluate(col("i") * 2, narrow).type(), ColumnType::Int32);
  EXPECT_EQ(evaluate(col("i") * 2.5, narrow).type(), ColumnType::Float64);
  EXPECT_EQ(evaluate(col("i") / 2, narrow).type(), ColumnType::Float64);
  EXPECT_EQ(evaluate(col("i") + col("f"), narrow).type(), ColumnType::Float64);
}

TEST_F(EvaluateTest, WhatIsMissingComparesAsFalse) {
  EXPECT_EQ(cells(col("n") > 0), list(true, false, false, false));
  EXPECT_EQ(cells(col("n") != 7), list(false, true, true, true));
  EXPECT_EQ(cells(col("x") <= 1.5), list(true, true, false, false));
  EXPECT_EQ(cells(col("s") < "b"), list(true, false, false, true));
  EXPECT_EQ(cells(col("c") == "red"), list(true, false, false, true));
  EXPECT_EQ(cells("blue" == col("c")), list(false, true, false, false));
  EXPECT_EQ(cells(col("c") != "red"), list(false, true, true, false));
  EXPECT_EQ(cells(col("t") >= "2016-01-01"), list(false, true, false, false));
  EXPECT_EQ(cells(col("b") & (col("n") == 7)), list(true, false, false, false));
  EXPECT_EQ(cells(col("b") | true), list(true, true, true, true));
  EXPECT_EQ(cells(!(col("n") > 0)), list(false, true, true, true));
}

TEST_F(EvaluateTest, MissingValuesAreFoundFilledAndChosen) {
  EXPECT_EQ(cells(col("x").isna()), list(false, false, true, false));
  EXPECT_EQ(cells(col("c").notna()), list(true, true, false, true));
  EXPECT_EQ(cells(col("n").fillna(5)), list(7, -7, 5, 0));
  EXPECT_EQ(cells(col("n").fillna(0.5)), list(7.0, -7.0, 0.5, 0.0));
  EXPECT_EQ(cells(col("s").fillna("?")), list("Ada", "zoë ", "?", ""));
  EXPECT_EQ(cells(col("c").fillna("green")), list("red", "blue", "green", "red"));
  EXPECT_EQ(cells(col("n").where(col("n") > 0)), list(7, none, none, none));
  EXPECT_EQ(cells(col("n").where(col("n") > 0, -1)), list(7, -1, -1, -1));
  EXPECT_EQ(cells(col("n").mask(col("n") > 0, 1.5)), list(1.5, -7.0, none, 0.0));
  EXPECT_EQ(cells(col("n").clip(-1, 1)), list(1, -1, none, 0));
  EXPECT_EQ(cells(col("x").between(-2.5, 1.5)), list(true, true, false, false));
  EXPECT_EQ(cells(col("n").isin({std::int64_t{7}, 0.0})), list(true, false, false, true));
  EXPECT_EQ(cells(col("c").isin({std::string("blue")})), list(false, true, false, false));
}

TEST_F(EvaluateTest, PartsOfDates) {
  EXPECT_EQ(cells(col("t").dt().year()), list(2015, 2016, none, 1969));
  EXPECT_EQ(cells(col("t").dt().month()), list(3, 12, none, 12));
  EXPECT_EQ(cells(col("t").dt().day()), list(29, 31, none, 31));
  EXPECT_EQ(cells(col("t").dt().hour()), list(7, 23, none, 23));
  EXPECT_EQ(cells(col("t").dt().minute()), list(5, 59, none, 0));
  EXPECT_EQ(cells(col("t").dt().second()), list(59, 59, none, 0));
  EXPECT_EQ(cells(col("t").dt().microsecond()), list(250'000, 0, none, 0));
  EXPECT_EQ(cells(col("t").dt().dayofweek()), list(6, 5, none, 2));
  EXPECT_EQ(cells(col("t").dt().dayofyear()), list(88, 366, none, 365));
  EXPECT_EQ(cells(col("t").dt().quarter()), list(1, 4, none, 4));
  EXPECT_EQ(cells(col("t").dt().floor("15min")),
            list(at("2015-03-29 07:00:00"), at("2016-12-31 23:45:00"), none, at("1969-12-31 23:00:00")));
  EXPECT_EQ(cells(col("t").dt().date()), list(at("2015-03-29"), at("2016-12-31"), none, at("1969-12-31")));
  EXPECT_EQ(cells(col("t") - col("t").dt().floor("1min")), list(59'250'000'000, 59'000'000'000, none, 0));
}

TEST_F(EvaluateTest, EveryDayOfCenturiesHasItsDate) {
  std::vector<Cell> days;
  for (std::int64_t day = -100'000; day < 100'000; day += 1) days.push_back(day * 86'400'000'000'000);
  const Table table({{"t", Column::of(ColumnType::Timestamp, days)}});
  const Column year = evaluate(col("t").dt().year(), table), month = evaluate(col("t").dt().month(), table),
               day = evaluate(col("t").dt().day(), table), of_year = evaluate(col("t").dt().dayofyear(), table);
  std::int32_t expected = 0;
  for (std::size_t i = 0; i < days.size(); ++i) {
    char text[16];
    std::snprintf(text, sizeof text, "%04d-%02d-%02d", year.data<std::int32_t>()[i], month.data<std::int32_t>()[i],
                  day.data<std::int32_t>()[i]);
    ASSERT_EQ(timestamp_text(std::get<std::int64_t>(days[i])).substr(0, 10), text);
    expected = month.data<std::int32_t>()[i] == 1 && day.data<std::int32_t>()[i] == 1 ? 1 : expected + 1;
    if (i <= 366) expected = of_year.data<std::int32_t>()[i];
    ASSERT_EQ(of_year.data<std::int32_t>()[i], expected) << text;
  }
}

TEST_F(EvaluateTest, PartsOfTexts) {
  EXPECT_EQ(cells(col("s").str().len()), list(3, 4, none, 0));
  EXPECT_EQ(cells(col("s").str().upper()), list("ADA", "ZOë ", none, ""));
  EXPECT_EQ(cells(col("s").str().strip()), list("Ada", "zoë", none, ""));
  EXPECT_EQ(cells(col("s").str().slice(1, 3)), list("da", "oë", none, ""));
  EXPECT_EQ(cells(col("s").str().slice(-2)), list("da", "ë ", none, ""));
  EXPECT_EQ(cells(col("s").str().contains("^[A-Z]")), list(true, false, false, false));
  EXPECT_EQ(cells(col("s").str().contains("o")), list(false, true, false, false));
  EXPECT_EQ(cells(col("s").str().startswith("A")), list(true, false, false, false));
  EXPECT_EQ(cells(col("s").str().endswith(" ")), list(false, true, false, false));
  EXPECT_EQ(cells(col("s").str().replace("a", "bb")), list("Adbb", "zoë ", none, ""));
  EXPECT_EQ(cells(col("s").str().replace("[Ao]", "<$&>", true)), list("<A>da", "z<o>ë ", none, ""));
  EXPECT_EQ(cells(col("c").str().len()), list(3, 4, none, 3));
  EXPECT_EQ(cells(col("c").str().startswith("r")), list(true, false, false, true));
  EXPECT_EQ(cells(col("c").codes()), list(0, 1, none, 0).size() == 4 ? list(0, 1, -1, 0) : list());
}

TEST_F(EvaluateTest, TypesChange) {
  EXPECT_EQ(cells(col("n").astype("float64")), list(7.0, -7.0, none, 0.0));
  EXPECT_EQ(cells(col("x").astype("int64")), list(1, -2, none, 4));
  EXPECT_EQ(cells(col("n").astype("string")), list("7", "-7", none, "0"));
  EXPECT_EQ(cells(col("x").astype("string")), list("1.5", "-2.5", none, "4.0"));
  EXPECT_EQ(cells(col("b").astype("int32")), list(1, 0, none, 1));
  EXPECT_EQ(cells((col("n").astype("string")).astype("int64")), list(7, -7, none, 0));
  EXPECT_THAT(error_of(col("s").astype("int64")), HasSubstr("'Ada' of a column of string cannot be a int64"));
  EXPECT_THAT(error_of((col("x") * 1e300).astype("int64")), HasSubstr("of a column of float64 cannot be a int64"));
}

TEST_F(EvaluateTest, WhatDoesNotGoTogetherIsASentence) {
  EXPECT_THAT(error_of(col("s") * 2), HasSubstr("'*' does not go with string and the int64 given"));
  EXPECT_THAT(error_of(col("s") > 2), HasSubstr("'>' does not go with string"));
  EXPECT_THAT(error_of(col("n") & col("b")), HasSubstr("'&' does not go with int64 and bool"));
  EXPECT_THAT(error_of(col("m")), HasSubstr("there is no column 'm'"));
  EXPECT_THAT(error_of(col("n").dt().year()), HasSubstr("dt() needs a column of timestamps"));
  EXPECT_THAT(error_of(col("n").str().len()), HasSubstr("str() needs a column of strings"));
  EXPECT_THAT(error_of(col("t") > "noon"), HasSubstr("'noon' is no time"));
  EXPECT_THAT(error_of(col("s").str().contains("(")), HasSubstr("is no regular expression"));
  EXPECT_THROW(static_cast<void>(col("t").dt().floor("fortnight")), Error);
  EXPECT_THROW(static_cast<void>(col("t").astype("int8")), Error);
}

TEST_F(EvaluateTest, ExpressionsTravel) {
  const ColumnExpr expression = (col("n") + 1).where(col("c").isin({std::string("red")}), col("x").dt().year());
  const ColumnExpr back = through_encoding(expression);
  EXPECT_EQ(back.steps().size(), expression.steps().size());
  EXPECT_EQ(back.reads(), expression.reads());
}

}  // namespace
}  // namespace weft
