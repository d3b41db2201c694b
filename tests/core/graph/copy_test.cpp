#include <weft/graph_manipulation.hpp>

#include "tests/core/client/client_modes.hpp"

#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What ran, in its order.
struct Journal {
  std::mutex mutex;
  std::vector<std::string> lines;
};
Journal journal;

int note(int value, const std::string& line) {
  const std::lock_guard lock(journal.mutex);
  journal.lines.push_back(line);
  return value;
}
int note_again(int value, const std::string& line) { return note(value, line) + 1; }

class CopyTest : public testing::TestWithParam<Mode> {
 protected:
  CopyTest() { journal.lines.clear(); }
  static std::size_t place(const std::string& line) {
    const auto found = std::find(journal.lines.begin(), journal.lines.end(), line);
    EXPECT_NE(found, journal.lines.end()) << line;
    return static_cast<std::size_t>(found - journal.lines.begin());
  }
  static auto count(const std::string& line) { return std::count(journal.lines.begin(), journal.lines.end(), line); }
  Client client_{GetParam().options()};
};

TEST_P(CopyTest, ACheckpointEndsAfterAllOfItsValues) {
  std::vector<Delayed<int>> parts;
  for (int i = 0; i < 30; ++i) parts.push_back(delayed(note)(i, std::to_string(i)));
  client_.compute(graph_manipulation::checkpoint(parts, 4));
  EXPECT_EQ(journal.lines.size(), 30u);
  client_.compute(graph_manipulation::checkpoint(parts[0], std::pair(parts[1], 2.0), parts));
  EXPECT_EQ(journal.lines.size(), 30u);
  client_.compute(graph_manipulation::checkpoint(std::vector<Delayed<int>>()));
}

TEST_P(CopyTest, ACheckpointFailsWithWhatItWaitsFor) {
  const auto fails = delayed([](int) -> int { throw std::runtime_error("broken"); })(1);
  EXPECT_THAT(message_of([&] { client_.compute(graph_manipulation::checkpoint(fails, delayed(note)(1, "other"))); }),
              HasSubstr("broken"));
}

TEST_P(CopyTest, WaitOnGivesTheValuesOnceAllAreThere) {
  const auto [a, b] = graph_manipulation::wait_on(delayed(note)(1, "a"), delayed([](std::string s) { return s; })("b"));
  const auto after_a = delayed(note_again)(a, "after a");
  const auto [x, y] = client_.compute(after_a, b);
  EXPECT_EQ(x, 2);
  EXPECT_EQ(y, "b");
  const std::vector<Delayed<int>> all =
      graph_manipulation::wait_on(std::vector{delayed(note)(1, "c"), delayed(note)(2, "d"), delayed(note)(3, "e")});
  const auto first = delayed(note_again)(all[0], "after c");
  EXPECT_EQ(client_.compute(first), 2);
  EXPECT_GT(place("after c"), place("e"));
  EXPECT_GT(place("after c"), place("d"));
}

TEST_P(CopyTest, WaitOnMovesResultsThatCannotBeCopied) {
  const auto owned = delayed([](int n) { return std::make_unique<int>(n); })(4);
  const auto held = graph_manipulation::wait_on(owned);
  EXPECT_EQ(client_.compute(delayed([](const std::unique_ptr<int>& n) { return *n; })(held)), 4);
}

TEST_P(CopyTest, BoundTasksBeginAfterTheirParents) {
  const auto parent = delayed(note)(1, "parent");
  const auto root = delayed(note)(10, "root");
  const auto other_root = delayed(note)(20, "other root");
  const auto child = delayed([](int a, int b) { return a + b; })(delayed(note_again)(root, "middle"), other_root);
  const auto bound = graph_manipulation::bind(child, parent);
  EXPECT_EQ(client_.compute(bound), 31);
  EXPECT_THAT(journal.lines.front(), "parent");
  EXPECT_EQ(journal.lines.size(), 4u);
  EXPECT_EQ(client_.compute(child), 31);
  EXPECT_EQ(count("root"), 2) << "the copy has nothing of what it is a copy of";
  EXPECT_EQ(count("parent"), 1);
}

TEST_P(CopyTest, WhatIsOmittedIsShared) {
  const auto source = delayed(note)(1, "source");
  const auto child = delayed(note_again)(source, "child");
  const auto copy = graph_manipulation::clone(child, std::vector{source});
  const auto [x, y] = client_.compute(child, copy);
  EXPECT_EQ(x + y, 4);
  EXPECT_EQ(count("source"), 1);
  EXPECT_EQ(count("child"), 2);
}

