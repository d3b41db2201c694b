#!/usr/bin/env python3
"""Compares the budget of heat_budget with NumPy's, written with rolls and slices. usage: oracle.py PROGRAM

Ends with 77 where NumPy is not installed.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

RADIUS, HEAT, MIXING, DAY, DAYS = 6.371e6, 1026 * 3990 * 50.0, 1000.0, 86400.0, 30


def budget():
    step = np.radians(5)
    y, y_face = np.radians(np.arange(-77.5, 80, 5))[:, None], np.radians(np.arange(-80, 81, 5.0))[:, None]
    x, x_face = np.radians(np.arange(2.5, 360, 5)), np.radians(np.arange(0, 360, 5.0))
    area = RADIUS**2 * np.diff(np.sin(y_face), axis=0) * step
    wall = np.cos(y_face * 90 / 80)
    stream = 2e6 * wall**2 * (np.sin(2 * x_face) * np.sin(4 * y_face) + np.sin(y_face))
    east, north = -np.diff(stream, axis=0), np.roll(stream, -1, axis=1) - stream
    surface = 80 * np.sin(y) + 15 + 0 * x
    start = 28 * np.cos(y) ** 2 + np.cos(3 * x) * np.cos(y) ** 2

    def convergence(to_east, to_north):
        return -(np.roll(to_east, -1, axis=1) - to_east + np.diff(to_north, axis=0)) / area

    t, advection, mixing = start, 0, 0
    for _ in range(DAYS):
        west = np.roll(t, 1, axis=1)
        edges = np.pad(t, ((1, 1), (0, 0)), mode="edge")
        carried = HEAT * convergence(east * (west + t) / 2, north * (edges[1:] + edges[:-1]) / 2)
        mixed = HEAT * convergence(-MIXING * (t - west) / (RADIUS * np.cos(y) * step) * RADIUS * step,
                                   -MIXING * np.diff(edges, axis=0) / (RADIUS * step) * RADIUS * np.cos(y_face) * step)
        t = t + (carried + mixed + surface) * DAY / HEAT
        advection, mixing = advection + carried / DAYS, mixing + mixed / DAYS
    return {"t": t, "storage": (t - start) * HEAT / (DAYS * DAY), "advection": advection, "mixing": mixing}


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "budget.npz")
        subprocess.run([sys.argv[1], path], check=True)
        ours, theirs = np.load(path), budget()
        for name, values in theirs.items():
            scale = np.abs(values).max()
            assert ours[name].shape == values.shape, name
            assert np.allclose(ours[name], values, rtol=0, atol=1e-11 * scale), (name, np.abs(ours[name] - values).max(), scale)
            print(f"{name}: equal to NumPy's, to {np.abs(ours[name] - values).max() / scale:.0e} of {scale:.3g}")


if __name__ == "__main__":
    main()
