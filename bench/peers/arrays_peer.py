#!/usr/bin/env python3
"""Runs one array workload in Dask (threads), in NumPy in memory, in numba or in JAX, and prints its times as JSON.

usage: arrays_peer.py SYSTEM CASE N CHUNK [--input persisted] [--extra K] [--reps R] [--seconds S]

The workloads are those of weft_bench: the same shapes, chunks and results. A first run warms up and is not counted.
"""
import argparse
import json
import sys
import time

import numpy as np


def with_dask(o):
    import dask
    import dask.array as da
    dask.config.set(scheduler="threads", num_workers=o.threads)
    n, c, k = o.n, o.chunk, o.extra
    rng = da.random.default_rng(7)

    def given(shape, chunks):
        x = rng.random(shape, chunks=chunks)
        return x.persist() if o.input == "persisted" else x

    def kept(shape, chunks):
        return rng.random(shape, chunks=chunks).persist()

    if o.case in ("expression", "std"):
        x = given((n, n), (c, c))
        return (lambda: (x + x.T - x.mean(axis=0)).sum().compute()) if o.case == "expression" else (lambda: x.std(axis=0).compute())
    if o.case == "philox":
        x = rng.random((n, n), chunks=(c, c))
        return lambda: x.mean().compute()
    if o.case == "matmul":
        a, b = kept((n, n), (c, c)), kept((n, n), (c, c))
        return lambda: (a @ b).persist()
    if o.case == "rechunk":
        x = kept((n, n), (n, c))
        return lambda: x.rechunk((c, n)).persist() if o.then == "keep" else x.rechunk((c, n)).sum().compute()
    if o.case == "tiny-chunks":
        x = da.ones((n, n), chunks=(c, c))
        return lambda: x.sum().compute()
    if o.case == "double-diff":
        a, b = given((n, n), (c, c)), given((n, n), (c, c))
        return lambda: (a[1:, 1:] - b[:-1, :-1]).persist()
    if o.case == "vorticity":
        u, v = given((n, n, k), (n, n, c)), given((n, n, k), (n, n, c))
        dx, dy = kept((n + 1, n), (n + 1, n)), kept((n + 1, n), (n + 1, n))

        def vorticity():
            up = da.pad(u, ((0, 1), (0, 0), (0, 0)), mode="wrap").rechunk((n + 1, n, c))
            vp = da.pad(v, ((0, 1), (0, 0), (0, 0)), mode="wrap").rechunk((n + 1, n, c))
            return (dx[..., None] * up - dy[..., None] * vp).mean(axis=(0, 1)).compute()
        return vorticity
    if o.case == "anomaly-mean":
        x = given((k * c, n), (c, n)).reshape((k, c, n))
        return lambda: (x - x.mean(axis=0, keepdims=True)).mean(axis=(0, 1)).compute()
    if o.case == "climatic-mean":
        x = given((20, k, 8, 4, n, n), (1, 1, 8, 4, c, c))
        return lambda: da.stack([x[:10], x[10:]]).mean(axis=(0, 2)).compute()
    if o.case == "quadratic-mean":
        u, v = given((k, n, n), (c, n, n)), given((k, n, n), (c, n, n))
        return lambda: dask.compute((u * u).mean(axis=0), (v * v).mean(axis=0), (u * v).mean(axis=0))
    if o.case == "overlap":
        x = given((n, n), (c, c))

        def stencil(block):
            return (block + np.roll(block, 1, 0) + np.roll(block, -1, 0) + np.roll(block, 1, 1) + np.roll(block, -1, 1)) / 5
        return lambda: da.map_overlap(stencil, x, depth=1, boundary="periodic").sum().compute()
    if o.case == "tsqr":
        x = kept((n, 100), (c, 100))
        return lambda: da.linalg.svd(x)[1].compute()
    if o.case == "svd-compressed":
        x = kept((n, n), (c, c))
        return lambda: da.linalg.svd_compressed(x, 10, n_power_iter=0, seed=7)[1].compute()
    if o.case == "fft":
        x = kept((n, n), (c, n))
        # Its transforms want the axis in one chunk.
        return lambda: da.fft.fft(x if k == 1 else x.rechunk((n, c)), axis=k).persist()
    if o.case == "quantile":
        x = kept((n, n), (n, c))
        return lambda: da.percentile(x.ravel(), [10, 50, 90]).compute()
    return None


