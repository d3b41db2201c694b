#include "core/config/toml.hpp"

#include <gtest/gtest.h>

#include <weft/error.hpp>

namespace weft {
namespace {

std::string refusal(std::string_view text) {
  try {
    read_toml(text, "weft.toml");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "(accepted)";
}

std::string value_of(const std::string& written) { return read_toml("k = " + written + "\n", "f").at(0).value; }

TEST(TomlTest, ReadsTablesKeysAndLines) {
  const auto entries =
      read_toml("# head\nthreads = 4   # four\n\n[memory]\r\nspill-dir = \"/tmp/x\"\n\"odd key\" = true", "f");
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].table, "");
  EXPECT_EQ(entries[0].key, "threads");
  EXPECT_EQ(entries[0].value, "4");
  EXPECT_EQ(entries[0].line, 2);
  EXPECT_EQ(entries[1].table, "memory");
  EXPECT_EQ(entries[1].value, "/tmp/x");
  EXPECT_EQ(entries[1].line, 5);
  EXPECT_EQ(entries[2].key, "odd key");
  EXPECT_EQ(entries[2].value, "true");
}

TEST(TomlTest, ReadsNumbers) {
  EXPECT_EQ(value_of("1_000_000"), "1000000");
  EXPECT_EQ(value_of("+7"), "7");
  EXPECT_EQ(value_of("-7"), "-7");
  EXPECT_EQ(value_of("0.25"), "0.25");
  EXPECT_EQ(value_of("2e-3"), "2e-3");
}

TEST(TomlTest, ReadsStringsWithEscapes) {
  EXPECT_EQ(value_of(R"("a\tb\"c\\d")"), "a\tb\"c\\d");
  EXPECT_EQ(value_of(R"('C:\no\escape')"), "C:\\no\\escape");
  EXPECT_EQ(value_of(R"("\u00e9\U0001F600")"), "\xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_EQ(value_of("\"a # b\""), "a # b");
  EXPECT_EQ(value_of("\"\""), "");
}

TEST(TomlTest, AnEmptyFileHasNoEntries) {
  EXPECT_TRUE(read_toml("", "f").empty());
  EXPECT_TRUE(read_toml("\xef\xbb\xbf# only a comment", "f").empty());
}

TEST(TomlTest, ErrorsGiveFileAndLine) {
  EXPECT_EQ(refusal("a = 1\nb 2\n"), "weft.toml:2: expected '=' after the key 'b'");
  EXPECT_EQ(refusal("\n\na = \n"), "weft.toml:3: the key 'a' has no value");
  EXPECT_EQ(refusal("a = \"x"), "weft.toml:1: the string has no closing \"");
}

TEST(TomlTest, WordsWithoutQuotesAreRefusedWithTheirMending) {
  EXPECT_EQ(refusal("scheduler = sync"), "weft.toml:1: 'sync' is no value; a text stands in quotes: \"sync\"");
}

TEST(TomlTest, WhatStandsTwiceIsRefused) {
  EXPECT_EQ(refusal("a = 1\na = 2"), "weft.toml:2: the key 'a' already stands on line 1");
  EXPECT_EQ(refusal("[t]\n[u]\n[t]"), "weft.toml:3: the table [t] stands twice");
  EXPECT_EQ(refusal("[t]\na = 1\n[u]\na = 2"), "(accepted)");
}

TEST(TomlTest, WhatIsNotReadIsNamed) {
  EXPECT_NE(refusal("a = [1, 2]").find("arrays are not read here"), std::string::npos);
  EXPECT_NE(refusal("a = {b = 1}").find("inline tables"), std::string::npos);
  EXPECT_NE(refusal("[[a]]").find("arrays of tables"), std::string::npos);
  EXPECT_NE(refusal("a.b = 1").find("dotted keys"), std::string::npos);
  EXPECT_NE(refusal("[a.b]").find("nested tables"), std::string::npos);
  EXPECT_NE(refusal("a = \"\"\"x").find("several lines"), std::string::npos);
}

TEST(TomlTest, BrokenFilesAreRefused) {
  for (const char* text : {"= 1", "[", "[]", "[t", "[t] x", "a = 1 2", "a = 1__0", "a = 1.", "a = .5", "a = 1e",
                           "a = -", "a = \"\\q\"", "a = \"\\u12\"", "a = \"\\ud800\"", "a", "a = 2024-01-01"}) {
    EXPECT_NE(refusal(text), "(accepted)") << text;
  }
}

}  // namespace
}  // namespace weft
