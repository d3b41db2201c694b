// Order beside NumPy; sorted elements are equal, quantiles within 1e-14 of the largest.
#include "tests/arrays/error_of.hpp"
#include "tests/arrays/ops/oracle.hpp"

#include <limits>
#include <numeric>
#include <random>

namespace weft {
namespace {

using arrays::QuantileMethod;
using arrays::Side;
using oracle::complex_array;
using oracle::real_array;
using oracle::whole_array;

Array with_nan(const Chunks& c) {
  const Array x = real_array({5, 6}, 4, c);
  return where(x > 0.3, std::nan(""), x);
}

const oracle::Table& table() {
  using Many = std::vector<double>;
  static const oracle::Table all{
      {"sort", [](const Chunks& c) { return sort(real_array({11}, 1, c)); }},
      {"sort_rows",
       [](const Chunks& c) {
         return sort(real_array({5, 7}, 2, c));
       }},
      {"sort_columns",
       [](const Chunks& c) {
         return sort(real_array({5, 7}, 2, c), 0);
       }},
      {"sort_cube",
       [](const Chunks& c) {
         return sort(real_array({3, 4, 5}, 3, c), 1);
       }},
      {"sort_nan", [](const Chunks& c) { return sort(with_nan(c)); }},
      {"sort_integers", [](const Chunks& c) { return sort(whole_array({13}, 5, c)); }},
      {"sort_int8", [](const Chunks& c) { return sort(whole_array({13}, 5, c).astype(int8)); }},
      {"sort_uint64", [](const Chunks& c) { return sort(abs(whole_array({13}, 5, c)).astype(uint64)); }},
      {"sort_bool", [](const Chunks& c) { return sort(whole_array({13}, 5, c) > 2); }},
      {"sort_float32", [](const Chunks& c) { return sort(real_array({11}, 1, c).astype(float32)); }},
      {"sort_complex", [](const Chunks& c) { return sort(rint(complex_array({9}, 6, c) * 3)); }},
      {"sort_empty", [](const Chunks& c) { return sort(zeros({0}, {.chunks = c})); }},
      {"argsort", [](const Chunks& c) { return argsort(whole_array({13}, 5, c)); }},
      {"argsort_columns", [](const Chunks& c) { return argsort(with_nan(c), 0); }},
      {"partition", [](const Chunks& c) { return partition(real_array({11}, 1, c), 4)(slice(4, 5)); }},
      {"topk", [](const Chunks& c) { return topk(real_array({11}, 1, c), 3); }},
      {"topk_least",
       [](const Chunks& c) {
         return topk(real_array({5, 7}, 2, c), -2, 0);
       }},
      {"topk_many", [](const Chunks& c) { return topk(whole_array({4}, 5, c), 9); }},
      {"argtopk",
       [](const Chunks& c) {
         return argtopk(real_array({5, 7}, 2, c), 3);
       }},
      {"median",
       [](const Chunks& c) {
         return median(real_array({5, 6}, 4, c));
       }},
      {"median_0",
       [](const Chunks& c) {
         return median(real_array({5, 6}, 4, c), {.axis = 0});
       }},
      {"median_keepdims",
       [](const Chunks& c) {
         return median(real_array({3, 4, 5}, 3, c), {.axis = {0, 2}, .keepdims = true});
       }},
      {"median_integers", [](const Chunks& c) { return median(whole_array({12}, 5, c)); }},
      {"median_nan", [](const Chunks& c) { return median(with_nan(c), {.axis = 1}); }},
      {"nanmedian", [](const Chunks& c) { return nanmedian(with_nan(c), {.axis = 1}); }},
      {"percentile",
       [](const Chunks& c) {
         return percentile(real_array({5, 6}, 4, c), 30);
       }},
      {"percentile_float32",
       [](const Chunks& c) {
         return percentile(real_array({5, 6}, 4, c).astype(float32), 30, {.axis = 0});
       }},
      {"quantile_many",
       [](const Chunks& c) {
         return quantile(real_array({5, 6}, 4, c), Many{0, 0.1, 0.77, 1}, {.axis = 1});
       }},
      {"quantile_lower",
       [](const Chunks& c) { return quantile(whole_array({12}, 5, c), 0.4, {.method = QuantileMethod::Lower}); }},
      {"quantile_higher",
       [](const Chunks& c) { return quantile(whole_array({12}, 5, c), 0.4, {.method = QuantileMethod::Higher}); }},
      {"quantile_nearest",
       [](const Chunks& c) { return quantile(whole_array({12}, 5, c), 0.4, {.method = QuantileMethod::Nearest}); }},
      {"quantile_midpoint",
       [](const Chunks& c) { return quantile(whole_array({12}, 5, c), 0.4, {.method = QuantileMethod::Midpoint}); }},
      {"quantile_hazen",
       [](const Chunks& c) { return quantile(real_array({12}, 5, c), 0.4, {.method = QuantileMethod::Hazen}); }},
      {"quantile_weibull",
       [](const Chunks& c) { return quantile(real_array({12}, 5, c), 0.4, {.method = QuantileMethod::Weibull}); }},
      {"quantile_median_unbiased",
       [](const Chunks& c) {
         return quantile(real_array({12}, 5, c), 0.4, {.method = QuantileMethod::MedianUnbiased});
       }},
      {"quantile_normal_unbiased",
       [](const Chunks& c) {
         return quantile(real_array({12}, 5, c), 0.4, {.method = QuantileMethod::NormalUnbiased});
       }},
      {"nanquantile",
       [](const Chunks& c) {
         return nanquantile(with_nan(c), Many{0.2, 0.9}, {.axis = 0});
       }},
      {"nanpercentile", [](const Chunks& c) { return nanpercentile(with_nan(c), 65); }},
      {"searchsorted",
       [](const Chunks& c) {
         return arrays::searchsorted(sort(whole_array({9}, 7, c)), whole_array({3, 4}, 8, c));
       }},
      {"searchsorted_right",
       [](const Chunks& c) {
         return arrays::searchsorted(sort(whole_array({9}, 7, c)), whole_array({3, 4}, 8, c), Side::Right);
       }},
      {"digitize",
       [](const Chunks& c) {
         return digitize(whole_array({13}, 5, c), {-5, 0, 3, 8});
       }},
      {"digitize_right",
       [](const Chunks& c) {
         return digitize(whole_array({13}, 5, c), {-5, 0, 3, 8}, true);
       }},
      {"digitize_down",
       [](const Chunks& c) {
         return digitize(real_array({5, 6}, 4, c), {0.4, 0.1, -0.2});
       }},
      {"isin",
       [](const Chunks& c) {
         return isin(whole_array({4, 5}, 9, c), whole_array({6}, 10, c));
       }},
      {"isin_not",
       [](const Chunks& c) {
         return isin(whole_array({4, 5}, 9, c), whole_array({2, 3}, 10, c), true);
       }},
  };
  return all;
}

TEST(SortingTest, AnswersAreNumPys) { oracle::check_section("order", table(), 1e-14); }

TEST(SortingTest, ManyUnequalChunksAreSortedAsStdSortDoes) {
  std::mt19937_64 random(5);
  for (const std::size_t pieces : {2u, 5u, 9u, 16u, 23u}) {
    std::vector<std::int64_t> sizes;
    for (std::size_t i = 0; i < pieces; ++i) sizes.push_back(static_cast<std::int64_t>(random() % 900));
    const auto n = static_cast<std::size_t>(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}));
    std::vector<double> values(n);
    for (double& value : values) value = static_cast<double>(random() % 1000) - 500;
    std::vector<std::int64_t> places(n);
    std::iota(places.begin(), places.end(), 0);
    std::stable_sort(places.begin(), places.end(), [&](auto a, auto b) {
      return values[static_cast<std::size_t>(a)] < values[static_cast<std::size_t>(b)];
    });
    const Array x = from_ndarray(NDArray::of(values), {AxisChunks(sizes)});
    const Client client;
    EXPECT_EQ(client.compute(argsort(x)).to_vector<std::int64_t>(), places) << pieces;
    std::sort(values.begin(), values.end());
    EXPECT_EQ(client.compute(sort(x)).to_vector<double>(), values) << pieces;
  }
}

