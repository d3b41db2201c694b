// Distributions against SciPy's moments and distribution functions, and their independence of chunks.
#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <numeric>
#include <sstream>

namespace weft {
namespace {

using random::RandomOptions;

constexpr std::int64_t kCount = 40'000;

struct Law {
  double mean = 0, variance = 0, kurtosis = 0;
  std::vector<std::pair<double, double>> distribution;
};

std::map<std::string, Law> read_laws() {
  std::ifstream file(WEFT_SOURCE_DIR "/tests/arrays/oracle/answers_random.txt");
  std::map<std::string, Law> laws;
  for (std::string line; std::getline(file, line);) {
    std::stringstream words(line);
    std::string name;
    std::vector<double> numbers;
    words >> name;
    for (std::string word; words >> word;) numbers.push_back(std::strtod(word.c_str(), nullptr));
    Law law{numbers[0], numbers[1], numbers[2], {}};
    for (std::size_t i = 3; i + 1 < numbers.size(); i += 2) law.distribution.emplace_back(numbers[i], numbers[i + 1]);
    laws.emplace(name, std::move(law));
  }
  return laws;
}

using Make = std::function<Array(const Shape&, const RandomOptions&)>;

const std::map<std::string, Make>& makers() {
#define WEFT_LAW(name, call)                                                           \
  {                                                                                    \
    name, [](const Shape& s, const RandomOptions& o) -> Array { return random::call; } \
  }
  static const std::map<std::string, Make> table{
      WEFT_LAW("uniform", uniform(2, 5, s, o)),
      WEFT_LAW("normal", normal(1, 2, s, o)),
      WEFT_LAW("exponential", exponential(3, s, o)),
      WEFT_LAW("gumbel", gumbel(1, 2, s, o)),
      WEFT_LAW("laplace", laplace(-1, 2, s, o)),
      WEFT_LAW("logistic", logistic(1, 0.5, s, o)),
      WEFT_LAW("lognormal", lognormal(0.3, 0.5, s, o)),
      WEFT_LAW("rayleigh", rayleigh(2, s, o)),
      WEFT_LAW("weibull", weibull(1.7, s, o)),
      WEFT_LAW("pareto", pareto(6.0, s, o)),
      WEFT_LAW("power", power(2.5, s, o)),
      WEFT_LAW("triangular", triangular(-1, 0, 3, s, o)),
      WEFT_LAW("cauchy", standard_cauchy(s, o)),
      WEFT_LAW("gamma", gamma(2.5, 2, s, o)),
      WEFT_LAW("gamma_small", standard_gamma(0.3, s, o)),
      WEFT_LAW("beta", beta(2, 5, s, o)),
      WEFT_LAW("beta_small", beta(0.4, 0.7, s, o)),
      WEFT_LAW("chisquare", chisquare(3, s, o)),
      WEFT_LAW("noncentral_chisquare", noncentral_chisquare(4, 2, s, o)),
      WEFT_LAW("noncentral_chisquare_small", noncentral_chisquare(0.7, 2, s, o)),
      WEFT_LAW("f", f(4, 20, s, o)),
      WEFT_LAW("noncentral_f", noncentral_f(4, 20, 1.5, s, o)),
      WEFT_LAW("standard_t", standard_t(9, s, o)),
      WEFT_LAW("vonmises", vonmises(0, 2, s, o)),
      WEFT_LAW("wald", wald(2, 3, s, o)),
      WEFT_LAW("poisson", poisson(3.5, s, o)),
      WEFT_LAW("poisson_large", poisson(77.3, s, o)),
      WEFT_LAW("binomial", binomial(20, 0.3, s, o)),
      WEFT_LAW("binomial_large", binomial(1000, 0.7, s, o)),
      WEFT_LAW("negative_binomial", negative_binomial(4.5, 0.4, s, o)),
      WEFT_LAW("hypergeometric", hypergeometric(20, 30, 15, s, o)),
      WEFT_LAW("geometric", geometric(0.2, s, o)),
      WEFT_LAW("logseries", logseries(0.8, s, o)),
      WEFT_LAW("zipf", zipf(6.0, s, o)),
      WEFT_LAW("integers", integers(-5, 12, s, o)),
      WEFT_LAW("choice", choice(4, s, {.chunks = o.chunks, .seed = o.seed, .p = {0.1, 0.2, 0.3, 0.4}})),
  };
#undef WEFT_LAW
  return table;
}

TEST(DistributionsTest, MomentsAndDistributionAreThoseOfTheLaw) {
  const Client client({.scheduler = "threads"});
  const auto laws = read_laws();
  ASSERT_EQ(laws.size(), makers().size());
  for (const auto& [name, make] : makers()) {
    SCOPED_TRACE(name);
    const Law& law = laws.at(name);
    const NDArray drawn = client.compute(make({200, 200}, {.chunks = 64, .seed = 12'345}).astype(float64));
    std::vector<double> values = drawn.to_vector<double>();
    ASSERT_EQ(values.size(), static_cast<std::size_t>(kCount));
    std::sort(values.begin(), values.end());
    const double n = static_cast<double>(kCount);
    // The largest distance of the two distribution functions: by chance above this once in 100,000 (Kolmogorov).
    for (const auto& [place, probability] : law.distribution) {
      const auto below = std::upper_bound(values.begin(), values.end(), place + 1e-12 * std::fabs(place));
      EXPECT_NEAR(static_cast<double>(below - values.begin()) / n, probability, 2.47 / std::sqrt(n)) << place;
    }
    if (!std::isfinite(law.mean) || !std::isfinite(law.variance) || !std::isfinite(law.kurtosis)) continue;
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    EXPECT_NEAR(mean, law.mean, 5 * std::sqrt(law.variance / n));
    EXPECT_NEAR(squares / n, law.variance, 5 * law.variance * std::sqrt((law.kurtosis - 1) / n));
  }
}

TEST(DistributionsTest, ChunksDoNotChangeTheBits) {
  const Client client({.scheduler = "threads"});
  auto all = makers();
  all.emplace("multinomial", [](const Shape& s, const RandomOptions& o) {
    return random::multinomial(30, {0.2, 0.5, 0.3}, s, o);
  });
  for (const auto& [name, make] : all) {
    const NDArray whole = client.compute(make({13, 29}, {.chunks = -1, .seed = 5}));
    for (const Chunks& chunks : {Chunks(7), Chunks({1, 29}), Chunks({5, 11})}) {
      const NDArray other = client.compute(make({13, 29}, {.chunks = chunks, .seed = 5}));
      ASSERT_EQ(whole.nbytes(), other.nbytes()) << name;
      EXPECT_EQ(std::memcmp(whole.data(), other.data(), static_cast<std::size_t>(whole.nbytes())), 0) << name;
    }
    const NDArray next = client.compute(make({13, 29}, {.chunks = -1, .seed = 6}));
    EXPECT_NE(std::memcmp(whole.data(), next.data(), static_cast<std::size_t>(whole.nbytes())), 0) << name;
  }
}

TEST(DistributionsTest, ParametersMayBeArrays) {
  const Client client({.scheduler = "sync"});
  const Array lam = from_ndarray(NDArray::of(std::vector<double>{0.5, 200.0}), 1);
  const NDArray drawn =
      client.compute(mean(random::poisson(lam, {20'000, 2}, {.chunks = {999, 1}, .seed = 3}), {.axis = 0}));
  EXPECT_NEAR(drawn.at<double>(0), 0.5, 0.03);
  EXPECT_NEAR(drawn.at<double>(1), 200, 0.6);
  const NDArray same = client.compute(random::poisson(200.0, {10, 2}, {.chunks = 3, .seed = 3}));
  const NDArray varied = client.compute(random::poisson(lam, {10, 2}, {.chunks = 4, .seed = 3}));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(same.at<std::int64_t>(i, 1), varied.at<std::int64_t>(i, 1));
  const NDArray shifted = client.compute(mean(random::gumbel(lam, 1, {20'000, 2}, {.seed = 3}), {.axis = 0}));
  EXPECT_NEAR(shifted.at<double>(1) - shifted.at<double>(0), 199.5, 0.1);
}

TEST(DistributionsTest, MultinomialAddsUpToItsTrials) {
  const Client client({.scheduler = "sync"});
  const NDArray drawn = client.compute(random::multinomial(50, {0.2, 0.5, 0.3}, {400}, {.chunks = 64, .seed = 9}));
  double sums[3] = {};
  for (int row = 0; row < 400; ++row) {
    std::int64_t total = 0;
    for (int k = 0; k < 3; ++k) {
      total += drawn.at<std::int64_t>(row, k);
      sums[k] += static_cast<double>(drawn.at<std::int64_t>(row, k)) / 400;
    }
    EXPECT_EQ(total, 50);
  }
  EXPECT_NEAR(sums[0], 10, 0.8);
  EXPECT_NEAR(sums[1], 25, 0.9);
}

TEST(DistributionsTest, PermutationsHoldEachNumberOnce) {
  const Client client({.scheduler = "threads"});
  for (const std::int64_t n : {0, 1, 2, 1'000, 100'000}) {
    std::vector<std::int64_t> order =
        client.compute(random::permutation(n, {.chunks = 777, .seed = 4})).to_vector<std::int64_t>();
    const auto other = client.compute(random::permutation(n, {.seed = 4})).to_vector<std::int64_t>();
    EXPECT_EQ(order, other);
    if (n > 2) {
      EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
      // Neighbours know nothing of each other.
      double sum = 0;
      for (std::size_t i = 1; i < order.size(); ++i) sum += std::fabs(static_cast<double>(order[i] - order[i - 1]));
      EXPECT_NEAR(sum / static_cast<double>(n) / static_cast<double>(n), 1.0 / 3, 0.03);
    }
    std::sort(order.begin(), order.end());
    for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(order[static_cast<std::size_t>(i)], i);
  }
}

TEST(DistributionsTest, EachOrderOfFewThingsIsEquallyLikely) {
  const Client client({.scheduler = "sync"});
  std::map<std::vector<std::int64_t>, int> seen;
  for (std::uint64_t seed = 0; seed < 1'200; ++seed) {
    ++seen[client.compute(random::permutation(3, {.seed = seed})).to_vector<std::int64_t>()];
  }
  ASSERT_EQ(seen.size(), 6u);
  for (const auto& [order, count] : seen) EXPECT_NEAR(count, 200, 65);
}

TEST(DistributionsTest, RowsKeepTheirElementsWhenTheyArePermuted) {
  const Client client({.scheduler = "threads"});
  const Array x = arange(60, {.chunks = 60}).reshape({20, 3}).rechunk({7, 2});
  const NDArray rows = client.compute(random::permutation(x, {.seed = 8}));
  std::vector<std::int64_t> firsts;
  for (int row = 0; row < 20; ++row) {
    firsts.push_back(rows.at<std::int64_t>(row, 0));
    EXPECT_EQ(rows.at<std::int64_t>(row, 1), firsts.back() + 1);
    EXPECT_EQ(rows.at<std::int64_t>(row, 2), firsts.back() + 2);
  }
  std::sort(firsts.begin(), firsts.end());
  for (std::int64_t row = 0; row < 20; ++row) EXPECT_EQ(firsts[static_cast<std::size_t>(row)], 3 * row);
}

TEST(DistributionsTest, ChoicesWithoutReplacementAreDistinct) {
  const Client client({.scheduler = "sync"});
  auto drawn = client.compute(random::choice(50, {5, 8}, {.chunks = 3, .seed = 2, .replace = false}));
  auto list = drawn.to_vector<std::int64_t>();
  std::sort(list.begin(), list.end());
  EXPECT_EQ(std::adjacent_find(list.begin(), list.end()), list.end());
  const std::vector<double> p{0.0, 0.5, 0.5, 0.0};
  auto two = client.compute(random::choice(4, {2}, {.seed = 2, .replace = false, .p = p})).to_vector<std::int64_t>();
  std::sort(two.begin(), two.end());
  EXPECT_EQ(two, (std::vector<std::int64_t>{1, 2}));
  const auto words = client.compute(random::choice(NDArray::of(std::vector<float>{1.5f, 2.5f}), {100}, {.seed = 1}));
  for (const float one : words.span<float>()) EXPECT_TRUE(one == 1.5f || one == 2.5f);
}

TEST(DistributionsTest, ParametersOutOfRangeAreRefused) {
  const Shape shape(4);
  EXPECT_THROW(random::poisson(-1.0, shape), Error);
  EXPECT_THROW(random::binomial(3.5, 0.5, shape), Error);
  EXPECT_THROW(random::binomial(3, 1.5, shape), Error);
  EXPECT_THROW(random::gamma(-1, 1, shape), Error);
  EXPECT_THROW(random::zipf(1.0, shape), Error);
  EXPECT_THROW(random::geometric(0.0, shape), Error);
  EXPECT_THROW(random::triangular(0, 3, 2, shape), Error);
  EXPECT_THROW(random::choice(3, {4}, {.replace = false}), Error);
  EXPECT_THROW(random::choice(2, {4}, {.p = {0.5, 0.6}}), Error);
  EXPECT_THROW(random::multinomial(3, {0.9}, shape), Error);
  EXPECT_THROW(random::poisson(1.0, shape, {.dtype = float64}), Error);
  EXPECT_THROW(random::beta(1, 1, shape, {.dtype = int64}), Error);
  EXPECT_THROW(random::laplace(arange(3), 1, {2, 4}), Error);
  const Client client({.scheduler = "sync"});
  EXPECT_THROW(client.compute(random::poisson(arange(4) - 2, shape)), Error);
}

TEST(DistributionsTest, AGeneratorGivesAnotherStreamEachTime) {
  const Client client({.scheduler = "sync"});
  random::Generator first = random::default_rng(3), second = random::default_rng(3);
  const auto a = client.compute(first.random(Shape(5))).to_vector<double>();
  const auto b = client.compute(first.random(Shape(5))).to_vector<double>();
  EXPECT_NE(a, b);
  EXPECT_EQ(client.compute(second.random(Shape(5))).to_vector<double>(), a);
}

}  // namespace
}  // namespace weft
