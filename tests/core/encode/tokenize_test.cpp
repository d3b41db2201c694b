#include <weft/tokenize.hpp>

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace weft {
namespace {

struct Point {
  double x, y;
};

TEST(TokenizeTest, EqualValuesHaveEqualTokensInEveryRun) {
  EXPECT_EQ(tokenize(1, std::string("a"), Point{1, 2}), tokenize(1, std::string("a"), Point{1, 2}));
  EXPECT_EQ(tokenize(std::unordered_map<int, int>{{1, 2}, {3, 4}, {5, 6}}),
            tokenize(std::unordered_map<int, int>{{5, 6}, {3, 4}, {1, 2}}));
  EXPECT_EQ(tokenize(1).size(), 32u);
}

TEST(TokenizeTest, OtherValuesTypesAndGroupingsHaveOthers) {
  std::set<std::string> all{tokenize(1),
                            tokenize(2),
                            tokenize(1L),
                            tokenize(1.0),
                            tokenize(1, 2),
                            tokenize(2, 1),
                            tokenize(std::vector<int>{1, 2}),
                            tokenize(std::vector<int>{1}, 2),
                            tokenize(std::string("ab"), std::string("c")),
                            tokenize(std::string("a"), std::string("bc")),
                            tokenize()};
  EXPECT_EQ(all.size(), 11u);
  for (int i = 0; i < 1'000; ++i) all.insert(tokenize(Point{0, i + 0.5}));
  EXPECT_EQ(all.size(), 1'011u);
}

}  // namespace
}  // namespace weft
