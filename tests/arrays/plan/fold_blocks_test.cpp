#include "arrays/plan/fold_blocks.hpp"

#include "arrays/kernels/spaces/spaces.hpp"

#include <weft/arrays.hpp>
#include <weft/client.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace weft {
namespace {

using arrays::expression::AxisGrid;
using arrays::lowering::fold_blocks;
using arrays::lowering::FoldBlock;
using arrays::lowering::ReductionTree;
using arrays::lowering::Stage;

Stage reduction(arrays::expression::Grid grid, std::vector<std::uint8_t> reduced, bool square) {
  Stage stage;
  stage.kind = Stage::Reduce;
  stage.grid = std::move(grid);
  stage.reduce.reduced = std::move(reduced);
  stage.square = square;
  return stage;
}

TEST(FoldBlocksTest, ChunksAcrossTheDiagonalMeetTheSameSquaresInTheSameOrder) {
  const AxisGrid axis = AxisGrid::regular(1700, 600);
  const Stage stage = reduction({axis, axis}, {1, 1}, true);
  const ReductionTree tree(stage, 0);
  // Chunks (0, 2) and (2, 0); the last piece is shorter.
  const std::vector<FoldBlock> above = fold_blocks(stage, tree, 2), below = fold_blocks(stage, tree, 6);
  ASSERT_EQ(above.size(), below.size());
  ASSERT_GT(above.size(), 1u);
  std::int64_t elements = 0;
  for (std::size_t i = 0; i < above.size(); ++i) {
    EXPECT_EQ(above[i].box.start[0], below[i].box.start[1]);
    EXPECT_EQ(above[i].box.start[1], below[i].box.start[0]);
    EXPECT_EQ(above[i].box.extent[0], below[i].box.extent[1]);
    EXPECT_EQ(above[i].box.extent[1], below[i].box.extent[0]);
    elements += above[i].box.elements();
  }
  EXPECT_EQ(elements, 600 * 500);
}

TEST(FoldBlocksTest, ManyOutputsAreFoldedStretchByStretchThroughTheChunksOfALeaf) {
  const Stage stage = reduction({AxisGrid::regular(20, 1), AxisGrid::regular(250'000, 250'000)}, {1, 0}, false);
  const ReductionTree tree(stage, 0);
  EXPECT_EQ(tree.group(), 8);
  EXPECT_EQ(tree.leaves(), 3);
  const std::vector<FoldBlock> blocks = fold_blocks(stage, tree, 1);
  ASSERT_GT(blocks.size(), 8u);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(blocks[i].box.start[0], 8 + static_cast<std::int64_t>(i));
    EXPECT_EQ(blocks[i].first_output, 0);
  }
  EXPECT_EQ(blocks[8].first_output, blocks[8].box.start[1]);
  EXPECT_GT(blocks[8].first_output, 0);
}

/// Numbers that no order of additions leaves alone, in chunks whose last ones are shorter.
Array given(std::uint64_t seed, std::int64_t n, std::int64_t chunk) {
  return random::uniform({n, n}, {.chunks = {chunk, chunk}, .seed = seed});
}

TEST(FoldBlocksTest, APassOverATransposeHasTheSameBitsWhereverItsNumbersComeFrom) {
  const Client client({.threads = 2});
  const Array made = given(7, 900, 350);
  const Array kept = client.persist(made);
  const auto total = [&](const Array& x) {
    return client.compute(sum(x + transpose(x) - mean(x, {.axis = 0, .keepdims = true}))).item<double>();
  };
  EXPECT_EQ(total(made), total(kept));
  const Client alone({.scheduler = "sync"});
  const Array y = made * transpose(made);
  EXPECT_EQ(client.compute(sum(y)).item<double>(), alone.compute(sum(y)).item<double>());
  // What is kept of a square: the sums of columns, and of rows, which are the same numbers.
  const NDArray columns = client.compute(sum(y, {.axis = 0})), rows = client.compute(sum(y, {.axis = 1}));
  const NDArray all = client.compute(y);
  for (std::int64_t i = 0; i < 900; ++i) {
    double expected = 0;
    for (std::int64_t j = 0; j < 900; ++j) expected += all.at<double>(j, i);
    ASSERT_NEAR(columns.at<double>(i), expected, 1e-10 * expected);
    ASSERT_NEAR(rows.at<double>(i), expected, 1e-10 * expected);
  }
}

