#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

const ArrayStep& step_named(const ArrayPlan& plan, const std::string& name) {
  for (const ArrayStep& step : plan.steps) {
    if (step.name == name) return step;
  }
  throw Error("no step " + name + " in\n" + plan.to_text());
}

Array grid_of(std::int64_t n, std::int64_t chunk) {
  return random::normal(0, 1, {n, n}, {.chunks = {chunk, chunk}, .seed = 7});
}

TEST(ArrayPlanTest, ChainsAndTheirReductionAreOnePassPerChunk) {
  const Array x = ones({400, 400}, {.chunks = {200, 200}});
  const ArrayPlan known = plan((exp(x * 2.0 + 1.0) - 3.0).sum());
  ASSERT_EQ(known.steps.size(), 1u) << known;
  EXPECT_EQ(known.steps[0].name, "sum");
  EXPECT_THAT(known.steps[0].fused, testing::IsSupersetOf({"multiply", "add", "exp", "subtract"}));
  EXPECT_EQ(known.certainty, Certainty::Exact);
}

TEST(ArrayPlanTest, SlicesTouchOnlyTheChunksTheyNeed) {
  const Array x = grid_of(1000, 100);
  const Array y = x + transpose(x) - mean(x, {.axis = 0, .keepdims = true});
  const ArrayPlan corner = plan(y(slice(0, 3), slice(0, 3)));
  // One chunk; for its mean, the ten chunks of a column, and the tree above them.
  EXPECT_EQ(corner.tasks, 1u + 10u + 13u) << corner;
  EXPECT_EQ(plan(y).steps.size(), corner.steps.size());
  // Through whatever moves elements.
  EXPECT_EQ(plan(roll(x, 5, 0)(0)).tasks, 10u);
  EXPECT_LE(plan(rechunk(x, {50, 50})(slice(0, 10), slice(0, 10))).tasks, 3u);
  EXPECT_LE(plan(concatenate({x, x + 1}, 0)(slice(0, 10), slice(0, 10))).tasks, 3u);
}

TEST(ArrayPlanTest, EqualPartsRunOnceAlsoAcrossArrays) {
  const auto part = [] { return exp(grid_of(200, 100)).sum(); };
  EXPECT_EQ(plan(std::vector<Array>{part(), part()}).tasks, plan(part()).tasks);
  const ArrayPlan both = plan(part() + part() * 2.0);
  EXPECT_EQ(both.tasks, plan(part()).tasks + 1) << both;
}

TEST(ArrayPlanTest, WhatIsDearAndReadTwiceIsComputedOnce) {
  const Array x = grid_of(400, 100);
  const ArrayPlan known = plan((x + transpose(x)).sum());
  EXPECT_EQ(step_named(known, "random::normal").tasks, 16u) << known;
}

TEST(ArrayPlanTest, WhatIsCheaperToMakeThanToReadIsMadeInEachPass) {
  const Array x = random::uniform({400, 400}, {.chunks = {100, 100}, .seed = 7});
  const ArrayPlan known = plan((x + transpose(x) - mean(x, {.axis = 0, .keepdims = true})).sum());
  for (const ArrayStep& step : known.steps) EXPECT_NE(step.name, "random::uniform") << known;
}

TEST(ArrayPlanTest, ATransposedPairReadsEachChunkTwiceAtMost) {
  const Client client({.scheduler = "sync"});
  const Array x = client.persist(grid_of(400, 100));
  const ArrayPlan known = plan(x + transpose(x));
  // 16 tasks: 4 on the diagonal read one chunk, 12 read two.
  EXPECT_EQ(known.edges, 4u + 2u * 12u) << known;
}

