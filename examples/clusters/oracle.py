#!/usr/bin/env python3
"""Compares the groups and the regression of clusters with scikit-learn's on the same samples. usage: oracle.py PROGRAM

Ends with 77 where scikit-learn is not installed.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.linear_model import LinearRegression
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def main():
    with tempfile.TemporaryDirectory() as folder:
        printed = subprocess.run([sys.argv[1], folder], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
        ours = dict(np.load(os.path.join(folder, "clusters.npz")))
    samples = ours["samples"]
    words = printed[-1].replace(",", "").split()
    inertia, r2 = float(words[1]), float(words[3])

    theirs = KMeans(3, init=samples[[100, 1300, 2500]], n_init=1, algorithm="lloyd", tol=0).fit(samples)
    assert (ours["labels"] == theirs.labels_).all()
    assert np.allclose(ours["centres"], theirs.cluster_centers_, rtol=0, atol=1e-12)
    assert np.isclose(inertia, theirs.inertia_, rtol=1e-9), (inertia, theirs.inertia_)

    now, before, following = (samples[:, at:at + 238].ravel() for at in (1, 0, 2))
    predictors = np.stack([now, before], axis=1)
    line = LinearRegression().fit(predictors, following)
    assert np.allclose(ours["coefficients"], [*line.coef_, line.intercept_], rtol=1e-10, atol=1e-12)
    assert np.isclose(r2, line.score(predictors, following), rtol=1e-10)
    print("groups and regression are scikit-learn's")


if __name__ == "__main__":
    main()