TEST_P(CopyTest, WhatHasRunIsNotCopied) {
  const auto source = delayed(note)(1, "source");
  EXPECT_EQ(client_.compute(source), 1);
  const auto copy = graph_manipulation::clone(delayed(note_again)(source, "child"));
  EXPECT_EQ(client_.compute(copy), 2);
  EXPECT_EQ(count("source"), 1);
  EXPECT_EQ(client_.compute(graph_manipulation::clone(source)), 1);
}

TEST_P(CopyTest, HandlesInsideOfArgumentsBecomeThoseOfTheCopies) {
  std::vector<Delayed<int>> parts;
  for (int i = 0; i < 3; ++i) parts.push_back(delayed(note)(i, "part " + std::to_string(i)));
  std::map<std::string, Delayed<int>> named{{"x", parts[0]}, {"y", delayed(note)(7, "named")}};
  const auto sum = delayed([](const std::vector<int>& all, const std::map<std::string, int>& by_name, int more) {
    int total = more;
    for (const int one : all) total += one;
    for (const auto& [name, one] : by_name) total += one;
    return total;
  })(parts, named, parts[2]);
  const auto copy = graph_manipulation::bind(sum, delayed(note)(0, "parent"));
  EXPECT_EQ(client_.compute(copy), 0 + 1 + 2 + 0 + 7 + 2);
  EXPECT_EQ(journal.lines.front(), "parent");
  EXPECT_EQ(client_.compute(sum), 12);
  EXPECT_EQ(count("part 0"), 2);
}

TEST_P(CopyTest, ContainersAndBagsKeepTheirShape) {
  const auto bag = bag_range(100, 4).map([](std::int64_t n) { return 2 * n; });
  EXPECT_EQ(client_.compute(graph_manipulation::clone(bag).sum()), 9900);
  EXPECT_EQ(client_.compute(graph_manipulation::wait_on(bag).sum()), 9900);
  const auto fresh = bag_range(100, 4).map([](std::int64_t n) { return 2 * n; });
  EXPECT_EQ(client_.compute(graph_manipulation::bind(fresh, delayed(note)(0, "before")).sum()), 9900);
  EXPECT_THAT(journal.lines, ElementsAre("before"));
  const std::tuple both(delayed(note)(1, "one"), std::map<int, Delayed<int>>{{5, delayed(note)(2, "two")}});
  const auto copy = graph_manipulation::clone(both);
  EXPECT_EQ(client_.compute(std::get<0>(copy)) + client_.compute(std::get<1>(copy).at(5)), 3);
}

TEST_P(CopyTest, AnnotationsGoAlong) {
  const auto named = delayed(note, {.name = "loading", .pure = true})(1, "load");
  const auto copy = graph_manipulation::clone(named);
  EXPECT_THAT(copy.name(), HasSubstr("loading"));
  EXPECT_EQ(client_.compute(copy) + client_.compute(named), 2);
  EXPECT_EQ(count("load"), 2);
}

TEST_P(CopyTest, ADeepGraphIsCopiedWithoutDeepRecursion) {
  Delayed<int> deep = delayed(0);
  for (int i = 0; i < 20'000; ++i) deep = deep + 1;
  EXPECT_EQ(client_.compute(graph_manipulation::bind(deep, delayed(note)(0, "before"))), 20'000);
}

TEST_P(CopyTest, WhatCannotBeCopiedIsOneError) {
  static std::mutex cannot_travel;
  const auto empty = [] { graph_manipulation::clone(Delayed<int>()); };
  EXPECT_THAT(message_of(empty), HasSubstr("empty"));
  const auto narrow = [&] { graph_manipulation::checkpoint(delayed(note)(1, "x"), 1); };
  EXPECT_THAT(message_of(narrow), HasSubstr("split_every"));
  const auto captures = [&] {
    graph_manipulation::clone(delayed([p = &cannot_travel] { return p != nullptr ? 1 : 0; })());
  };
  EXPECT_THAT(message_of(captures), HasSubstr("pass it as an argument"));
}

INSTANTIATE_TEST_SUITE_P(Modes, CopyTest, testing::ValuesIn(kModes), kModeName);

}  // namespace
}  // namespace weft