/// Vectors that make it hard to find where the pieces meet: ties, one piece with all the least, runs, few values.
std::vector<std::vector<double>> hard_vectors(std::size_t n) {
  std::mt19937_64 engine(n);
  std::vector<std::vector<double>> vectors;
  for (int kind = 0; kind < 7; ++kind) {
    std::vector<double>& values = vectors.emplace_back(n);
    for (std::size_t i = 0; i < n; ++i) {
      const double random = std::generate_canonical<double, 53>(engine);
      const auto at = static_cast<double>(i);
      switch (kind) {
        case 0:
          values[i] = 1;
          break;
        case 1:
          values[i] = at;
          break;
        case 2:
          values[i] = -at;
          break;
        case 3:
          values[i] = std::floor(random * 3);
          break;
        case 4:
          values[i] = i < n / 5 ? random * 1e-300 : random;
          break;
        case 5:
          values[i] = i % 17 == 0 ? std::nan("") : random - 0.5;
          break;
        default:
          values[i] = random < 0.25 ? -0.0 : random < 0.5 ? 0 : random;
          break;
      }
    }
  }
  return vectors;
}

TEST(SortingTest, HardVectorsOfManyPiecesAreSortedAndKeepTheOrderOfEqualOnes) {
  const Client client({.scheduler = "threads", .threads = 2});
  const auto before = [](double a, double b) { return a < b || (std::isnan(b) && !std::isnan(a)); };
  for (const std::size_t n : {50u, 1'001u, 20'000u}) {
    for (std::vector<double>& values : hard_vectors(n)) {
      for (const std::int64_t chunk : {static_cast<std::int64_t>(n) / 2 + 1, static_cast<std::int64_t>(n) / 23 + 1}) {
        const Array x = from(std::vector<double>(values)).rechunk(chunk);
        std::vector<std::int64_t> order(n);
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
          return before(values[static_cast<std::size_t>(a)], values[static_cast<std::size_t>(b)]);
        });
        const NDArray places = client.compute(argsort(x));
        EXPECT_TRUE(std::equal(order.begin(), order.end(), places.span<std::int64_t>().begin())) << n << ' ' << chunk;
        const NDArray sorted = client.compute(sort(x));
        for (std::size_t i = 0; i < n; ++i) {
          const double wanted = values[static_cast<std::size_t>(order[i])], got = sorted.span<double>()[i];
          ASSERT_TRUE(got == wanted || (std::isnan(got) && std::isnan(wanted))) << n << ' ' << chunk << ' ' << i;
        }
      }
    }
  }
}

