#include "core/config/values.hpp"

#include <gtest/gtest.h>

#include <weft/error.hpp>

namespace weft {
namespace {

std::string refusal(void (*parse)(std::string_view), std::string_view text) {
  try {
    parse(text);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "(accepted)";
}

TEST(ValuesTest, SwitchesHaveManySpellings) {
  for (const char* word : {"on", "ON", "true", "yes", "1", " on "}) EXPECT_TRUE(parse_bool(word)) << word;
  for (const char* word : {"off", "False", "no", "0"}) EXPECT_FALSE(parse_bool(word)) << word;
  for (const char* word : {"", "2", "onn"}) EXPECT_THROW(parse_bool(word), ConfigError) << word;
}

TEST(ValuesTest, CountsAreWholeAndNotNegative) {
  EXPECT_EQ(parse_count("0"), 0);
  EXPECT_EQ(parse_count(" 42 "), 42);
  for (const char* word : {"", "-1", "3.5", "4x", "x4", "99999999999999999999"}) {
    EXPECT_THROW(parse_count(word), ConfigError) << word;
  }
}

TEST(ValuesTest, NumbersAreFiniteAndNotNegative) {
  EXPECT_DOUBLE_EQ(parse_number("0.5"), 0.5);
  EXPECT_DOUBLE_EQ(parse_number("2e2"), 200);
  for (const char* word : {"", "-1", "nan", "inf", "1s"}) EXPECT_THROW(parse_number(word), ConfigError) << word;
}

TEST(ValuesTest, SizesKnowBothKindsOfUnits) {
  EXPECT_EQ(parse_bytes("0"), 0u);
  EXPECT_EQ(parse_bytes("4096"), 4096u);
  EXPECT_EQ(parse_bytes("64KiB"), 65536u);
  EXPECT_EQ(parse_bytes("64 kib"), 65536u);
  EXPECT_EQ(parse_bytes("4GiB"), 4294967296u);
  EXPECT_EQ(parse_bytes("1.5GB"), 1500000000u);
  EXPECT_EQ(parse_bytes("2k"), 2000u);
  EXPECT_EQ(parse_bytes("9007199254740993"), 9007199254740993u) << "whole numbers keep every digit";
  for (const char* word : {"", "GiB", "-1", "4XiB", "4 GiB x", "80%", "9999999PiB"}) {
    EXPECT_THROW(parse_bytes(word), ConfigError) << word;
  }
}

TEST(ValuesTest, SharesAreSizesOrPercents) {
  EXPECT_DOUBLE_EQ(parse_share("80%").fraction, 0.8);
  EXPECT_EQ(parse_share("80%").of(1000), 800u);
  EXPECT_EQ(parse_share("1KiB").of(1000), 1024u);
  EXPECT_TRUE(parse_share("0").automatic());
  for (const char* word : {"", "%", "0%", "101%", "-5%"}) EXPECT_THROW(parse_share(word), ConfigError) << word;
}

TEST(ValuesTest, DurationsAreSecondsUnlessAUnitSaysOtherwise) {
  EXPECT_DOUBLE_EQ(parse_duration("10"), 10);
  EXPECT_DOUBLE_EQ(parse_duration("500ms"), 0.5);
  EXPECT_DOUBLE_EQ(parse_duration("50 us"), 50e-6);
  EXPECT_DOUBLE_EQ(parse_duration("2min"), 120);
  EXPECT_DOUBLE_EQ(parse_duration("1.5h"), 5400);
  for (const char* word : {"", "s", "-1s", "1 year"}) EXPECT_THROW(parse_duration(word), ConfigError) << word;
}

TEST(ValuesTest, ChoicesNameTheNearestWord) {
  EXPECT_EQ(parse_choice("Sync", "auto|sync|threads"), "sync");
  EXPECT_EQ(refusal([](std::string_view text) { parse_choice(text, "auto|sync|threads"); }, "snyc"),
            "'snyc' is not one of auto, sync, threads; did you mean 'sync'?");
}

TEST(ValuesTest, LevelsNameTheNearestRoomAndLevel) {
  EXPECT_EQ(parse_levels("info,scheduler=debug"), "info,scheduler=debug");
  const auto parse = [](std::string_view text) { parse_levels(text); };
  EXPECT_NE(refusal(parse, "sheduler=debug").find("did you mean 'scheduler'?"), std::string::npos);
  EXPECT_NE(refusal(parse, "scheduler=debgu").find("did you mean 'debug'?"), std::string::npos);
}

TEST(ValuesTest, WrittenValuesReadBack) {
  for (const std::uint64_t bytes : {0ull, 1ull, 1000ull, 4096ull, 1ull << 30, (1ull << 30) + 1}) {
    EXPECT_EQ(parse_bytes(exact_bytes_text(bytes)), bytes) << exact_bytes_text(bytes);
  }
  for (const double seconds : {0.0, 5e-5, 0.25, 10.0, 7200.0}) {
    EXPECT_DOUBLE_EQ(parse_duration(duration_text(seconds)), seconds) << duration_text(seconds);
  }
  EXPECT_EQ(share_text(parse_share("80%")), "80%");
  EXPECT_EQ(exact_bytes_text(4096), "4KiB");
}

}  // namespace
}  // namespace weft
