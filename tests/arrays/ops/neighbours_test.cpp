#include <weft/arrays.hpp>
#include <weft/error.hpp>
#include <weft/ops/neighbours.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace weft {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class NeighboursTest : public testing::Test {
 protected:
  Client client_{{.scheduler = "threads", .threads = 3}};
};

/// By looking at all points: squared distances and places, the nearest first.
std::vector<std::pair<double, std::int64_t>> all_of(const std::vector<double>& points, std::int64_t dimensions,
                                                    const double* query) {
  std::vector<std::pair<double, std::int64_t>> out;
  for (std::int64_t i = 0; i < std::ssize(points) / dimensions; ++i) {
    double distance = 0;
    for (std::int64_t axis = 0; axis < dimensions; ++axis) {
      const double apart = points[static_cast<std::size_t>(i * dimensions + axis)] - query[axis];
      distance += apart * apart;
    }
    if (!std::isnan(distance)) out.emplace_back(distance, i);
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST_F(NeighboursTest, TheTreeFindsWhatLookingAtAllPointsFinds) {
  for (const std::int64_t dimensions : {1, 2, 3, 5}) {
    // Few different coordinates, so that many points are equally near, some missing.
    const Array drawn = floor(random::uniform({400, dimensions}, {.chunks = 64, .seed = 5}) * 9) / 4;
    const Array points = where(drawn == 2.0, std::nan(""), drawn);
    const Array queries = random::uniform({7, 11, dimensions}, {.chunks = {3, 4, 1}, .seed = 6}) * 3 - 0.4;
    const auto [distances, places] = arrays::kdtree_query(points, queries, {.k = 4, .max_distance = 0.8});
    ASSERT_EQ(places.shape(), (Shape{7, 11, 4}));
    const auto [some, all, far, near] = client_.compute(points, queries, distances, places);
    const std::vector<double> from = some.to_vector<double>(), asked = all.to_vector<double>();
    const std::vector<double> lengths = far.to_vector<double>();
    const std::vector<std::int64_t> found = near.to_vector<std::int64_t>();
    for (std::size_t i = 0; i < 77; ++i) {
      const auto wanted = all_of(from, dimensions, asked.data() + i * static_cast<std::size_t>(dimensions));
      for (std::size_t k = 0; k < 4; ++k) {
        const bool there = k < wanted.size() && wanted[k].first <= 0.8 * 0.8;
        ASSERT_EQ(found[i * 4 + k], there ? wanted[k].second : 400) << dimensions << " " << i;
        ASSERT_EQ(lengths[i * 4 + k], there ? std::sqrt(wanted[k].first) : kInfinity);
      }
    }
  }
}

TEST_F(NeighboursTest, OneNeighbourHasNoAxisOfItsOwn) {
  const auto [distances, places] = arrays::kdtree_query(from(std::vector<double>{0, 1, 4}).reshape({3, 1}),
                                                        from(std::vector<double>{3, 0.4}).reshape({2, 1}));
  EXPECT_EQ(client_.compute(places).to_vector<std::int64_t>(), (std::vector<std::int64_t>{2, 0}));
  EXPECT_EQ(client_.compute(distances).to_vector<double>(), (std::vector<double>{1, 0.4}));
}

TEST_F(NeighboursTest, PlacesOfATableReplaceTheLastAxes) {
  const Array x = arange(2 * 30 * 40).reshape({2, 30, 40}).rechunk({1, 7, 9});
  std::vector<std::int64_t> table;
  for (int i = 0; i < 50 * 6; ++i) table.push_back(i * 769 % 1201 - 1);
  for (const int chunk : {1, 13, 300}) {
    const Array got = arrays::gather_lut(x, NDArray::of(table, {50, 6}), {.axes = 2, .fill = -7, .chunks = {chunk, 4}});
    ASSERT_EQ(got.shape(), (Shape{2, 50, 6}));
    const std::vector<std::int64_t> values = client_.compute(got).to_vector<std::int64_t>();
    for (std::int64_t i = 0; i < 600; ++i) {
      const std::int64_t place = table[static_cast<std::size_t>(i % 300)];
      ASSERT_EQ(values[static_cast<std::size_t>(i)], place < 0 || place >= 1200 ? -7 : i / 300 * 1200 + place) << i;
    }
  }
  const Array missing = arrays::gather_lut(x.astype(int32), NDArray::of(std::vector<std::int64_t>{-1, 39}));
  EXPECT_EQ(missing.dtype(), float64);
  EXPECT_TRUE(std::isnan(client_.compute(missing(0, 0, 0)).item<double>()));
  EXPECT_EQ(arrays::gather_lut(x.astype(int32), NDArray::of(std::vector<std::int64_t>{2, 39})).dtype(), int32);
}

TEST_F(NeighboursTest, EachChunkReadsWhatItHasPlacesInOnly) {
  // One chunk of the array throws where it is read; the others' places do not touch it.
  const Array x = map_blocks(arange(64).astype(float64).rechunk(8),
                             [](ChunkView<const double, 1> in, ChunkView<double, 1> out, const BlockInfo& info) {
                               if (info.location[0] == 5) throw Error("read");
                               for (std::int64_t i = 0; i < in.extent(0); ++i) out(i) = in(i);
                             });
  const Array got = arrays::gather_lut(x, NDArray::of(std::vector<std::int64_t>{3, 60, 7, 44}), {.chunks = 2});
  EXPECT_EQ(client_.compute(got(slice(0, 2))).to_vector<double>(), (std::vector<double>{3, 60}));
  EXPECT_THROW(client_.compute(got(slice(2, 4))), std::exception);
}

TEST_F(NeighboursTest, WhatCannotBeIsToldWithTheLine) {
  const Array points = random::uniform({10, 3}, {.seed = 1});
  const auto told = [](const auto& build, const char* what) {
    EXPECT_THAT(build, ThrowsMessage<Error>(testing::AllOf(HasSubstr("neighbours_test.cpp:"), HasSubstr(what))));
  };
  told(
      [&] {
        arrays::kdtree_query(points, random::uniform({4, 2}, {.seed = 1}));
      },
      "the shapes are (10, 3) and (4, 2)");
  told([&] { arrays::kdtree_query(points, points, {.k = 0}); }, "ask for one neighbour or more");
  told([&] { arrays::gather_lut(points, NDArray::of(std::vector<double>{1})); }, "give int64");
  told([&] { arrays::gather_lut(points, NDArray::of(std::vector<std::int64_t>{1}), {.axes = 3}); }, "the last 3 axes");
}

}  // namespace
}  // namespace weft
