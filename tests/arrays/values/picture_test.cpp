#include <weft/arrays.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

namespace weft {
namespace {

std::ptrdiff_t lines_of(const std::string& drawing) {
  const std::regex line("<line ");
  return std::distance(std::sregex_iterator(drawing.begin(), drawing.end(), line), std::sregex_iterator());
}

TEST(PictureTest, AMatrixHasALineAtEachCutAndBothExtents) {
  const std::string drawing = to_svg(ones({300, 200}, {.chunks = {100, 100}}));
  EXPECT_THAT(drawing, testing::StartsWith("<svg "));
  EXPECT_THAT(drawing, testing::EndsWith("</svg>\n"));
  EXPECT_THAT(drawing, testing::HasSubstr("<title>float64 (300, 200)</title>"));
  EXPECT_THAT(drawing, testing::HasSubstr(">300</text>"));
  EXPECT_THAT(drawing, testing::HasSubstr(">200</text>"));
  EXPECT_EQ(lines_of(drawing), 4 + 3);
}

TEST(PictureTest, ThreeAxesAreThreeFacesAndManyChunksFewLines) {
  EXPECT_EQ(lines_of(to_svg(ones({4, 4, 4}, {.chunks = 2}))), 3 * (3 + 3));
  EXPECT_LE(lines_of(to_svg(ones({10'000, 2}, {.chunks = {1, 1}}))), 52 + 3);
  // Further axes are not drawn; none at all is one box; extents that nobody knows yet are question marks.
  EXPECT_EQ(to_svg(ones({7, 4, 4, 4}, {.chunks = {1, 2, 2, 2}})).find(">7</text>"), std::string::npos);
  EXPECT_EQ(lines_of(to_svg(full({}, 1))), 4);
  const Array x = arange(10, {.chunks = 4});
  EXPECT_THAT(to_svg(x(x > 3)), testing::HasSubstr(">?</text>"));
}

}  // namespace
}  // namespace weft