TEST(FoldBlocksTest, ReductionsTogetherHaveTheBitsOfEachAlone) {
  const Client client({.threads = 2});
  const auto field = [&](std::uint64_t seed) {
    return client.persist(random::uniform({30, 200, 900}, {.chunks = {4, 200, 900}, .seed = seed}));
  };
  const Array u = field(1), v = field(2);
  const Array uu = mean(u * u, {.axis = 0}), uv = sum(u * v, {.axis = 0}), spread = stddev(v, {.axis = 0});
  const auto [first, second, third] = client.compute(uu, uv, spread);
  const auto same = [](const NDArray& a, const NDArray& b) {
    return std::memcmp(a.span<double>().data(), b.span<double>().data(), a.span<double>().size_bytes()) == 0;
  };
  EXPECT_TRUE(same(first, client.compute(uu)));
  EXPECT_TRUE(same(second, client.compute(uv)));
  EXPECT_TRUE(same(third, client.compute(spread)));
  // Eight leaves, and for each of the three what is above them.
  EXPECT_EQ(plan(std::vector<Array>{uu, uv, spread}).tasks, 8u + 3u);
}

TEST(FoldBlocksTest, AMatrixWithItsTransposeIsNotReducedWithOthersOfOtherLeaves) {
  const Client client({.threads = 2});
  const Array x = client.persist(random::uniform({1202, 1202}, {.chunks = {{2, 600, 600}, {2, 600, 600}}, .seed = 3}));
  const Array both = sum(x + transpose(x), {.axis = 0}), highest = max(x, {.axis = 0});
  const auto same = [](const NDArray& a, const NDArray& b) {
    return std::memcmp(a.span<double>().data(), b.span<double>().data(), a.span<double>().size_bytes()) == 0;
  };
  const NDArray sums = client.compute(both), most = client.compute(highest);
  const auto [first, second] = client.compute(both, highest);
  const auto [third, fourth] = client.compute(highest, both);
  EXPECT_TRUE(same(first, sums));
  EXPECT_TRUE(same(fourth, sums));
  EXPECT_TRUE(same(second, most));
  EXPECT_TRUE(same(third, most));
}

TEST(FoldBlocksTest, WhatSpansChunksIsGatheredBitByBit) {
  const Client client({.threads = 2});
  const Array x = client.persist(given(7, 700, 300));
  const NDArray all = client.compute(x);
  const Array difference = x(slice(1, none), slice(1, none)) - x(slice(none, -1), slice(none, -1));
  const NDArray found = client.compute(difference);
  for (std::int64_t i = 0; i < 699; ++i) {
    for (std::int64_t j = 0; j < 699; ++j) {
      ASSERT_EQ(found.at<double>(i, j), all.at<double>(i + 1, j + 1) - all.at<double>(i, j)) << i << ", " << j;
    }
  }
  const NDArray columns = client.compute(max(difference, {.axis = 0}));
  const NDArray rows = client.compute(max(difference, {.axis = 1}));
  for (std::int64_t i = 0; i < 699; ++i) {
    double in_column = -2, in_row = -2;
    for (std::int64_t j = 0; j < 699; ++j) {
      in_column = std::max(in_column, found.at<double>(j, i));
      in_row = std::max(in_row, found.at<double>(i, j));
    }
    ASSERT_EQ(columns.at<double>(i), in_column);
    ASSERT_EQ(rows.at<double>(i), in_row);
  }
}

TEST(FoldBlocksTest, ARechunkThatPutsChunksTogetherIsReadWhereItsPartsLie) {
  const Client client({.threads = 2});
  const Array x = client.persist(given(7, 600, 300));
  const auto wrapped = [&] { return rechunk(concatenate({x, x(slice(0, 1))}, 0), {601, 300}); };
  const ArrayPlan known = plan(max(wrapped() * 2.0, {.axis = 1}));
  for (const ArrayStep& step : known.steps) {
    if (step.name == "rechunk") {
      EXPECT_EQ(step.tasks, 0u) << known;
    }
  }
  const NDArray all = client.compute(x), found = client.compute(max(wrapped() * 2.0, {.axis = 1}));
  for (std::int64_t i = 0; i < 601; ++i) {
    double expected = 0;
    for (std::int64_t j = 0; j < 600; ++j) expected = std::max(expected, 2 * all.at<double>(i % 600, j));
    ASSERT_EQ(found.at<double>(i), expected);
  }
}

