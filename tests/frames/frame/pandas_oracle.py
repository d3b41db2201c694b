#!/usr/bin/env python3
"""Asks weft and pandas the same questions about the same rows. usage: pandas_oracle.py PANDAS_QUERIES"""
import io
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "io", "oracle"))
import interpreter

interpreter.use_named()
try:
    import numpy as np
    import pandas as pd
except ImportError:
    interpreter.skip("pandas")

PROGRAM = sys.argv[1]
QUERIES = {
    "filter": lambda f, g: f[(f.x > 0) & (f.s != "b")],
    "assign": lambda f, g: f.assign(y=f.x * 2 + f.k, z=f.k // 3 - f.k % 3, w=1 / f.k ** 2),
    "dates": lambda f, g: f.assign(h=f.t.dt.hour, d=f.t.dt.day_of_week, q=f.t.dt.quarter, f=f.t.dt.floor("6h")),
    "texts": lambda f, g: f.assign(u=f.s.str.slice(0, 1).str.upper(), l=f.s.str.len(), c=f.s.str.contains("^[ab]", na=False).astype(bool)),
    "missing": lambda f, g: f.assign(x=f.x.fillna(0), n=f.n.fillna(0), s=f.s.fillna("none")).dropna(),
    "where": lambda f, g: f.assign(x=f.x.where(f.x > 0, -1.5), k=f.k.clip(2, 5)),
    "two-keys": lambda f, g: group(f, ["s", "k"], "max"),
    "keep-missing": lambda f, g: group(f, ["s"], "sum", dropna=False),
    "size": lambda f, g: f.groupby(["s", "k"]).size().rename("size").reset_index(),
    "hourly": lambda f, g: f.assign(t_key=f.t.dt.hour).groupby("t_key").x.mean().reset_index(),
    "means": lambda f, g: f[["x", "n", "k"]].mean().to_frame().T,
    "vars": lambda f, g: f[["x", "n", "k"]].var().to_frame().T,
    "sorted": lambda f, g: f.sort_values(["s", "x"], ascending=[True, False], kind="stable"),
    "largest": lambda f, g: f.nlargest(7, "x"),
    "different": lambda f, g: f.drop_duplicates(["s", "k"]),
    "inner": lambda f, g: f.merge(g, on="k"),
    "left": lambda f, g: f.merge(g, on=["k", "s"], how="left"),
    "right": lambda f, g: f.merge(g, on=["k", "s"], how="right"),
    "outer": lambda f, g: f.merge(g, on="k", how="outer", indicator=True).astype({"_merge": str}),
    "running": lambda f, g: f.assign(c=f.x.cumsum(), p=f.k.cummin(), h=f.x.shift(3), d=f.k.diff(2)),
    "rolling": lambda f, g: f.assign(m=f.x.rolling(5, min_periods=2).mean(), v=f.k.rolling(30).std(), g=f.k.rolling(4, min_periods=1).max()),
    "sums-sorted": lambda f, g: group(f, ["s"], "sum")[["s", "x_sum"]].sort_values("x_sum"),
    "concat": lambda f, g: pd.concat([f, g]),
}
# What rows are compared as a set: their order is not promised.
UNORDERED = {"inner", "left", "right", "outer"}


def group(frame, keys, kind, **more):
    made = frame.groupby(keys, **more).agg(x=("x", kind), n=("n", kind), k=("k", kind)) if "k" not in keys else \
        frame.groupby(keys, **more).agg(x=("x", kind), n=("n", kind), k_=("k", kind))
    return made.rename(columns={"x": f"x_{kind}", "n": f"n_{kind}", "k": f"k_{kind}", "k_": f"k_{kind}"}).reset_index()


for one in ("sum", "mean", "std", "min", "count", "first", "last", "nunique", "median"):
    QUERIES[one] = lambda f, g, kind=one: group(f, ["s"], kind)


def rows(seed, count):
    draw = random.Random(seed)
    return pd.DataFrame({
        "x": [draw.choice([np.nan, round(draw.uniform(-9, 9), 3)]) if draw.random() < 0.2 else round(draw.uniform(-9, 9), 3) for _ in range(count)],
        "n": [np.nan if draw.random() < 0.1 else float(draw.randrange(5)) for _ in range(count)],
        "k": [draw.randrange(1, 9) for _ in range(count)],
        "s": [None if draw.random() < 0.1 else draw.choice("abcde") + "é" * draw.randrange(2) for _ in range(count)],
        "t": [pd.Timestamp("2015-01-01") + pd.Timedelta(seconds=draw.randrange(31536000)) for _ in range(count)]})


def together(parts):
    """Returns the rows of files that begin with the same header."""
    lines = [part.read_text().splitlines(keepends=True) for part in parts]
    return pd.read_csv(io.StringIO("".join([lines[0][0], *(line for part in lines for line in part[1:])])))


def plain(frame, name):
    frame = frame.reset_index(drop=True)
    for column in frame.columns:
        if frame[column].dtype == bool or set(frame[column].dropna().astype(str)) <= {"True", "False"} and len(frame[column].dropna()):
            frame[column] = frame[column].astype(str)
        elif pd.api.types.is_numeric_dtype(frame[column]):
            frame[column] = frame[column].astype(float)
        else:
            frame[column] = frame[column].astype(object).where(frame[column].notna(), None).map(lambda v: None if v is None else str(v))
    if name in UNORDERED:
        frame = frame.sort_values(list(frame.columns), kind="stable").reset_index(drop=True)
    return frame


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in (1, 2):
            left, right = rows(seed, 900), rows(seed + 100, 60)
            left.to_csv(folder + "/left.csv", index=False)
            right.to_csv(folder + "/right.csv", index=False)
            for name, question in QUERIES.items():
                out = Path(folder) / f"{name}-{seed}"
                done = subprocess.run([PROGRAM, name, folder + "/left.csv", folder + "/right.csv", str(out), "--weft-scheduler=threads", "--weft-threads=2"],
                                      capture_output=True, text=True)
                try:
                    assert done.returncode == 0, done.stderr
                    ours = together(sorted(out.iterdir()))
                    expected = question(left, right)
                    assert list(ours.columns) == list(expected.columns), (list(ours.columns), list(expected.columns))
                    pd.testing.assert_frame_equal(plain(ours, name), plain(expected, name), check_dtype=False, rtol=1e-12)
                except Exception as error:
                    failed += 1
                    print(f"{name}, seed {seed}: {error}\n", file=sys.stderr)
    print(f"{2 * len(QUERIES)} questions, {failed} answers differ")
    sys.exit(1 if failed else 0)


main()
