#!/usr/bin/env python3
"""Writes what SciPy says of distributions: answers_random.txt beside this file.

usage: write_random_answers.py

A line a distribution: name, mean, variance, fourth central moment over the variance squared (nan where they do not exist),
then pairs of a place and the probability of being at or below it.
"""
import pathlib

import numpy as np
from scipy import stats

CASES = {
    "uniform": stats.uniform(2, 3), "normal": stats.norm(1, 2), "exponential": stats.expon(0, 3),
    "gumbel": stats.gumbel_r(1, 2), "laplace": stats.laplace(-1, 2), "logistic": stats.logistic(1, 0.5),
    "lognormal": stats.lognorm(0.5, 0, np.exp(0.3)), "rayleigh": stats.rayleigh(0, 2), "weibull": stats.weibull_min(1.7),
    "pareto": stats.lomax(6.0), "power": stats.powerlaw(2.5), "triangular": stats.triang(0.25, -1, 4), "cauchy": stats.cauchy(),
    "gamma": stats.gamma(2.5, 0, 2), "gamma_small": stats.gamma(0.3), "beta": stats.beta(2, 5), "beta_small": stats.beta(0.4, 0.7),
    "chisquare": stats.chi2(3), "noncentral_chisquare": stats.ncx2(4, 2), "noncentral_chisquare_small": stats.ncx2(0.7, 2),
    "f": stats.f(4, 20), "noncentral_f": stats.ncf(4, 20, 1.5), "standard_t": stats.t(9), "vonmises": stats.vonmises(2.0),
    "wald": stats.invgauss(2.0 / 3, 0, 3), "poisson": stats.poisson(3.5), "poisson_large": stats.poisson(77.3),
    "binomial": stats.binom(20, 0.3), "binomial_large": stats.binom(1000, 0.7), "negative_binomial": stats.nbinom(4.5, 0.4),
    "hypergeometric": stats.hypergeom(50, 20, 15), "geometric": stats.geom(0.2), "logseries": stats.logser(0.8), "zipf": stats.zipf(6.0),
    "integers": stats.randint(-5, 12), "choice": stats.rv_discrete(values=([0, 1, 2, 3], [0.1, 0.2, 0.3, 0.4])),
}


def main():
    lines = []
    for name, law in CASES.items():
        try:
            mean, variance = float(law.mean()), float(law.var())
            kurtosis = float(law.stats(moments="k")) + 3
        except (ValueError, NotImplementedError):
            mean = variance = kurtosis = float("nan")
        if name == "cauchy":
            mean = variance = kurtosis = float("nan")
        places = np.unique(law.ppf(np.arange(1, 20) / 20))
        lines.append(" ".join([name, repr(mean), repr(variance), repr(kurtosis),
                               *[f"{float(x)!r} {float(law.cdf(x))!r}" for x in places]]) + "\n")
    (pathlib.Path(__file__).resolve().parent / "answers_random.txt").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
