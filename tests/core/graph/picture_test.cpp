#include <weft/picture.hpp>

#include "core/graph/drawing.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/layer.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <regex>

namespace weft {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Load {
  int operator()(int file) const { return file; }
};
struct Join {
  int operator()(int a, int b) const { return a + b; }
};

Delayed<int> small() {
  const Delayed<int> a = delayed(Load{})(1);
  const Delayed<int> b = delayed(Load{})(2);
  return delayed(Join{})(a, b);
}

/// Returns what is wrong with the nesting of tags, or "".
std::string unbalanced(const std::string& svg) {
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-zA-Z]+)[^>]*?(/?)>");
  for (std::sregex_iterator at(svg.begin(), svg.end(), tag), end; at != end; ++at) {
    if ((*at)[3].length() != 0) continue;
    if ((*at)[1].length() == 0) {
      open.push_back((*at)[2]);
    } else if (open.empty() || open.back() != (*at)[2]) {
      return "</" + (*at)[2].str() + "> closes nothing";
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> is not closed";
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(PictureTest, ASmallGraphHasABoxForEachTaskWithItsLine) {
  const std::string svg = to_svg(small(), {.title = "two < three"});
  EXPECT_EQ(unbalanced(svg), "");
  EXPECT_EQ(count_of(svg, "class=\"box\""), 3u);
  EXPECT_EQ(count_of(svg, "class=\"arrow\""), 2u);
  EXPECT_THAT(svg, HasSubstr("two &lt; three"));
  EXPECT_THAT(svg, HasSubstr("picture_test.cpp:"));
  EXPECT_THAT(svg, HasSubstr("with 1"));
  EXPECT_THAT(svg, HasSubstr(">weft::Load</text>"));
  EXPECT_THAT(svg, HasSubstr("weft::Join, picture_test.cpp:31 (1)"));
}

TEST(PictureTest, TheSameGraphGivesTheSameBytes) {
  EXPECT_EQ(to_svg(small()), to_svg(small()));
  EXPECT_EQ(to_dot(small()), to_dot(small()));
}

TEST(PictureTest, ProducersLieAboveConsumersAndBoxesBesideEachOther) {
  Graph graph;
  std::vector<Delayed<int>> tasks{graph.add(Load{}, 0), graph.add(Load{}, 1)};
  std::uint64_t state = 5;
  for (int i = 0; i < 80; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    tasks.push_back(graph.add(Join{}, tasks[(state >> 33) % tasks.size()], tasks[(state >> 43) % tasks.size()]));
  }
  const Drawing drawing = draw(Described(graph).outline(), {});
  const Layout layout = lay_out(drawing);
  ASSERT_EQ(layout.centres.size(), 82u);
  for (const Drawing::Arrow& arrow : drawing.arrows) {
    EXPECT_LT(layout.centres[arrow.from].y, layout.centres[arrow.to].y);
  }
  for (std::size_t a = 0; a < layout.centres.size(); ++a) {
    EXPECT_GE(layout.centres[a].x - layout.widths[a] / 2, 0);
    EXPECT_LE(layout.centres[a].x + layout.widths[a] / 2, layout.width);
    for (std::size_t b = a + 1; b < layout.centres.size(); ++b) {
      if (layout.centres[a].y != layout.centres[b].y) continue;
      EXPECT_GE(std::abs(layout.centres[a].x - layout.centres[b].x), (layout.widths[a] + layout.widths[b]) / 2);
    }
  }
}

TEST(PictureTest, ALargeGraphIsDrawnByKindsWithCounts) {
  Graph graph;
  Delayed<int> last = graph.add(Load{}, 0);
  for (int i = 0; i < 5'000; ++i) last = graph.add(Join{}, last, graph.add(Load{}, i));
  const std::string svg = to_svg(graph);
  EXPECT_EQ(unbalanced(svg), "");
  EXPECT_THAT(svg, HasSubstr("Join \u00d7 5,000"));
  EXPECT_THAT(svg, HasSubstr("Load \u00d7 5,000"));
  EXPECT_LT(svg.size(), 10'000u);
  // Each join takes the one before: an arrow from the box to itself.
  EXPECT_THAT(svg, HasSubstr(", 4999 times"));
}

TEST(PictureTest, KindsThatFeedEachOtherAreDrawnToo) {
  Graph graph;
  Delayed<int> value = graph.add(Load{}, 0);
  for (int i = 0; i < 300; ++i) {
    value = graph.add([](int a) { return a + 1; }, value);
    value = graph.add([](int a) { return a * 2; }, value);
  }
  const std::string svg = to_svg(graph);
  EXPECT_EQ(unbalanced(svg), "");
  EXPECT_EQ(count_of(svg, "class=\"arrow\""), 3u);
}

TEST(PictureTest, LayersAreBoxesWhateverTheirSize) {
  const auto blocks = generate_blocks(1'000'000'000, [](std::uint64_t i) { return i; });
  const auto sum =
      blocks.map([](std::uint64_t i) { return i + 1; }).reduce([](std::uint64_t a, std::uint64_t b) { return a + b; });
  for (const std::string& svg : {to_svg(blocks), to_svg(sum)}) {
    EXPECT_EQ(unbalanced(svg), "");
    EXPECT_THAT(svg, HasSubstr("generate \u00d7 1,000,000,000"));
  }
  EXPECT_THAT(to_svg(sum), HasSubstr("map \u00d7 1,000,000,000"));
  EXPECT_THAT(to_svg(sum), HasSubstr("reduce \u00d7"));
}

TEST(PictureTest, StatesAreColouredAndFailuresStandOut) {
  const Client client(Options{.scheduler = "sync"});
  Graph graph;
  const auto good = graph.add(Load{}, 1);
  const auto bad = graph.add([](int) -> int { throw std::runtime_error("no"); }, good);
  EXPECT_THAT(to_svg(graph, {.colour = PictureOptions::Colour::State}), HasSubstr("described (2)"));
  EXPECT_THROW(client.run(graph), TaskError);
  const std::string svg = to_svg(graph, {.colour = PictureOptions::Colour::State});
  EXPECT_THAT(svg, HasSubstr("finished (1)"));
  EXPECT_THAT(svg, HasSubstr("failed (1)"));
  EXPECT_THAT(svg, HasSubstr("class=\"box failed\""));
}

TEST(PictureTest, DotNamesBoxesAndEscapes) {
  const std::string dot = to_dot(small(), {.title = "a \"b\""});
  EXPECT_THAT(dot, HasSubstr("digraph weft {"));
  EXPECT_THAT(dot, HasSubstr("label=\"a \\\"b\\\"\""));
  EXPECT_THAT(dot, HasSubstr("n0 -> n2"));
  EXPECT_THAT(dot, HasSubstr("n1 -> n2"));
  EXPECT_THAT(dot, Not(HasSubstr("n2 ->")));
}

TEST(PictureTest, AnEmptyGraphAndAFolderThatIsNotThere) {
  const Graph graph;
  EXPECT_EQ(unbalanced(to_svg(graph)), "");
  EXPECT_THROW(write_svg("/no/such/folder/picture.svg", graph), ConfigError);
}

TEST(PictureTest, TheFileOfASavedGraphCanBeDrawnWithoutLoadingIt) {
  const std::string path = testing::TempDir() + "weft_picture_test.weftgraph";
  Graph graph;
  graph.add(Join{}, graph.add(Load{}, 1), graph.add(Load{}, 2));
  graph.save(path);
  const std::string svg = to_svg(Described::file(path));
  EXPECT_EQ(count_of(svg, "class=\"box\""), 3u);
  EXPECT_THAT(svg, HasSubstr("picture_test.cpp:"));
  std::remove(path.c_str());
}

}  // namespace
}  // namespace weft
