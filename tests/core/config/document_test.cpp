#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include <weft/config.hpp>

#include "core/config/option_table.hpp"

namespace weft {
namespace {

TEST(DocumentTest, TheCommittedPageIsTheGeneratedOne) {
  std::ifstream file(std::string(WEFT_SOURCE_DIR) + "/docs/configuration.md");
  const std::string committed{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(committed, config_markdown()) << "run: weft config --markdown > docs/configuration.md";
}

TEST(DocumentTest, ThePageNamesEveryOptionOnce) {
  const std::string page = config_markdown();
  for (const OptionRow& row : kOptionTable) {
    const std::string cell = "| `--weft-" + row.name() + "` | `" + row.variable() + "` |";
    const std::size_t first = page.find(cell);
    ASSERT_NE(first, std::string::npos) << row.name();
    EXPECT_EQ(page.find(cell, first + 1), std::string::npos) << row.name();
  }
}

TEST(DocumentTest, TheTableShowsValueAndOrigin) {
  Settings settings = resolve(Options{.threads = 3, .memory = "80%"});
  const std::string table = config_table(settings);
  const auto line_of = [&table](const std::string& option) {
    const std::size_t begin = table.find("\n" + option + " ") + 1;
    return table.substr(begin, table.find('\n', begin) - begin);
  };
  EXPECT_NE(line_of("threads").find(" 3 "), std::string::npos) << line_of("threads");
  EXPECT_NE(line_of("threads").find("program (.threads)"), std::string::npos) << line_of("threads");
  EXPECT_NE(line_of("memory").find(" 80% "), std::string::npos) << line_of("memory");
}

}  // namespace
}  // namespace weft
