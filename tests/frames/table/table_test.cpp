#include <weft/table.hpp>

#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace weft {
namespace {

using ::testing::HasSubstr;

Table people() {
  return Table({{"name", Column::of(std::vector<std::string>{"ada", "bo", "", "dora"})},
                {"age", Column::of(ColumnType::Int64, {std::int64_t{36}, {}, std::int64_t{7}, std::int64_t{50}})},
                {"size", Column::of(std::vector<double>{1.5, 2.5, std::nan(""), 4.5})}});
}

TEST(TableTest, SlicesAndJoinsGiveTheSameTable) {
  const Table table = people();
  EXPECT_TRUE(Table::concat({table.slice(0, 1), table.slice(1, 3)}).equals(table));
  EXPECT_EQ(table.slice(2, 9).row_count(), 2u);
  EXPECT_EQ(table.slice(1, 2)["name"].text(0), "bo");
  EXPECT_FALSE(table.slice(0, 2).equals(table.slice(1, 2)));
}

TEST(TableTest, RowsPastTheEndAreMissing) {
  const Table taken = people().take(std::vector<std::uint32_t>{3, 9, 0});
  EXPECT_EQ(taken["name"].text(0), "dora");
  EXPECT_EQ(taken["name"].missing_count(), 1u);
  EXPECT_EQ(taken["age"].cell(0), Cell(std::int64_t{50}));
  EXPECT_EQ(taken["age"].cell(1), Cell());
  EXPECT_TRUE(std::isnan(taken["size"].data<double>()[1]));
  EXPECT_EQ(taken["size"].cell(2), Cell(1.5));
}

TEST(TableTest, AWrongNameIsAnsweredWithTheNearest) {
  try {
    static_cast<void>(people()["aeg"]);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("there is no column 'aeg' (did you mean 'age'?): the columns are name, age, size"));
  }
}

TEST(TableTest, TravelsAsItIs) {
  const Table table = people();
  EXPECT_TRUE(through_encoding(table).equals(table));
  Writer writer;
  encode(writer, table);
  for (std::size_t cut = 0; cut < writer.size(); ++cut)
    EXPECT_THROW(static_cast<void>(decode_all<Table>(writer.data(), cut)), Error) << cut;
}

}  // namespace
}  // namespace weft
