// Arrays whose extents only running can tell.
#include <weft/weft.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/arrays/error_of.hpp"
namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// 0 .. n-1 times 7 modulo 11, in chunks.
std::vector<std::int64_t> mixed(std::int64_t n) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < n; ++i) values.push_back(i * 7 % 11);
  return values;
}
Array matrix(const Chunks& chunks) { return from_ndarray(NDArray::of(mixed(30), {5, 6}), chunks); }

class MasksTest : public testing::TestWithParam<int> {
 protected:
  const Client client_{{.scheduler = GetParam() == 2 ? "sync" : "threads"}};
  const Chunks chunks_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Chunks, MasksTest, testing::Values(1, 2, 3, 100));

TEST_P(MasksTest, AMaskOfTheWholeArrayChoosesInCOrder) {
  const Array x = matrix(chunks_);
  const Array chosen = x(x > 6);
  EXPECT_EQ(chosen.shape(), Shape(-1));
  std::vector<std::int64_t> expected;
  for (const std::int64_t value : mixed(30)) {
    if (value > 6) expected.push_back(value);
  }
  EXPECT_EQ(client_.compute(chosen).to_vector<std::int64_t>(), expected);
  EXPECT_EQ(client_.compute(extract(x > 6, x)).to_vector<std::int64_t>(), expected);
}

TEST_P(MasksTest, AMaskOfOneAxisChoosesRowsOrColumns) {
  const Array x = matrix(chunks_);
  const Array rows = x(x(slice(), 0) > 4);
  const NDArray chosen = client_.compute(rows);
  EXPECT_EQ(chosen.shape(), Shape(3, 6));
  EXPECT_EQ(chosen.at<std::int64_t>(0, 0), 9);
  EXPECT_EQ(chosen.at<std::int64_t>(2, 5), 7);
  const NDArray columns = client_.compute(x(slice(), x(0) > 5));
  EXPECT_EQ(columns.shape(), Shape(5, 3));
  EXPECT_THAT(columns.to_vector<std::int64_t>(), ElementsAre(7, 10, 6, 5, 8, 4, 3, 6, 2, 1, 4, 0, 10, 2, 9));
  EXPECT_EQ(client_.compute(compress(x(slice(2), 0) > 2, x, 0)).shape(), Shape(1, 6));
}

TEST_P(MasksTest, WhatOneMaskChoseGoesTogether) {
  const Array x = matrix(chunks_);
  const Array mask = x > 4;
  const Array both = x(mask) * 2 + (x + 1)(mask);
  std::vector<std::int64_t> expected;
  for (const std::int64_t value : mixed(30)) {
    if (value > 4) expected.push_back(3 * value + 1);
  }
  EXPECT_EQ(client_.compute(both).to_vector<std::int64_t>(), expected);
  const Array again = both(both > 20);
  expected.erase(std::remove_if(expected.begin(), expected.end(), [](std::int64_t v) { return v <= 20; }),
                 expected.end());
  EXPECT_EQ(client_.compute(again).to_vector<std::int64_t>(), expected);
  EXPECT_EQ(client_.compute(concatenate({again, arange(2), again})).size(),
            2 + 2 * static_cast<std::int64_t>(expected.size()));
}

TEST_P(MasksTest, ReductionsCountWhatWasChosen) {
  const Array x = matrix(chunks_);
  const Array chosen = x(x > 6);
  double sum = 0, squares = 0, count = 0;
  for (const std::int64_t value : mixed(30)) {
    if (value <= 6) continue;
    sum += static_cast<double>(value);
    squares += static_cast<double>(value * value);
    ++count;
  }
  EXPECT_EQ(client_.compute(arrays::sum(chosen)).item<std::int64_t>(), static_cast<std::int64_t>(sum));
  EXPECT_NEAR(client_.compute(mean(chosen)).item<double>(), sum / count, 1e-13);
  EXPECT_NEAR(client_.compute(var(chosen)).item<double>(), squares / count - sum * sum / count / count, 1e-12);
  EXPECT_EQ(client_.compute(max(chosen)).item<std::int64_t>(), 10);
  // Along the axis that is known, for rows that a mask chose.
  const Array rows = x(x(slice(), 0) > 4);
  EXPECT_THAT(client_.compute(arrays::sum(rows, {.axis = 1})).to_vector<std::int64_t>(), ElementsAre(27, 37, 25));
  EXPECT_THAT(client_.compute(min(rows, {.axis = 0})).to_vector<std::int64_t>(), ElementsAre(5, 1, 1, 4, 0, 0));
  EXPECT_NEAR(client_.compute(mean(rows, {.axis = 1})).at<double>(0), 27.0 / 6, 1e-13);
}

