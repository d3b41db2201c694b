#include "io/files/json.hpp"

#include <weft/storage.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::io {
namespace {

using ::testing::StartsWith;

TEST(JsonTest, ValuesAreWhatTheyAre) {
  const Json json = Json::parse(R"( {"a": [1, -2.5e3, true, null], "t": "x\n\"\\\u00e9\ud83d\ude00", "n": NaN} )", "f");
  EXPECT_EQ(json["a"].list()[1].number(), -2500);
  EXPECT_EQ(json["a"].list()[0].text(), "1");
  EXPECT_TRUE(json["a"].list()[2].truth());
  EXPECT_TRUE(json["a"].list()[3].is(Json::Null));
  EXPECT_EQ(json["t"].text(), "x\n\"\\é😀");
  EXPECT_EQ(json["n"].text(), "NaN");
  EXPECT_FALSE(json.has("b"));
  EXPECT_TRUE(json["b"]["c"].is(Json::Null));
  EXPECT_EQ(json["a"].dump(), "[1, -2.5e3, true, null]");
}

TEST(JsonTest, WhatIsNoJsonIsRefusedWithItsPlace) {
  for (const char* const text : {"", "{", "[1,", "{\"a\" 1}", "\"a", "nul", "[1] 2", "\"\\ud83\"", "{1: 2}", "--"}) {
    try {
      Json::parse(text, "f.json");
      FAIL() << text;
    } catch (const FileError& error) {
      EXPECT_THAT(error.what(), StartsWith("'f.json': is not JSON"));
    }
  }
  EXPECT_THROW(Json::parse(std::string(1000, '['), "f"), FileError);
  // Half a character is shown as one that is missing.
  EXPECT_EQ(Json::parse("\"\\ud83dx\"", "f").text(), "\xef\xbf\xbdx");
}

}  // namespace
}  // namespace weft::io
