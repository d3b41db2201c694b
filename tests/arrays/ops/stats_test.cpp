// Tests of hypotheses beside SciPy's answers.
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/arrays/error_of.hpp"
#include "tests/arrays/ops/oracle.hpp"
#include "tests/arrays/oracle/named_cases.hpp"

namespace weft {
namespace {

using oracle::operand;
using oracle::real_array;
using testing::HasSubstr;

using Build = std::function<stats::TestResult(const Chunks&)>;

Array x(const Chunks& c) { return real_array({24, 3}, 1, c); }
Array y(const Chunks& c) { return real_array({24, 3}, 2, c) + 0.1; }
Array z(const Chunks& c) { return real_array({17, 3}, 3, c) * 2; }
Array counts(const Chunks& c) { return abs(operand("int64", {8, 2}, 0, c)) + 3; }

std::map<std::string, Build> tests_of_hypotheses() {
  return {
      {"ttest_1samp", [](const Chunks& c) { return stats::ttest_1samp(x(c), 0.05); }},
      {"ttest_ind", [](const Chunks& c) { return stats::ttest_ind(x(c), z(c)); }},
      {"ttest_welch", [](const Chunks& c) { return stats::ttest_ind(x(c), z(c), 0, false); }},
      {"ttest_rel", [](const Chunks& c) { return stats::ttest_rel(x(c), y(c)); }},
      {"ttest_rows", [](const Chunks& c) { return stats::ttest_rel(x(c), square(flip(x(c), 0)), 1); }},
      {"chisquare", [](const Chunks& c) { return stats::chisquare(counts(c)); }},
      {"chisquare_expected", [](const Chunks& c) { return stats::chisquare(counts(c), flip(counts(c), 0), 1); }},
      {"likelihood", [](const Chunks& c) { return stats::power_divergence(counts(c), {}, 0, 0, 0); }},
      {"modified", [](const Chunks& c) { return stats::power_divergence(counts(c), {}, 0, 0, -1); }},
      {"cressie_read", [](const Chunks& c) { return stats::power_divergence(counts(c), {}, 0, 0, 2.0 / 3); }},
      {"f_oneway",
       [](const Chunks& c) {
         return stats::f_oneway({real_array({9}, 4, c), real_array({12}, 5, c) + 0.2, real_array({7}, 6, c) - 0.1});
       }},
      {"skewtest", [](const Chunks& c) { return stats::skewtest(x(c)); }},
      {"kurtosistest", [](const Chunks& c) { return stats::kurtosistest(x(c)); }},
      {"normaltest", [](const Chunks& c) { return stats::normaltest(x(c)); }},
  };
}

class HypothesesTest : public testing::TestWithParam<int> {};

TEST_P(HypothesesTest, AnswersAreSciPys) {
  oracle::NamedCases cases{
      WEFT_CASE("skew", stats::skew(x(c))),
      WEFT_CASE("skew_unbiased", stats::skew(x(c), 1, false)),
      WEFT_CASE("kurtosis", stats::kurtosis(x(c))),
      WEFT_CASE("kurtosis_unbiased", stats::kurtosis(x(c), 0, true, false)),
      WEFT_CASE("kurtosis_pearson", stats::kurtosis(x(c), 0, false)),
      WEFT_CASE("moment_3", stats::moment(x(c), 3)),
  };
  for (const auto& [name, build] : tests_of_hypotheses()) {
    cases.emplace(name, [build = build](const Chunks& c) { return build(c).statistic; });
    cases.emplace(name + "_p", [build = build](const Chunks& c) { return build(c).pvalue; });
  }
  const Chunks chunks = GetParam() == 100 ? Chunks() : Chunks(GetParam());
  EXPECT_EQ(oracle::run_named("hypotheses", cases, chunks, GetParam() == 2 ? "sync" : "threads", 1e-12), "");
}

INSTANTIATE_TEST_SUITE_P(Chunks, HypothesesTest, testing::Values(2, 5, 100));

TEST(HypothesesErrorTest, SamplesThatCannotBeTestedAreRefused) {
  EXPECT_THAT(error_of([] { stats::skewtest(ones({7})); }), HasSubstr("takes 8 observations or more; there are 7"));
  EXPECT_THAT(error_of([] { stats::ttest_rel(ones({7}), ones({6})); }), HasSubstr("(7,) and (6,)"));
  EXPECT_THAT(error_of([] { stats::f_oneway({ones({7})}); }), HasSubstr("two samples or more"));
  EXPECT_THAT(error_of([] { stats::f_oneway({ones({7}), ones({2, 2})}); }), HasSubstr("vectors"));
  EXPECT_THAT(error_of([] { stats::ttest_1samp(ones({7}), 0, 3); }), HasSubstr("ttest_1samp"));
}

}  // namespace
}  // namespace weft