TEST(FoldBlocksTest, WhatIsAChunkAlreadyNeedsNoTask) {
  const Client client({.threads = 2});
  const Array x = client.persist(random::uniform({8, 10, 10}, {.chunks = {1, 10, 10}, .seed = 7}));
  const Array stacked = stack({x(slice(0, 4)), x(slice(4, 8))});
  EXPECT_EQ(plan(stacked).tasks, 0u) << plan(stacked);
  EXPECT_EQ(plan(concatenate({x(slice(4, 8)), x(slice(0, 4))}, 0)).tasks, 0u);
  EXPECT_EQ(plan(reshape(x, {8, 5, 20})).tasks, 0u);
  const NDArray all = client.compute(x), both = client.compute(stacked);
  ASSERT_EQ(both.shape(), (Shape{2, 4, 10, 10}));
  EXPECT_EQ(std::memcmp(all.span<double>().data(), both.span<double>().data(), all.span<double>().size_bytes()), 0);
  // A slice that cuts chunks is copied.
  EXPECT_GT(plan(stack(std::vector<Array>{x(slice(), slice(1, 10))})).tasks, 0u);
}

/// Reductions of an expression, whose bits are to be the same whatever else is asked for.
std::vector<Array> folds_of(const Array& y) {
  std::vector<Array> folds{sum(y), prod(1.0 + y * 1e-3), nansum(y, {.axis = -1}), stddev(y), y.std(0), y.std(-1)};
  if (y.ndim() > 2) folds.push_back(sum(y, {.axis = {1, 2}}));
  if (y.ndim() > 2) folds.push_back(var(y, {.axis = {0, 1}}));
  return folds;
}

TEST(FoldBlocksTest, BitsHangOnTheExpressionAndNotOnWhatElseIsAskedFor) {
  const Client client({.scheduler = "sync"});
  const Client by_items({.scheduler = "sync", .array_kernels = arrays::kernels::has_host_space() ? "kokkos" : "tiles"});
  const auto drawn = [](const Shape& shape, const Chunks& chunks) {
    return random::uniform(shape, {.chunks = chunks, .seed = 5});
  };
  const Array x = client.persist(drawn({1100, 1300}, {100, 1300}));
  const Array square = client.persist(drawn({700, 700}, {350, 350}));
  const Array cube = client.persist(drawn({40, 60, 70}, {20, 30, 70}));
  const Array column = client.persist(drawn({900, 1}, {900, 1})), row = client.persist(drawn({1, 301}, {1, 301}));
  struct Case {
    const char* what;
    Array of;
  };
  const Case cases[] = {
      {"chunks put together", rechunk(x, {1100, 1300})},
      {"chunks put together, an odd number of columns", rechunk(x(slice(), slice(0, 1299)), {1100, 1299})},
      {"the transpose of chunks put together", transpose(rechunk(x, {1100, 1300})) * 2.0},
      {"a column beside a row", column + row},
      {"long rows of a transpose",
       rechunk(x, {1100, 1300}) + transpose(rechunk(drawn({1300, 1100}, {1300, 1100}), {1300, 1100}))},
      {"a matrix and its transpose", square + transpose(square)},
      {"a matrix and its transpose, drawn", drawn({700, 700}, {350, 350}) * transpose(drawn({700, 700}, {350, 350}))},
      {"what is dear", exp(square) + transpose(exp(square))},
      {"axes turned round", transpose(cube) * 2.0},
      {"an axis that is repeated", cube + cube(slice(), slice(0, 1), slice())},
      {"steps", cube(slice(none, none, -1), slice(none, none, 2), slice(3, none))},
      {"single precision", (column + row).astype(float32) * Scalar(1.1f)},
      {"complex numbers", (column + row) * Scalar(std::complex<double>(1, 2))},
  };
  const auto same = [](const NDArray& a, const NDArray& b) {
    const NDArray left = a.as_contiguous(), right = b.as_contiguous();
    return left.nbytes() == right.nbytes() &&
           std::memcmp(left.data(), right.data(), static_cast<std::size_t>(left.nbytes())) == 0;
  };
  for (const Case& one : cases) {
    const std::vector<Array> folds = folds_of(one.of);
    // With these, what is folded has chunks of its own.
    const std::vector<Array> company{one.of, sort(one.of.real(), 0), roll(one.of, 3, 0)};
    for (std::size_t i = 0; i < folds.size(); ++i) {
      SCOPED_TRACE(std::string(one.what) + ", fold " + std::to_string(i));
      const NDArray alone = client.compute(folds[i]);
      EXPECT_TRUE(same(alone, by_items.compute(folds[i]))) << "by work items";
      for (const Array& other : company) {
        EXPECT_TRUE(same(alone, arrays::compute_arrays(client, {other, folds[i]})[1])) << other.text();
      }
      EXPECT_TRUE(same(alone, arrays::compute_arrays(client, folds)[i])) << "all at once";
    }
  }
}

}  // namespace
}  // namespace weft
