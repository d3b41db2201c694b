#include "core/cluster/origins.hpp"

#include <gtest/gtest.h>

namespace weft::cluster {
namespace {

TEST(OriginsTest, NumbersOfAWorkerAreReplacedByTheClients) {
  const auto known = [](const Origin& origin) { return origin.packet == 4 ? 100 + origin.index : kNone; };
  EXPECT_EQ(with_numbers("while it ran task #17<4.2> of a.cpp:3; in task #8<4.0> of a.cpp:9", known),
            "while it ran task #102 of a.cpp:3; in task #100 of a.cpp:9");
  EXPECT_EQ(with_numbers("task #17<5.2> of a.cpp:3", known), "task #17 of a.cpp:3");
  EXPECT_EQ(with_numbers("task #17<4.2> of a.cpp:3", {}), "task #17 of a.cpp:3");
}

TEST(OriginsTest, OtherTextsStayAsTheyAre) {
  const auto all = [](const Origin&) { return TaskId{1}; };
  for (const char* text : {"", "#", "task #17 of a.cpp:3", "#17<4", "#17<4.", "#17<4.2", "#<4.2>", "#17<.2>",
                           "# 17<4.2>", "#99999999999<1.2>", "#1<99999999999.2>", "a < b > c"})
    EXPECT_EQ(with_numbers(text, all), text);
  EXPECT_EQ(with_numbers("##17<4.2>", all), "##1");
}

}  // namespace
}  // namespace weft::cluster
