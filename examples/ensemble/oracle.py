#!/usr/bin/env python3
"""Compares what ensemble prints and writes with xarray's answers from the same stores. usage: oracle.py PROGRAM

Ends with 77 where xarray or zarr is not installed.
"""
import glob
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import xarray
    import zarr
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def read(folder):
    names = ["scenario", "model", "run"]
    runs = {}
    for path in glob.glob(os.path.join(folder, "*/*/r*/tas.zarr")):
        place = os.path.relpath(path, folder).split(os.sep)[:3]
        runs[tuple(place)] = xarray.DataArray(zarr.open(path, mode="r")[...], dims=["year", "region"],
                                              coords={"year": np.arange(2015, 2101)})
    labels = [sorted({one[i] for one in runs}) for i in range(3)]

    def nested(place):
        if len(place) == 3:
            return xarray.Dataset({"tas": runs[place]})
        return [nested(place + (one,)) for one in labels[len(place)]]

    together = xarray.combine_nested(nested(()), concat_dim=names)
    return together["tas"].assign_coords(dict(zip(names, labels)))


def main():
    with tempfile.TemporaryDirectory() as folder:
        printed = subprocess.run([sys.argv[1], folder], check=True, stdout=subprocess.PIPE, text=True).stdout
        end = read(folder).sel(year=slice(2091, 2100)).isel(region=6).mean("year")
        assert end.sizes == {"scenario": 3, "model": 4, "run": 5}
        likely = end.quantile([0.17, 0.5, 0.83], ["model", "run"])
        assert np.allclose(np.load(os.path.join(folder, "likely.npy")), likely, rtol=1e-13, atol=0)
        of_model = end.mean("run")
        parts = [of_model.mean("model").var("scenario"), of_model.var("model").mean("scenario"),
                 end.var("run").mean(["scenario", "model"])]
        shares = [100 * float(part / end.var()) for part in parts]
        line = printed.splitlines()[-1]
        expected = "variance: scenario {:.1f}%, model {:.1f}%, weather {:.1f}%".format(*shares)
        assert line.startswith(expected), (line, expected)
        assert abs(sum(shares) - 100) < 1e-9
    print("equal to xarray's: " + expected)


if __name__ == "__main__":
    main()