def in_memory(o):
    n, c, k = o.n, o.chunk, o.extra
    rng = np.random.default_rng(7)
    if o.case in ("expression", "std", "philox"):
        if o.input == "persisted":
            x = rng.random((n, n))
            make = lambda: x
        else:
            make = lambda: rng.random((n, n))
        if o.case == "philox":
            return lambda: rng.random((n, n)).mean()
        if o.case == "std":
            return lambda: make().std(axis=0)

        def expression():
            x = make()
            return (x + x.T - x.mean(axis=0)).sum()
        return expression
    if o.case == "matmul":
        a, b = rng.random((n, n)), rng.random((n, n))
        return lambda: a @ b
    if o.case == "rechunk":
        x = rng.random((n, n))
        return lambda: x.copy() if o.then == "keep" else x.copy().sum()
    if o.case == "tiny-chunks":
        return lambda: np.ones((n, n)).sum()
    if o.case == "double-diff":
        a, b = rng.random((n, n)), rng.random((n, n))
        if o.input == "persisted":
            return lambda: a[1:, 1:] - b[:-1, :-1]
        return lambda: rng.random((n, n))[1:, 1:] - rng.random((n, n))[:-1, :-1]
    if o.case == "anomaly-mean":
        x = rng.random((k, c, n))
        return lambda: ((rng.random((k, c, n)) if o.input == "random" else x) - x.mean(axis=0)).mean(axis=(0, 1))
    if o.case == "vorticity":
        u, v = rng.random((k, n, n)), rng.random((k, n, n))
        dx, dy = rng.random((n + 1, n)), rng.random((n + 1, n))

        def vorticity():
            up, vp = np.pad(u, ((0, 0), (0, 1), (0, 0)), mode="wrap"), np.pad(v, ((0, 0), (0, 1), (0, 0)), mode="wrap")
            return (dx * up - dy * vp).mean(axis=(1, 2))
        return vorticity
    if o.case == "climatic-mean":
        x = rng.random((20, k, 8, 4, n, n))
        return lambda: np.stack([x[:10], x[10:]]).mean(axis=(0, 2))
    if o.case == "quadratic-mean":
        u, v = rng.random((k, n, n)), rng.random((k, n, n))
        return lambda: ((u * u).mean(axis=0), (v * v).mean(axis=0), (u * v).mean(axis=0))
    if o.case == "overlap":
        def stencil():
            x = rng.random((n, n))
            return ((x + np.roll(x, 1, 0) + np.roll(x, -1, 0) + np.roll(x, 1, 1) + np.roll(x, -1, 1)) / 5).sum()
        return stencil
    if o.case == "tsqr":
        x = rng.random((n, 100))
        return lambda: np.linalg.svd(x, full_matrices=False, compute_uv=False)
    if o.case == "fft":
        x = rng.random((n, n))
        return lambda: np.fft.fft(x, axis=k)
    if o.case == "sort":
        x = rng.random(n)
        return lambda: np.sort(x)
    if o.case == "quantile":
        x = rng.random((n, n))
        return lambda: np.percentile(x, [10, 50, 90])
    return None


def with_numba(o):
    import numba
    numba.set_num_threads(o.threads)
    n = o.n
    if o.case == "double-diff" and o.input == "persisted":
        a, b = np.random.default_rng(7).random((n, n)), np.random.default_rng(8).random((n, n))

        @numba.njit(parallel=True)
        def difference(a, b):
            out = np.empty((a.shape[0] - 1, a.shape[1] - 1))
            for i in numba.prange(out.shape[0]):
                for j in range(out.shape[1]):
                    out[i, j] = a[i + 1, j + 1] - b[i, j]
            return out
        return lambda: difference(a, b)
    if o.case == "quadratic-mean" and o.input == "persisted":
        rng = np.random.default_rng(7)
        u, v = rng.random((o.extra, n * n)), rng.random((o.extra, n * n))

        @numba.njit(parallel=True)
        def means(u, v):
            out = np.zeros((3, u.shape[1]))
            for part in numba.prange(64):
                for t in range(u.shape[0]):
                    for j in range(u.shape[1] * part // 64, u.shape[1] * (part + 1) // 64):
                        out[0, j] += u[t, j] * u[t, j]
                        out[1, j] += v[t, j] * v[t, j]
                        out[2, j] += u[t, j] * v[t, j]
            return out / u.shape[0]
        return lambda: means(u, v)
    if o.case != "expression" or o.input != "persisted":
        return None
    x = np.random.default_rng(7).random((n, n))
    if o.case == "expression" and o.input == "persisted":
        @numba.njit(parallel=True)
        def body(x):
            means = np.zeros(x.shape[1])
            for i in range(x.shape[0]):
                means += x[i]
            means /= x.shape[0]
            total = 0.0
            for i in numba.prange(x.shape[0]):
                row = 0.0
                for j in range(x.shape[1]):
                    row += x[i, j] + x[j, i] - means[j]
                total += row
            return total
        return lambda: body(x)
    return None


def with_jax(o):
    import jax
    import jax.numpy as jnp
    jax.config.update("jax_enable_x64", True)
    n = o.n
    key = jax.random.key(7)
    if o.case == "expression":
        x = jax.random.uniform(key, (n, n), dtype=jnp.float64)
        if o.input == "persisted":
            f = jax.jit(lambda x: (x + x.T - x.mean(axis=0)).sum())
            return lambda: f(x).block_until_ready()

        def program(key):
            x = jax.random.uniform(key, (n, n), dtype=jnp.float64)
            return (x + x.T - x.mean(axis=0)).sum()
        g = jax.jit(program)
        return lambda: g(key).block_until_ready()
    if o.case == "matmul":
        a = jax.random.uniform(key, (n, n), dtype=jnp.float64)
        f = jax.jit(lambda a: a @ a)
        return lambda: f(a).block_until_ready()
    return None


SYSTEMS = {"dask": with_dask, "numpy": in_memory, "numba": with_numba, "jax": with_jax}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("case")
    parser.add_argument("n", type=int)
    parser.add_argument("chunk", type=int)
    parser.add_argument("--input", default="random")
    parser.add_argument("--extra", type=int, default=0, help="the case's third number: steps, years, members")
    parser.add_argument("--then", default="sum", help="what is done with a rechunked array: keep or sum")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1e9, help="no more repetitions once it has run so long")
    o = parser.parse_args()
    once = SYSTEMS[o.system](o)
    if once is None:
        print(json.dumps({"missing": True}))
        return 0
    times = []
    began = time.perf_counter()
    for i in range(o.reps + 1):
        if len(times) > 0 and time.perf_counter() - began > o.seconds:
            break
        start = time.perf_counter()
        result = once()
        seconds = time.perf_counter() - start
        del result
        if i:
            times.append(seconds)
    module = sys.modules[o.system]
    print(json.dumps({"seconds_min": min(times), "version": getattr(module, "__version__", "")}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