TEST(ArrayPlanTest, BytesAreThoseOfTheElements) {
  const ArrayPlan known = plan(ones({1000}, {.dtype = float32, .chunks = 100}) * Scalar(2, float32));
  EXPECT_EQ(known.output_bytes, 4000u);
  EXPECT_EQ(known.peak_bytes, 4000u);
  // A sum of many chunks holds states only.
  const ArrayPlan sum = plan(zeros({1'000'000'000}, {.chunks = 1'000'000}).sum(), {.slots = 2});
  EXPECT_LT(sum.peak_bytes, 100'000u) << sum;
  // Depth first: some states of each level of the tree, not all of the lowest.
  const ArrayPlan means =
      plan(random::normal(0, 1, {20, 12, 1'250'000}, {.chunks = {1, 1, 12'500}, .seed = 7}).mean({.axis = {0, 2}}),
           {.slots = 2});
  EXPECT_GT(means.tasks, 1'000u);
  // What two passes read goes when both have run.
  const Array x = random::normal(0, 1, {20, 12, 1'250'000}, {.chunks = {1, 1, 12'500}, .seed = 7});
  const std::vector<Array> wanted{x.mean({.axis = {0, 2}}), x.std({.axis = {0, 2}})};
  const ArrayPlan both = arrays::plan(wanted, {.slots = 2});
  EXPECT_GT(both.output_bytes, 2'000'000'000u);
  EXPECT_LT(both.peak_bytes, 40 * 12'500 * 8u) << both;
  EXPECT_LT(means.peak_bytes, 3'000u) << means;
}

TEST(ArrayPlanTest, APetabyteIsPlannedFromSomeOfItsChunks) {
  const Array x = random::uniform({125'000'000, 1'000'000}, {.chunks = {1'250, 100'000}, .seed = 1});
  EXPECT_EQ(x.npartitions(), 1'000'000);
  const ArrayPlan known = plan(x * 2.0);
  EXPECT_EQ(known.certainty, Certainty::Estimated);
  EXPECT_NEAR(static_cast<double>(known.tasks), 1e6, 2e4);
  EXPECT_NEAR(static_cast<double>(known.output_bytes), 1e15, 2e13);
}

TEST(ArrayPlanTest, TextTellsThePassesAndWhatIsFused) {
  const Array x = ones({400, 400}, {.chunks = {200, 200}});
  const std::string text = explain((x * 2.0).sum({.axis = 0}), {.slots = 2, .memory_bytes = 1});
  EXPECT_THAT(text, testing::HasSubstr("sum (explain_test.cpp:"));
  EXPECT_THAT(text, testing::HasSubstr("fused:"));
  EXPECT_THAT(text, testing::HasSubstr("multiply"));
  EXPECT_THAT(text, testing::HasSubstr("more-than-memory: 1 B is less"));
}

TEST(ArrayPlanTest, MarginsAreTwoTasksAChunkAndOnlyBordersAreAdded) {
  const Client client({.scheduler = "sync"});
  const Array x = client.persist(grid_of(400, 100));
  const Array smooth =
      map_overlap(x,
                  [](ChunkView<const double, 2> wide, ChunkView<double, 2> out, const BlockInfo& info) {
                    const auto in = wide.inner(info);
                    for (std::int64_t i = 0; i < out.extent(0); ++i) {
                      for (std::int64_t j = 0; j < out.extent(1); ++j) out(i, j) = in(i - 1, j) + in(i, j + 1);
                    }
                  },
                  {.depth = 1, .boundary = Boundary::Periodic});
  const ArrayPlan known = plan(smooth);
  EXPECT_EQ(known.tasks, 2u * 16u) << known;
  EXPECT_EQ(step_named(known, "borders").bytes, 16u * 4 * 100 * 8);
}

TEST(ArrayPlanTest, NoMoreIsHeldThanWasForetold) {
  const std::int64_t rows = 12, chunks = 150, chunk = 1 << 14;
  const Array x = random::normal(1, 2, {rows, chunks * chunk}, {.chunks = {1, chunk}, .seed = 7});
  const Array means = mean(x, {.axis = 1}), deviations = stddev(x, {.axis = 1});
  const std::uint64_t foretold = arrays::plan(std::vector<Array>{means, deviations}, {.slots = 2}).peak_bytes;
  EXPECT_LE(foretold, 4u * chunk * sizeof(double));
  const Client client({.threads = 2});
  client.compute(means, deviations);
  // What is made while the rest is described would stay until that ends: hundreds of chunks.
  EXPECT_LE(client.memory().peak_bytes, foretold + 8 * chunk * sizeof(double));
}

}  // namespace
}  // namespace weft
