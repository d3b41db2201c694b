#!/usr/bin/env python3
"""Writes xarray's answers to the cases of xarray.inc: answers_xarray.txt beside this file.

A line a case, with tabs between: spelling, dimensions, dtype, shape, elements, labels. Labels of times are days since
2000-01-01.
"""
import contextlib
import io
import pathlib
import re
import warnings

import numpy as np
import pandas as pd
import xarray as xr

with contextlib.redirect_stdout(io.StringIO()):
    from write_answers import element
from regrid import regrid, regrid_points

HERE = pathlib.Path(__file__).resolve().parent


def values(shape, salt):
    place = np.arange(int(np.prod(shape)))
    numbers = ((place * 7 + salt * 3) % 23 - 9) / 4.0
    return np.where((place * 5 + salt) % 13 == 0, np.nan, numbers).reshape(shape)


def inputs():
    time = pd.date_range("2001-01-30", periods=12, freq="D")
    lat, lon = [60.0, 25.0, -20.0, -60.0], [0.0, 2.0, 5.0, 9.0, 10.0]
    t = xr.DataArray(values((12, 4, 5), 1), dims=("time", "lat", "lon"),
                     coords={"time": time, "lat": lat, "lon": lon}, name="t")
    n = xr.DataArray((np.arange(48) * 7 % 19 - 6).reshape(12, 4), dims=("time", "lat"),
                     coords={"time": time, "lat": lat}, name="n")
    h = xr.DataArray(values((30,), 2), dims=("time",), name="h",
                     coords={"time": pd.date_range("2001-02-25T03", periods=30, freq="7h")})
    m = xr.DataArray(values((15, 2), 3), dims=("time", "x"), name="m",
                     coords={"time": pd.date_range("2000-11-01", periods=15, freq="MS")})
    w = xr.DataArray([0.5, 1.0, 2.0, 1.5], dims=("lat",), coords={"lat": lat}, name="w")
    g = xr.DataArray(values((3, 6, 8), 4), dims=("time", "lat", "lon"), name="g",
                     coords={"time": time[:3], "lat": [75.0, 45, 15, -15, -45, -75], "lon": np.arange(0.0, 360, 45)})
    e = g.assign_coords(lon=(g.lon + 180) % 360 - 180).rename("e")
    y, x = np.meshgrid(np.arange(5), np.arange(7), indexing="ij")
    slat, slon = 70 - 9.0 * y + 2.5 * x, 160 + 7.0 * x + 3.5 * y
    slat[3, 3] = np.nan
    s = xr.DataArray(values((2, 5, 7), 5), dims=("time", "y", "x"), name="s", coords={"time": time[:2]})
    names = {"np": np, "g": g, "e": e, "s": s, "slat": slat, "slon": slon, "regrid": regrid, "regrid_points": regrid_points, "xr": xr, "t": t, "f": t.astype("float32").rename("f"), "n": n, "h": h, "m": m, "w": w,
             "u": t.isel(time=0, drop=True).drop_vars(["lat", "lon"]), "nan": np.nan}
    names["ds"] = xr.Dataset({"t": t, "n": n, "w": w})
    return names


def labels(array):
    out = []
    for dim in array.dims:
        if dim not in array.coords:
            continue
        own = array.coords[dim].values
        if own.dtype.kind == "M":
            own = (own - np.datetime64("2000-01-01")) / np.timedelta64(1, "ns") / 86400e9
        out.append(dim + "=" + "|".join(str(one) if own.dtype.kind not in "fiu" else float(one).hex() for one in own))
    return ";".join(out)


def main():
    lines, wrong = [], []
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in re.findall(r'^WEFT_XARRAY\("((?:[^"\\]|\\.)*)",', (HERE / "xarray.inc").read_text(encoding="utf-8"), re.M):
            try:
                answer = eval(case, inputs())  # pylint: disable=eval-used
            except Exception as error:  # pylint: disable=broad-except
                wrong.append(f"{case}: {error!r}")
                continue
            lines.append("\t".join([
                case, " ".join(map(str, answer.dims)), str(answer.dtype), "x".join(map(str, answer.shape)) or "-",
                " ".join(element(one) for one in answer.values.ravel()), labels(answer)]))
    (HERE / "answers_xarray.txt").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
