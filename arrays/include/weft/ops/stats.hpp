#pragma once

#include <weft/array.hpp>

/// Tests of hypotheses, with SciPy's names and meaning. Along one axis, the first unless another is named.
namespace weft::stats {

using arrays::Array;

#define WEFT_HERE const std::source_location& where = std::source_location::current()

struct TestResult {
  Array statistic, pvalue;
};

/// Student's test whether the mean is `popmean`.
TestResult ttest_1samp(const Array& a, double popmean, int axis = 0, WEFT_HERE);
/// Student's test whether two independent samples have the same mean; Welch's where their variances may differ.
TestResult ttest_ind(const Array& a, const Array& b, int axis = 0, bool equal_var = true, WEFT_HERE);
/// Student's test whether pairs have the same mean.
TestResult ttest_rel(const Array& a, const Array& b, int axis = 0, WEFT_HERE);
/// Whether frequencies are as expected (equal ones, where none are given).
TestResult chisquare(const Array& observed, const std::optional<Array>& expected = {}, double ddof = 0, int axis = 0,
                     WEFT_HERE);
/// The same by the family of Cressie and Read: 1 Pearson, 0 the logarithm of the likelihoods, ...
TestResult power_divergence(const Array& observed, const std::optional<Array>& expected = {}, double ddof = 0,
                            int axis = 0, double lambda = 1, WEFT_HERE);
/// Analysis of variance: whether samples (one vector each) have the same mean.
TestResult f_oneway(const std::vector<Array>& samples, WEFT_HERE);
/// Whether skewness, kurtosis, or both, are those of a normal distribution.
TestResult skewtest(const Array& a, int axis = 0, WEFT_HERE);
TestResult kurtosistest(const Array& a, int axis = 0, WEFT_HERE);
TestResult normaltest(const Array& a, int axis = 0, WEFT_HERE);

Array skew(const Array& a, int axis = 0, bool bias = true, WEFT_HERE);
/// `fisher`: 0 for a normal distribution, otherwise 3.
Array kurtosis(const Array& a, int axis = 0, bool fisher = true, bool bias = true, WEFT_HERE);
Array moment(const Array& a, int order = 1, int axis = 0, WEFT_HERE);

#undef WEFT_HERE

}  // namespace weft::stats
