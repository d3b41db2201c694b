#!/usr/bin/env python3
"""Compares what grid_search prints with scikit-learn's GridSearchCV on the same data. usage: oracle.py PROGRAM

Ends with 77 where scikit-learn is not installed.
"""
import subprocess
import sys

try:
    import numpy
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, KFold
    from sklearn.pipeline import Pipeline
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

ROWS, COLUMNS, FOLDS = 400, 12, 5
MASK = 2**64 - 1


def make_samples(state):
    def uniform():
        nonlocal state
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return float((z ^ (z >> 31)) >> 11) / 9007199254740992.0

    def normal():
        total = -6.0
        for _ in range(12):
            total += uniform()
        return total

    loads = [normal() for _ in range(3 * COLUMNS)]
    values, classes = [], []
    for _ in range(ROWS):
        causes = [2 * normal(), normal(), normal()]
        row = []
        for column in range(COLUMNS):
            value = 0.5 * normal()
            for cause in range(3):
                value += causes[cause] * loads[cause * COLUMNS + column]
            row.append(value)
        values.append(row)
        classes.append(1 if causes[1] + causes[2] + 0.7 * normal() > 0 else 0)
    return numpy.array(values), numpy.array(classes)


def main():
    printed = {}
    for line in subprocess.run(sys.argv[1], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[1:]:
        words = line.split()
        if words[0] == "best:":
            best = (int(words[1]), float(words[-1]))
            break
        printed[int(words[0]), float(words[1])] = (float(words[2]), float(words[3]))

    pipeline = Pipeline([("pca", PCA(svd_solver="full")), ("logistic", LogisticRegression(tol=1e-12, max_iter=10000))])
    grid = {"pca__n_components": sorted({one[0] for one in printed}), "logistic__C": sorted({one[1] for one in printed})}
    search = GridSearchCV(pipeline, grid, cv=KFold(FOLDS), scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss")
    search.fit(*make_samples(7))
    assert len(search.cv_results_["params"]) == len(printed) == 16
    for i, params in enumerate(search.cv_results_["params"]):
        ours = printed[params["pca__n_components"], params["logistic__C"]]
        theirs = (search.cv_results_["mean_test_accuracy"][i], -search.cv_results_["mean_test_neg_log_loss"][i])
        assert numpy.allclose(ours, theirs, rtol=0, atol=1.1e-5), (params, ours, theirs)
    assert best == (search.best_params_["pca__n_components"], search.best_params_["logistic__C"]), (best, search.best_params_)
    print("equal to scikit-learn's")


if __name__ == "__main__":
    main()
