#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/arrays/error_of.hpp"
#include "tests/arrays/oracle/named_cases.hpp"

namespace weft {
namespace {

using oracle::operand;

/// Adds all elements within the margins, each with another weight.
struct Weigh {
  std::int64_t up, down, left, right;
  void operator()(ChunkView<const double, 2> wide, ChunkView<double, 2> out, const BlockInfo& info) const {
    const auto in = wide.inner(info);
    for (std::int64_t i = 0; i < out.extent(0); ++i) {
      for (std::int64_t j = 0; j < out.extent(1); ++j) {
        double sum = 0;
        for (std::int64_t di = -up; di <= down; ++di) {
          for (std::int64_t dj = -left; dj <= right; ++dj) {
            // None: nothing beyond the ends.
            if (i + di < -info.before[0] || i + di >= out.extent(0) + info.after[0]) continue;
            if (j + dj < -info.before[1] || j + dj >= out.extent(1) + info.after[1]) continue;
            sum += in(i + di, j + dj) * static_cast<double>(7 * di + 3 * dj + 29);
          }
        }
        out(i, j) = sum;
      }
    }
  }
};

Array weigh(const Array& x, std::int64_t up, std::int64_t down, std::int64_t left, std::int64_t right,
            const arrays::ForEachAxis<Boundary>& boundary, const arrays::ForEachAxis<Scalar>& value = Scalar(0),
            bool local = false) {
  return map_overlap(x, Weigh{up, down, left, right},
                     {.depth = {{up, down}, {left, right}}, .boundary = boundary, .value = value, .local = local});
}

const oracle::NamedCases& overlaps() {
  static const oracle::NamedCases cases = [] {
    const auto x = [](const Chunks& c) { return operand("float64", {11, 13}, 0, c); };
    const auto v = [](const Chunks& c) { return operand("int64", {9}, 0, c); };
    using B = Boundary;
    return oracle::NamedCases{
        WEFT_CASE("none", weigh(x(c), 1, 1, 1, 1, B::None)),
        WEFT_CASE("reflect", weigh(x(c), 1, 1, 1, 1, B::Reflect)),
        WEFT_CASE("periodic", weigh(x(c), 1, 1, 1, 1, B::Periodic)),
        WEFT_CASE("nearest", weigh(x(c), 1, 1, 1, 1, B::Nearest)),
        WEFT_CASE("constant", weigh(x(c), 1, 1, 1, 1, B::Constant, 2.5)),
        WEFT_CASE("asymmetric", weigh(x(c), 2, 0, 0, 3, B::Reflect)),
        WEFT_CASE("asymmetric_periodic", weigh(x(c), 0, 3, 2, 1, B::Periodic)),
        WEFT_CASE("mixed", weigh(x(c), 2, 1, 1, 2, {B::Periodic, B::None})),
        WEFT_CASE("mixed_constant", weigh(x(c), 2, 1, 1, 2, {B::Constant, B::Nearest}, {Scalar(4.0), Scalar(0)})),
        WEFT_CASE("two_constants", weigh(x(c), 1, 1, 1, 1, B::Constant, {Scalar(4.0), Scalar(-1.0)})),
        WEFT_CASE("one_axis", weigh(x(c), 0, 0, 2, 2, {B::None, B::Reflect})),
        WEFT_CASE("deep", weigh(x(c), 5, 4, 6, 6, B::Reflect)),
        WEFT_CASE("local", weigh(x(c), 2, 1, 1, 1, B::Periodic, 0, true)),
        WEFT_CASE("overlap_trim", trim_overlap(overlap(x(c), {.depth = 1, .boundary = B::Reflect}),
                                               {.depth = 1, .boundary = B::Reflect})),
        WEFT_CASE("trim_internal",
                  trim_internal(overlap(v(Chunks(9)), {.depth = 2, .boundary = B::Periodic}), {{1, 2}})),
        WEFT_CASE("overlap_vector", overlap(v(Chunks(3)), {.depth = {{1, 2}}, .boundary = B::Periodic})),
        WEFT_CASE("windows", sliding_window_view(x(c), {3, 2})),
        WEFT_CASE("windows_axis", sliding_window_view(x(c), {4}, 1)),
        WEFT_CASE("two_arrays", map_overlap({x(c), rechunk(x(c), {5, 6}) * 2.0},
                                            [](ChunkView<const double, 2> a, ChunkView<const double, 2> b,
                                               ChunkView<double, 2> out, const BlockInfo& info) {
                                              const auto in = a.inner(info), other = b.inner(info);
                                              for (std::int64_t i = 0; i < out.extent(0); ++i) {
                                                for (std::int64_t j = 0; j < out.extent(1); ++j) {
                                                  out(i, j) = in(i - 1, j) - other(i, j + 1);
                                                }
                                              }
                                            },
                                            {.depth = 1, .boundary = B::Periodic})),
        WEFT_CASE("returned",
                  map_overlap(x(c), [](NDArray wide) { return wide; }, {.depth = 1, .boundary = B::Nearest})),
    };
  }();
  return cases;
}

class OverlapTest : public testing::TestWithParam<int> {};

TEST_P(OverlapTest, MarginsGiveNumpysAnswers) {
  EXPECT_EQ(oracle::run_named("overlap", overlaps(), Chunks(GetParam()), "sync"), "");
}
INSTANTIATE_TEST_SUITE_P(Chunks, OverlapTest, testing::Values(1, 2, 5, 6, 100));

class MarginTest : public testing::Test {
 protected:
  Client client_{{.scheduler = "threads"}};
};

/// Large chunks send their borders; the answer is that of one chunk.
TEST_F(MarginTest, BordersOfLargeChunksGiveTheSameAsOneChunk) {
  const Array x = random::uniform({200, 180}, {.chunks = {60, 64}, .seed = 3});
  for (const Boundary boundary :
       {Boundary::None, Boundary::Reflect, Boundary::Periodic, Boundary::Nearest, Boundary::Constant}) {
    for (const bool local : {false, true}) {
      const auto [cut, whole] = client_.compute(weigh(x, 2, 1, 0, 3, boundary, 1.5, local),
                                                weigh(rechunk(x, Chunks(-1)), 2, 1, 0, 3, boundary, 1.5));
      EXPECT_EQ(cut.to_vector<double>(), whole.to_vector<double>()) << static_cast<int>(boundary) << local;
    }
  }
}

TEST_F(MarginTest, AKernelThatLooksNoFartherIsCalledForAFewRowsAtATime) {
  const Array x = zeros({4000, 512}, {.chunks = {4000, 512}});
  const Array rows = map_overlap(x,
                                 [](ChunkView<const double, 2> wide, ChunkView<double, 2> out, const BlockInfo& info) {
                                   for (std::int64_t i = 0; i < out.extent(0); ++i) {
                                     for (std::int64_t j = 0; j < out.extent(1); ++j)
                                       out(i, j) = static_cast<double>(wide.extent(0));
                                   }
                                   if (info.shape[0] != out.extent(0)) throw Error("the rows are not told");
                                 },
                                 {.depth = {1, 0}, .boundary = Boundary::Periodic, .local = true});
  EXPECT_LT(client_.compute(rows.max()).item<double>(), 100);
}

TEST_F(MarginTest, MarginsThatCannotBeAreRefusedWhenTheExpressionIsBuilt) {
  const Array x = ones({4, 4});
  EXPECT_THAT(error_of([&] { overlap(x, {.depth = 5, .boundary = Boundary::Periodic}); }),
              testing::AllOf(testing::HasSubstr("overlap (overlap_test.cpp:"), testing::HasSubstr("axis 0 is 5")));
  EXPECT_THAT(error_of([&] { overlap(x, {.depth = -1}); }), testing::HasSubstr("negative"));
  EXPECT_THAT(error_of([&] { overlap(x, {.depth = {1, 1, 1}}); }), testing::HasSubstr("another number of axes"));
  EXPECT_THAT(error_of([&] { trim_internal(x, 3); }), testing::HasSubstr("smaller"));
  EXPECT_THAT(error_of([&] { sliding_window_view(x, {5}, 0); }), testing::HasSubstr("does not fit"));
  EXPECT_THAT(error_of([&] { weigh(ones({3}), 1, 1, 1, 1, Boundary::None); }), testing::HasSubstr("another number"));
  EXPECT_THAT(error_of([&] {
                map_overlap({x, ones({5, 4})}, [](NDArray a, NDArray) { return a; }, {.depth = 1});
              }),
              testing::HasSubstr("(5, 4)"));
}

}  // namespace
}  // namespace weft