TEST_P(MasksTest, NothingChosenIsEmpty) {
  const Array x = matrix(chunks_);
  const Array none_of_it = x(x > 100);
  EXPECT_EQ(client_.compute(none_of_it).shape(), Shape(0));
  EXPECT_EQ(client_.compute(arrays::sum(none_of_it)).item<std::int64_t>(), 0);
  EXPECT_TRUE(std::isnan(client_.compute(mean(none_of_it)).item<double>()));
  EXPECT_THAT(error_of([&] { client_.compute(max(none_of_it)); }), HasSubstr("nothing to choose from"));
}

TEST_P(MasksTest, NonzeroGivesPlaces) {
  const Array x = matrix(chunks_);
  const std::vector<Array> places = nonzero(x > 8);
  EXPECT_THAT(client_.compute(places[0]).to_vector<std::int64_t>(), ElementsAre(0, 1, 2, 2, 4, 4));
  EXPECT_THAT(client_.compute(places[1]).to_vector<std::int64_t>(), ElementsAre(3, 0, 2, 5, 1, 4));
  const NDArray pairs = client_.compute(argwhere(x > 8));
  EXPECT_EQ(pairs.shape(), Shape(6, 2));
  EXPECT_EQ(pairs.at<std::int64_t>(3, 1), 5);
  EXPECT_THAT(client_.compute(flatnonzero(x > 8)).to_vector<std::int64_t>(), ElementsAre(3, 6, 14, 17, 25, 28));
}

TEST_P(MasksTest, ComputedSizesMakeAnArrayLikeAnyOther) {
  const Array x = matrix(chunks_);
  const Array chosen = compute_chunk_sizes(client_, x(x > 6));
  EXPECT_EQ(chosen.shape(), Shape(11));
  EXPECT_EQ(client_.compute(chosen(-1)).item<std::int64_t>(), 9);
  EXPECT_EQ(client_.compute(flip(chosen)(0)).item<std::int64_t>(), 9);
  const Array kept = client_.persist(x(x > 6));
  EXPECT_EQ(kept.shape(), Shape(-1));
  EXPECT_EQ(client_.compute(kept + kept).size(), 11);
}

TEST(MasksErrorTest, WhatNeedsAKnownExtentSaysSo) {
  const Array x = matrix(2);
  const Array chosen = x(x > 6);
  for (const std::function<void()>& body :
       std::vector<std::function<void()>>{[&] { chosen(0); }, [&] { chosen(slice(2)); }, [&] { flip(chosen); },
                                          [&] { rechunk(chosen, 3); }, [&] { argmax(chosen); },
                                          [&] {
                                            reshape(chosen, {2, -1});
                                          },
                                          [&] { take(chosen, {0}); }}) {
    EXPECT_THAT(error_of(body), HasSubstr("compute_chunk_sizes"));
  }
  EXPECT_THAT(error_of([&] { chosen(0); }), HasSubstr("masks_test.cpp"));
  const int line = __LINE__ + 1;
  EXPECT_THAT(error_of([&] { chosen + x(x > 5); }), HasSubstr("masks_test.cpp:" + std::to_string(line)));
  EXPECT_THAT(error_of([&] { chosen + arange(3); }), HasSubstr("compute_chunk_sizes"));
}

TEST(MasksErrorTest, AMaskMustBeBoolAndFit) {
  const Array x = matrix(2);
  EXPECT_THAT(error_of([&] { x(x); }), HasSubstr("must be a mask of bools, not int64"));
  EXPECT_THAT(error_of([&] { x(x(0) > 1); }), HasSubstr("a mask of shape (6,) does not fit"));
  EXPECT_THAT(error_of([&] { x(x(slice(), 0) > 1, x(0) > 1); }), HasSubstr("one axis after the other"));
  EXPECT_THAT(error_of([&] { compress(arange(9) > 1, x, 0); }), HasSubstr("longer than axis 0"));
}

}  // namespace
}  // namespace weft
