#!/usr/bin/env python3
"""Compares the fits, levels and indices of extremes with SciPy's from the same rain. usage: oracle.py PROGRAM

Ends with 77 where NumPy or SciPy is not installed.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from scipy import stats
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def fitted(years):
    """Of each place the GEV whose first three L-moments are the sample's."""
    x = np.sort(years, axis=0)
    n = len(x)
    i = np.arange(n)[:, None, None]
    b = [x.mean(0), (x * i / (n - 1)).mean(0), (x * i * (i - 1) / (n - 1) / (n - 2)).mean(0)]
    return b[0], 2 * b[1] - b[0], (6 * b[2] - 6 * b[1] + b[0])


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        rain, ours = np.load(os.path.join(folder, "rain.npy")), np.load(os.path.join(folder, "results.npz"))
        years = rain.reshape(40, 365, *rain.shape[1:])
        heaviest = years.max(axis=1)

        # The distribution that was fitted has the sample's L-moments: those of SciPy's by integration over its quantiles.
        location, scale, shape = np.moveaxis(ours["fit"], -1, 0)
        nodes, weights = np.polynomial.legendre.leggauss(2000)
        u, weights = (nodes + 1) / 2, weights / 2
        at = (slice(None), None, None)
        quantiles = stats.genextreme.ppf(u[at], shape, location, scale)
        theirs = [np.einsum("u,uyx->yx", weights * p, quantiles) for p in (1 + 0 * u, 2 * u - 1, 6 * u**2 - 6 * u + 1)]
        for order, (sample, fit) in enumerate(zip(fitted(heaviest), theirs), 1):
            assert np.allclose(sample, fit, rtol=2e-3, atol=2e-3 * scale.max()), (order, np.abs(sample - fit).max())
        assert np.allclose(ours["century"], stats.genextreme.ppf(0.99, shape, location, scale), rtol=1e-12)
        # Most likely parameters differ from those by moments, but not by much.
        likely = [stats.genextreme.ppf(0.99, *stats.genextreme.fit(heaviest[:, y, x])) for y in range(3) for x in range(16)]
        assert abs(np.mean(likely) / ours["century"][:3].mean() - 1) < 0.05

        edges = np.cumsum([0] + MONTHS)
        monthly = np.stack([years[:, a:b].sum(axis=1) for a, b in zip(edges, edges[1:])], axis=1)
        a = np.log(monthly.mean(0)) - np.log(monthly).mean(0)
        thom = (1 + np.sqrt(1 + 4 * a / 3)) / (4 * a)
        index = stats.norm.ppf(stats.gamma.cdf(monthly, thom, scale=monthly.mean(0) / thom))
        assert np.allclose(ours["index"], index, rtol=1e-9, atol=1e-9), np.abs(ours["index"] - index).max()
        one = monthly[:, 6, 3, 5]
        shape, _, scale = stats.gamma.fit(one, floc=0)
        exact = stats.norm.ppf(stats.gamma.cdf(one, shape, scale=scale))
        assert np.abs(ours["index"][:, 6, 3, 5] - exact).max() < 0.02
    print("fits, levels and indices are SciPy's")


if __name__ == "__main__":
    main()
