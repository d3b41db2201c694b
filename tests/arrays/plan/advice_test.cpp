// Advice about plans: each id where it is due, and not elsewhere.
#include <weft/array_advice.hpp>
#include <weft/arrays.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace weft {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> ids(const Array& array, const AdviceOptions& options = {.slots = 4}) {
  std::vector<std::string> out;
  for (const ArrayAdvice& one : arrays::advise(array, options)) out.push_back(one.id);
  return out;
}
/// 800 MB in chunks of these sizes; never made.
Array field(std::int64_t rows, std::int64_t columns) {
  return random::normal(0, 1, {10'000, 10'000}, {.chunks = {rows, columns}, .seed = 1});
}

TEST(AdviceTest, AGoodPlanHasNone) {
  const Array x = field(1'000, 1'000);
  EXPECT_THAT(ids(x.mean({.axis = 0}), {.slots = 4, .memory_bytes = 1'000'000'000}), testing::IsEmpty());
  EXPECT_THAT(ids(sum(x - x.mean({.axis = 0}))), testing::IsEmpty());
  EXPECT_THAT(ids(sum(x + transpose(x))), testing::IsEmpty());
}

TEST(AdviceTest, AnExpressionThatIsSharedOftenIsLookedAtOnce) {
  Array x = cumsum(random::normal(0, 1, {100, 100}, {.chunks = 50, .seed = 1}), {.axis = 0});
  for (int i = 0; i < 60; ++i) x = x + x;
  EXPECT_THAT(ids(x), testing::IsEmpty());
}

TEST(AdviceTest, ManySmallChunksAreTold) {
  const Array tiny = field(50, 50);
  EXPECT_THAT(ids(tiny * 2.0), Contains("small-chunks"));
  const std::vector<ArrayAdvice> said = arrays::advise(tiny * 2.0);
  EXPECT_THAT(said.front().to_text(), HasSubstr("small-chunks (advice_test.cpp:"));
  EXPECT_THAT(said.front().to_text(), HasSubstr("40000 tasks of 20 kB"));
}

TEST(AdviceTest, ChunksThatFillTheMemoryAreTold) {
  const Array x = field(2'500, 10'000) * 2.0;
  EXPECT_THAT(ids(x, {.slots = 4, .memory_bytes = 1'000'000'000}), Contains("large-chunks"));
  EXPECT_THAT(ids(x, {.slots = 4, .memory_bytes = 10'000'000'000}), Not(Contains("large-chunks")));
  EXPECT_THAT(ids(x, {.slots = 4, .memory_bytes = 500'000'000}), Contains("more-than-memory"));
}

TEST(AdviceTest, FewerTasksThanSlotsAreTold) {
  EXPECT_THAT(ids(field(5'000, 10'000) * 2.0), Contains("few-chunks"));
  EXPECT_THAT(ids(field(2'500, 10'000) * 2.0), Not(Contains("few-chunks")));
  // One that is small is nobody's trouble.
  EXPECT_THAT(ids(field(1'000, 1'000).sum()), Not(Contains("few-chunks")));
}

TEST(AdviceTest, ChunksThatDoNotMeetAreTold) {
  const Array rows = cumsum(field(100, 10'000), {.axis = 1});
  const Array columns =
      cumsum(random::normal(0, 1, {10'000, 10'000}, {.chunks = {10'000, 100}, .seed = 2}), {.axis = 0});
  EXPECT_THAT(ids(sum(rows + columns)), Contains("mismatched-chunks"));
  EXPECT_THAT(ids(sum(rows + columns.rechunk({100, 10'000}))), Not(Contains("mismatched-chunks")));
  // Random numbers have any chunks.
  EXPECT_THAT(ids(sum(rows + field(10'000, 100))), Not(Contains("mismatched-chunks")));
  // A row that goes with all rows meets them.
  EXPECT_THAT(ids(sum(rows - rows.mean({.axis = 0}))), Not(Contains("mismatched-chunks")));
}

TEST(AdviceTest, ATaskThatTakesTheWholeArrayIsTold) {
  EXPECT_THAT(ids(field(1'000, 10'000).rechunk({10'000, 10'000})), Contains("whole-array"));
  EXPECT_THAT(ids(field(1'000, 10'000).rechunk({10'000, 500})), Not(Contains("whole-array")));
}

TEST(AdviceTest, EachToEachIsTold) {
  EXPECT_THAT(ids(field(100, 10'000).rechunk({10'000, 100})), Contains("all-to-all"));
  EXPECT_THAT(ids(field(1'000, 1'000).rechunk({2'000, 500})), Not(Contains("all-to-all")));
}

TEST(AdviceTest, AResultThatComesIntoOneProcessIsTold) {
  EXPECT_THAT(ids(field(1'000, 1'000), {.slots = 4, .memory_bytes = 1'000'000'000}), Contains("large-result"));
  EXPECT_THAT(ids(field(1'000, 1'000).mean(), {.slots = 4, .memory_bytes = 1'000'000'000}),
              Not(Contains("large-result")));
}

TEST(AdviceTest, IdsAreSilencedExplainedAndInTheDocuments) {
  const Array tiny = field(50, 50) * 2.0;
  EXPECT_THAT(ids(tiny, {.slots = 4, .silenced = {"small-chunks"}}), Not(Contains("small-chunks")));
  try {
    ids(tiny, {.silenced = {"smal-chunks"}});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no advice 'smal-chunks'"));
    EXPECT_THAT(error.what(), HasSubstr("all-to-all"));
  }
  EXPECT_THAT(explain(tiny), HasSubstr("advice: small-chunks (advice_test.cpp:"));
  std::stringstream page;
  page << std::ifstream(WEFT_SOURCE_DIR "/docs/arrays.md").rdbuf();
  for (const char* id : {"small-chunks", "large-chunks", "few-chunks", "mismatched-chunks", "whole-array", "all-to-all",
                         "large-result", "more-than-memory"}) {
    EXPECT_THAT(page.str(), HasSubstr("| `" + std::string(id) + "` |"));
  }
}

}  // namespace
}  // namespace weft
