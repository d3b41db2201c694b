#include "core/config/option_table.hpp"

#include <set>

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(OptionTableTest, NamesAreDistinctAndFollowFromTheFields) {
  std::set<std::string> names;
  for (const OptionRow& row : kOptionTable) EXPECT_TRUE(names.insert(row.name()).second) << row.name();
  const OptionRow& row = kOptionTable[find_option("spill-dir")];
  EXPECT_EQ(row.field, "spill_dir");
  EXPECT_EQ(row.name(), "spill-dir");
  EXPECT_EQ(row.variable(), "WEFT_SPILL_DIR");
}

TEST(OptionTableTest, EveryRowIsDescribedAndOnlyChoicesListChoices) {
  for (const OptionRow& row : kOptionTable) {
    EXPECT_FALSE(row.description.empty()) << row.name();
    EXPECT_EQ(row.description.back(), '.') << row.name();
    EXPECT_EQ(row.description.find('|'), std::string_view::npos) << row.name() << ": a bar breaks the table";
    EXPECT_EQ(row.kind == OptionKind::Choice, !row.choices.empty()) << row.name();
  }
}

TEST(OptionTableTest, FindTakesUnderscoresForDashes) {
  EXPECT_EQ(find_option("task_budget_us"), find_option("task-budget-us"));
  EXPECT_LT(find_option("task_budget_us"), kOptionCount);
  EXPECT_EQ(find_option("no-such"), kOptionCount);
  EXPECT_EQ(find_option(""), kOptionCount);
}

TEST(OptionTableTest, NearestOptionMendsTypingErrors) {
  EXPECT_EQ(nearest_option("tread"), "threads");
  EXPECT_EQ(nearest_option("spil_dir"), "spill-dir");
}

}  // namespace
}  // namespace weft