TEST(SortingTest, AFewLongLanesAreSortedEachByItself) {
  const Client client({.scheduler = "sync"});
  const Array x = random::integers(0, 50, {3, 2, 400}, {.chunks = {2, 1, 30}, .seed = 4});
  const NDArray given = client.compute(x), sorted = client.compute(sort(x)),
                down = client.compute(sort(transpose(x), 0));
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t j = 0; j < 2; ++j) {
      std::vector<std::int64_t> lane;
      for (std::int64_t k = 0; k < 400; ++k) lane.push_back(given.at<std::int64_t>(i, j, k));
      std::sort(lane.begin(), lane.end());
      for (std::int64_t k = 0; k < 400; ++k) {
        ASSERT_EQ(sorted.at<std::int64_t>(i, j, k), lane[static_cast<std::size_t>(k)]);
        ASSERT_EQ(down.at<std::int64_t>(k, j, i), lane[static_cast<std::size_t>(k)]);
      }
    }
  }
}

TEST(SortingTest, QuantilesOfManyElementsAreThoseOfTheSortedOnes) {
  const Client client;
  const Array x = random::normal(0, 1, {300, 400}, {.chunks = {70, 90}, .seed = 8});
  std::vector<double> sorted = client.compute(x).to_vector<double>();
  std::sort(sorted.begin(), sorted.end());
  const double mid = (sorted[59'999] + sorted[60'000]) / 2;
  EXPECT_NEAR(client.compute(median(x)).item<double>(), mid, 1e-15);
  const auto ends = client.compute(quantile(x, std::vector<double>{0, 1})).to_vector<double>();
  EXPECT_EQ(ends, (std::vector<double>{sorted.front(), sorted.back()}));
  const Array holes = where(x > sorted[100'000], std::nan(""), x);
  EXPECT_TRUE(std::isnan(client.compute(median(holes)).item<double>()));
  EXPECT_EQ(client.compute(nanmedian(holes)).item<double>(), sorted[50'000]);
  EXPECT_EQ(client.compute(quantile((x * 10).astype(int32), 0.5)).item<double>(), std::trunc(mid * 10));
}

TEST(SortingTest, WrongInputIsRefusedWhereItIsWritten) {
  const Array x = zeros({3, 4});
  EXPECT_NE(error_of([&] { sort(x, 2); }).find("axis 2 is out of range"), std::string::npos);
  EXPECT_NE(error_of([&] { argsort(x.astype(complex128)); }).find("complex"), std::string::npos);
  EXPECT_NE(error_of([&] { topk(x.astype(complex128), 1); }).find("complex"), std::string::npos);
  EXPECT_NE(error_of([&] { partition(x, 4); }).find("out of bounds"), std::string::npos);
  EXPECT_NE(error_of([&] { percentile(x, 101); }).find("between 0 and 1"), std::string::npos);
  EXPECT_NE(error_of([&] { quantile(x, std::nan("")); }).find("between 0 and 1"), std::string::npos);
  EXPECT_NE(error_of([&] { arrays::searchsorted(x, x); }).find("2 dimensions"), std::string::npos);
  EXPECT_NE(error_of([&] { digitize(x, {1, 3, 2}); }).find("neither"), std::string::npos);
}

}  // namespace
}  // namespace weft
