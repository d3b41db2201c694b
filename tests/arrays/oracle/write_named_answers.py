#!/usr/bin/env python3
"""Writes NumPy's answers to cases that are told by name: answers_GROUP.txt beside this file.

usage: write_named_answers.py [GROUP ...]

A line a case: name, dtype, shape, elements. The C++ side builds the same case in tests/arrays/ops/GROUP_test.cpp.
"""
import contextlib
import io
import pathlib
import re
import sys
import warnings

import numpy as np

with contextlib.redirect_stdout(io.StringIO()):
    from write_answers import element, operand
    from write_numeric_answers import numbers as formula

HERE = pathlib.Path(__file__).resolve().parent


def line(name, answer):
    answer = np.asarray(answer)
    if answer.dtype.kind in "mM":
        values = [str(int(one)) for one in answer.ravel().view("int64")]
    else:
        values = [element(one) for one in answer.ravel()]
    return " ".join([name, str(answer.dtype), "x".join(map(str, answer.shape)) or "-", *values])


def shaping():
    x = operand("int64", (5, 6), 0)
    y = operand("int64", (5, 6), 1)
    f = operand("float64", (5, 6), 0)
    v = operand("float32", (7,), 0)
    w = operand("int64", (4,), 1)
    cube = operand("float64", (2, 3, 5), 0)
    one = operand("int64", (1, 1), 0)
    nothing = operand("float64", (0, 3), 0)
    scalar = operand("float64", (), 0)
    cases = {
        "atleast_1d": np.atleast_1d(scalar), "atleast_2d": np.atleast_2d(v), "atleast_3d": np.atleast_3d(v),
        "atleast_3d_matrix": np.atleast_3d(x), "vstack": np.vstack([v, v + 1]), "vstack_matrix": np.vstack([x, y]),
        "hstack": np.hstack([v, v]), "hstack_matrix": np.hstack([x, y, x]), "dstack": np.dstack([x, y]),
        "dstack_vector": np.dstack([v, v]), "block": np.block([[x, y], [y, x]]),
        "block_vector": np.block([w, w]), "block_mixed": np.block([[np.ones((2, 2)), np.zeros((2, 1))], [np.full((1, 3), 7.0)]]),
        "append": np.append(x, y), "append_axis": np.append(x, y, axis=1),
        "insert_scalar": np.insert(x, 2, 99, axis=0), "insert_row": np.insert(x, 1, np.arange(6), axis=0),
        "insert_column": np.insert(x, 1, np.arange(5), axis=1), "insert_places": np.insert(x, [3, 0, 3], 7, axis=1),
        "insert_list": np.insert(x, [1], np.arange(5)[:, None], axis=1), "insert_end": np.insert(v, 7, 3.5, axis=0),
        "insert_back": np.insert(v, -1, 3.5, axis=0),
        "delete": np.delete(x, [1, -1, 1], axis=0), "delete_slice": np.delete(x, slice(0, 6, 2), axis=1),
        "delete_all": np.delete(w, [0, 1, 2, 3], axis=0),
        "rot90": np.rot90(x), "rot90_2": np.rot90(x, 2), "rot90_back": np.rot90(x, -1), "rot90_axes": np.rot90(cube, 1, (0, 2)),
        "flipud": np.flipud(x), "fliplr": np.fliplr(x), "flip_all": np.flip(cube), "rollaxis": np.rollaxis(cube, 2),
        "rollaxis_start": np.rollaxis(cube, 0, 2), "roll_flat": np.roll(x, 4), "roll_axes": np.roll(x, (1, -2), (0, 1)),
        "repeat_counts": np.repeat(x, [0, 2, 1, 0, 3], axis=0), "vindex": x[[0, 4, 2, 4], [5, 0, -1, 0]],
        "vindex_partial": cube[[1, 0, 1], [2, 2, 0]], "shuffle": x[[4, 0, 2, 1, 3]], "compress": np.compress([1, 0, 1, 1], x, axis=1),
        "broadcast_arrays": np.broadcast_arrays(x, np.arange(6))[1] + 0, "unify": x + 0,
        "meshgrid": np.meshgrid(v, w)[0], "meshgrid_second": np.meshgrid(v, w)[1],
        "meshgrid_ij": np.meshgrid(v, w, indexing="ij")[0], "meshgrid_sparse": np.meshgrid(v, w, sparse=True)[1],
        "meshgrid_three": np.meshgrid(v, w, np.arange(2))[2], "indices_all": np.indices((2, 3)),
        "fromfunction": np.fromfunction(lambda i, j: i * 10 + j, (3, 4)),
        "tril": np.tril(x), "tril_above": np.tril(x, 2), "triu": np.triu(cube, -1), "triu_bool": np.triu(x > 0, 1),
        "tril_indices": np.stack(np.tril_indices(5, 1, 4)), "tril_indices_below": np.stack(np.tril_indices(6, -2)),
        "triu_indices": np.stack(np.triu_indices(5, -1, 7)), "triu_indices_above": np.stack(np.triu_indices(4, 2)),
        "triu_indices_from": np.stack(np.triu_indices_from(x, 1)), "tril_indices_none": np.stack(np.tril_indices(3, -3)),
        "diag": np.diag(w), "diag_above": np.diag(w, 2), "diag_below": np.diag(v, -1), "diag_of": np.diag(x, -1),
        "choose": np.choose(np.abs(x) % 3, [x, y, x + 100]), "choose_wrap": np.choose(x, [x, y], mode="wrap"),
        "choose_clip": np.choose(x, [x, y], mode="clip"),
        "piecewise": np.piecewise(f, [f < -1, f > 1], [lambda t: t * 10, lambda t: -t, lambda t: t + 0.5]),
        "piecewise_zero": np.piecewise(f, [f < -1, f < 0], [lambda t: t * 10, lambda t: -t]),
        "unravel_index": np.stack(np.unravel_index(np.array([0, 59, 13, 31]), (3, 4, 5))),
        "ravel_multi_index": np.ravel_multi_index([np.array([0, 2, 1]), np.array([3, 0, 2])], (3, 4)),
        "ravel_multi_index_wrap": np.ravel_multi_index([np.array([0, -2, 7]), np.array([3, 9, -1])], (3, 4), mode="wrap"),
        "ravel_multi_index_clip": np.ravel_multi_index([np.array([0, -2, 7]), np.array([3, 9, -1])], (3, 4), mode="clip"),
        "empty_stack": np.vstack([nothing, nothing]), "empty_flip": np.flip(nothing, 0), "empty_tril": np.tril(nothing),
        "one_rot90": np.rot90(one), "one_pad": np.pad(one, 2, mode="reflect"),
        "pad": np.pad(x, ((1, 2), (3, 0))), "pad_value": np.pad(v, (2, 3), constant_values=9),
        "pad_values": np.pad(x, 1, constant_values=((1, 2), (3, 4))),
        "pad_edge": np.pad(x, ((2, 1), (1, 3)), mode="edge"), "pad_reflect": np.pad(x, ((2, 3), (4, 1)), mode="reflect"),
        "pad_reflect_wide": np.pad(w, (9, 7), mode="reflect"), "pad_reflect_odd": np.pad(f, 2, mode="reflect", reflect_type="odd"),
        "pad_reflect_odd_wide": np.pad(w, (7, 8), mode="reflect", reflect_type="odd"),
        "pad_symmetric": np.pad(x, ((1, 4), (2, 2)), mode="symmetric"),
        "pad_symmetric_odd": np.pad(w, (3, 2), mode="symmetric", reflect_type="odd"),
        "pad_wrap": np.pad(x, ((2, 7), (1, 0)), mode="wrap"), "pad_ramp": np.pad(f, ((3, 1), (0, 2)), mode="linear_ramp", end_values=((5, -4), (0, 1))),
        "pad_ramp_integers": np.pad(w, (3, 2), mode="linear_ramp", end_values=(-20, 7)),
        "pad_maximum": np.pad(x, 2, mode="maximum"), "pad_minimum": np.pad(x, 1, mode="minimum", stat_length=2),
        "pad_mean": np.pad(f, ((2, 0), (1, 1)), mode="mean"), "pad_mean_integers": np.pad(x, 1, mode="mean", stat_length=3),
    }
    # In one chunk only: elements are in the order of the chunks.
    cases["reshape_blockwise"] = cube.reshape(6, 5)
    return cases


def numbers():
    n = operand("int64", (11,), 0)
    d = np.where(operand("int64", (11,), 1) == 0, 3, operand("int64", (11,), 1))
    f = operand("float64", (11,), 1)
    s = operand("float32", (11,), 0)
    z = operand("complex128", (11,), 0)
    big = np.array([0.0, -0.0, 1.0, -3.5, 5e-324, -1e-310, 1.7e308, np.inf, -np.inf, np.nan, 0.1])
    return {
        "divmod": np.stack(np.divmod(n, d)), "divmod_float": np.stack(np.divmod(f, 1.5)),
        "modf": np.stack(np.modf(big)), "modf_single": np.modf(s)[0], "frexp_mantissa": np.frexp(big[:9])[0],
        "frexp_exponent": np.frexp(big[:7])[1], "frexp_single": np.frexp(s)[0], "ldexp": np.ldexp(big, np.arange(11) * 40 - 200),
        "ldexp_small": np.ldexp(np.array([1.0, 1.5, 3.0]), np.array([-1074, -1000, 1022])),
        "spacing": np.spacing(big[:7]), "spacing_single": np.spacing(s), "i0": np.i0(f), "i0_large": np.i0(np.array([0.0, 7.9, 8.1, 30.0])),
        "isreal": np.isreal(z), "iscomplex": np.iscomplex(z), "isreal_real": np.isreal(n),
        "allclose": np.allclose(f, f), "allclose_nan": np.allclose(f, f, equal_nan=True), "allclose_far": np.allclose(n, n + 1),
    }


def masked():
    x = operand("int64", (5, 6), 0)
    y = operand("int64", (5, 6), 1)
    f = operand("float64", (5, 6), 1)
    m = np.ma.masked_where(x > 2, x)
    n = np.ma.masked_less(y, 0)
    g = np.ma.masked_invalid(f)
    hidden = np.ma.masked_array(x, np.ones((5, 6), bool))
    column = np.ma.masked_where(np.broadcast_to([1, 0, 1, 0, 0, 0], (5, 6)) == 1, f + 0.25)
    w = np.abs(y) + 1
    results = {
        "where": m, "equal": np.ma.masked_equal(x, 3), "not_equal": np.ma.masked_not_equal(x, 3), "greater": np.ma.masked_greater(x, 1),
        "greater_equal": np.ma.masked_greater_equal(x, 1), "less": n, "less_equal": np.ma.masked_less_equal(x, 1),
        "inside": np.ma.masked_inside(x, -1, 2), "outside": np.ma.masked_outside(x, 2, -1), "invalid": g,
        "values": np.ma.masked_values(f, 1.5), "add": m + n, "subtract": m - 3, "multiply": m * n, "divide": m / n,
        "divide_scalar": g / 2.0, "negative": -m, "sqrt": np.ma.sqrt(g), "log": np.ma.log(g), "exp": np.ma.exp(g), "compare": m < 1,
        "sum": m.sum(axis=0), "sum_all": m.sum(), "sum_hidden": hidden.sum(axis=1), "prod": n.prod(axis=1), "min": m.min(axis=0),
        "max": m.max(axis=1), "max_real": column.max(axis=0), "any": m.any(axis=0), "all": n.all(axis=1), "mean": m.mean(axis=0),
        "mean_hidden": hidden.mean(axis=0), "mean_real": column.mean(axis=0), "var": m.var(axis=1), "var_ddof": g.var(axis=0, ddof=1),
        "std": g.std(), "average": np.ma.average(m, axis=0, weights=w), "average_plain": np.ma.average(g, axis=1),
        "choice": np.ma.where(x > 0, m, n), "ones_like": np.ma.ones_like(m), "slice": m[1:4, ::-2], "less_both": m < n, "equal_both": m == n,
        "not_equal_number": m != 1, "greater_equal_number": n >= 2, "number_less": 3 - m, "number_by": 6.0 / n, "ptp": m.ptp(axis=0),
        "astype": m.astype(np.float32), "reshape": m.reshape(6, 5), "transpose": n.T, "concatenate": np.ma.concatenate([m, n], axis=1), "fix_invalid": np.ma.fix_invalid(f),
    }
    cases = {"count": m.count(axis=0), "count_all": n.count(), "argmin": m.argmin(axis=0), "argmax": n.argmax(axis=1), "nonzero": m.nonzero()[1]}
    for name, result in results.items():
        result = np.ma.asarray(result)
        cases[name] = result.filled(-7 if result.dtype.kind in "if" else True)
        cases[name + "_mask"] = np.ma.getmaskarray(result)
    return cases


def statistics():
    x = operand("int64", (5, 6), 0)
    v = operand("int64", (23,), 1)
    f = operand("float64", (5, 6), 0)
    g = operand("float64", (5, 6), 1)
    s = operand("float32", (5, 6), 0)
    z = operand("complex128", (5, 6), 0)
    b = operand("bool", (9,), 0)
    w = np.abs(operand("float64", (5, 6), 0)) + 1
    n = np.abs(v)
    nothing = operand("float64", (0,), 0)
    values, indices, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    weights = np.abs(operand("float64", (6,), 0)) + 0.5
    often = np.abs(operand("int64", (6,), 0)) + 1
    edges = [-2.0, -0.5, 0.0, 1.25, 3.0]
    dense = np.histogram(f, 4, density=True)
    grid = np.histogramdd([f.ravel(), w.ravel(), s.ravel()], (3, [1.0, 1.5, 2.75], 2), weights=w.ravel())
    plane = np.histogram2d(f.ravel(), w.ravel(), (4, 3), range=[[-2, 3], [1, 4]], density=True)
    both = np.average(f, axis=0, weights=w, returned=True)
    places = np.array([0.0, 0.5, 2.0, 2.5, 4.0])
    return {
        "unique": np.unique(f), "unique_integers": values, "unique_nan": np.unique(g), "unique_bool": np.unique(b),
        "unique_complex": np.unique(z), "unique_empty": np.unique(nothing), "unique_float32": np.unique(s),
        "unique_indices": indices, "unique_inverse": inverse.reshape(5, 6), "unique_counts": counts,
        "unique_counts_nan": np.unique(g, return_counts=True)[1], "unique_complex_inverse": np.unique(z, return_inverse=True)[1].reshape(5, 6),
        "unique_masked": np.unique(f[f > 0]), "union1d": np.union1d(x, np.array([2, 99, -50])),
        "histogram": np.histogram(f)[0], "histogram_edges": np.histogram(f)[1], "histogram_7": np.histogram(x, 7)[0],
        "histogram_range": np.histogram(f, 5, (-1, 2.5))[0], "histogram_range_edges": np.histogram(f, 5, (-1, 2.5))[1],
        "histogram_given": np.histogram(f, edges)[0], "histogram_given_edges": np.array(edges), "histogram_nan": np.histogram(g, 6, (-2, 3))[0],
        "histogram_weights": np.histogram(f, 4, weights=w)[0], "histogram_weights_int": np.histogram(f, 4, weights=x)[0],
        "histogram_density": dense[0], "histogram_float32": np.histogram(s, 8)[0], "histogram_float32_edges": np.histogram(s, 8)[1],
        "histogram_single": np.histogram(np.full(4, 2.0), 3)[0], "histogram_empty": np.histogram(nothing, 3)[1],
        "histogram_bool": np.histogram(b.astype(np.uint8), 2)[0], "histogram_masked": np.histogram(f[f > 0], 4)[0],
        "histogram2d": np.histogram2d(f.ravel(), w.ravel(), 4)[0], "histogram2d_density": plane[0], "histogram2d_y": plane[2],
        "histogramdd": grid[0], "histogramdd_edges": grid[1][0],
        "bincount": np.bincount(n), "bincount_minlength": np.bincount(n, minlength=20), "bincount_weights": np.bincount(n, v / 2),
        "bincount_length": np.bincount(n, minlength=12), "bincount_empty": np.bincount(np.zeros(0, int), minlength=3),
        "cov": np.cov(f), "cov_columns": np.cov(f, rowvar=False), "cov_bias": np.cov(x, bias=True), "cov_y": np.cov(f, w),
        "cov_vector": np.cov(f[0]), "cov_ddof": np.cov(f, ddof=3), "cov_complex": np.cov(z), "cov_aweights": np.cov(f, aweights=weights),
        "cov_fweights": np.cov(f, fweights=often), "cov_both": np.cov(f, fweights=often, aweights=weights), "cov_float32": np.cov(s, dtype=np.float32),
        "corrcoef": np.corrcoef(f), "corrcoef_y": np.corrcoef(f[0], w[0]), "corrcoef_columns": np.corrcoef(w + f, rowvar=False),
        "corrcoef_complex": np.corrcoef(z),
        "average": np.average(f), "average_axis": np.average(x, axis=1), "average_weights": np.average(f, axis=0, weights=w),
        "average_weights_sum": both[1], "average_line": np.average(f, axis=1, weights=weights), "average_all": np.average(x, weights=w),
        "average_keepdims": np.average(f, axis=1, weights=w, keepdims=True), "average_complex": np.average(z, axis=1),
        "moment_2": ((f - f.mean(0)) ** 2).mean(0), "moment_3": ((f - f.mean()) ** 3).mean(),
        "moment_ddof": ((f - f.mean(1, keepdims=True)) ** 4).sum(1) / 4, "moment_1": np.zeros(6), "moment_0": np.ones(6),
        "diff": np.diff(f), "diff_2": np.diff(x, 2, 0), "diff_bool": np.diff(b), "diff_append": np.diff(f, axis=0, prepend=0.0, append=f[:2]),
        "diff_uint8": np.diff(np.abs(x).astype(np.uint8)), "diff_all": np.diff(v, 30),
        "ediff1d": np.ediff1d(x), "ediff1d_ends": np.ediff1d(v, to_begin=[7, 8], to_end=99),
        "gradient_0": np.gradient(f)[0], "gradient_1": np.gradient(f)[1], "gradient_step": np.gradient(x, 0.5, axis=1),
        "gradient_places": np.gradient(f, places, axis=0), "gradient_places_2": np.gradient(f, places, axis=0, edge_order=2),
        "gradient_2": np.gradient(f, 2.0, axis=1, edge_order=2), "gradient_float32": np.gradient(s, axis=0), "gradient_short": np.gradient(f[:2], axis=0),
    }


def transforms():
    x = operand("int64", (5, 6), 0)
    f = operand("float64", (5, 6), 0)
    s = operand("float32", (5, 6), 0)
    z = operand("complex128", (5, 6), 0)
    c = operand("complex64", (7,), 0)
    v = operand("float64", (23,), 0)
    cube = operand("float64", (4, 3, 5), 0)
    box = operand("complex128", (4, 3, 5), 0)
    fft = np.fft
    return {
        "fft": fft.fft(f), "fft_0": fft.fft(f, axis=0), "fft_complex": fft.fft(z), "fft_complex_0": fft.fft(z, axis=0), "fft_integers": fft.fft(x),
        "fft_float32": fft.fft(s), "fft_complex64": fft.fft(c), "fft_bool": fft.fft(f > 0), "fft_long": fft.fft(f, 9), "fft_short": fft.fft(z, 3, axis=0),
        "fft_one": fft.fft(f, 1), "fft_cube": fft.fft(cube, axis=1), "fft_ortho": fft.fft(f, norm="ortho"), "fft_forward": fft.fft(f, norm="forward"),
        "ifft": fft.ifft(z), "ifft_real": fft.ifft(f, axis=0), "ifft_long": fft.ifft(z, 8, axis=0), "ifft_forward": fft.ifft(z, norm="forward"),
        "rfft": fft.rfft(f), "rfft_odd": fft.rfft(f, axis=0), "rfft_short": fft.rfft(f, 4), "rfft_float32": fft.rfft(s), "rfft_long": fft.rfft(v, 30),
        "rfft_ortho": fft.rfft(v, norm="ortho"), "irfft": fft.irfft(z), "irfft_odd": fft.irfft(z, 7, axis=0), "irfft_real": fft.irfft(f),
        "irfft_complex64": fft.irfft(c), "irfft_long": fft.irfft(z, 14), "hfft": fft.hfft(z), "hfft_9": fft.hfft(z, 9, axis=0),
        "hfft_ortho": fft.hfft(z, norm="ortho"), "ihfft": fft.ihfft(f), "ihfft_forward": fft.ihfft(f, axis=0, norm="forward"),
        "fft2": fft.fft2(f), "fft2_cube": fft.fft2(box), "fft2_s": fft.fft2(f, (3, 8)), "fft2_axes": fft.fft2(box, axes=(2, 0)), "ifft2": fft.ifft2(z),
        "rfft2": fft.rfft2(f), "rfft2_axes": fft.rfft2(cube, axes=(2, 0)), "irfft2": fft.irfft2(z), "irfft2_s": fft.irfft2(z, (4, 7)),
        "fftn": fft.fftn(cube), "fftn_complex": fft.fftn(box), "fftn_s": fft.fftn(cube, (6, 2, 5), axes=(0, 1, 2)), "ifftn": fft.ifftn(box, norm="ortho"),
        "ifftn_axes": fft.ifftn(box, axes=(1,)), "rfftn": fft.rfftn(cube), "rfftn_axes": fft.rfftn(cube, axes=(0, 1)), "irfftn": fft.irfftn(box),
        "irfftn_axes": fft.irfftn(box, axes=(1, 0)), "fftfreq": fft.fftfreq(8, 0.1), "fftfreq_odd": fft.fftfreq(7), "rfftfreq": fft.rfftfreq(9, 2.0),
        "fftshift": fft.fftshift(f), "fftshift_0": fft.fftshift(cube, axes=0), "ifftshift": fft.ifftshift(f), "ifftshift_axes": fft.ifftshift(cube, axes=(0, 2)),
        "there_and_back": v,
    }


def times():
    nat = np.datetime64("NaT")
    counts = operand("int64", (5, 6), 0) * 137 + 19000
    d = counts.astype("M8[D]")
    e = (operand("int64", (5, 6), 1) * 86400 * 41 + 1700000000).astype("M8[s]")
    h = np.where(counts % 5 == 0, nat, d)
    t = (operand("int64", (5, 6), 0) * 5).astype("m8[h]")
    u = (operand("int64", (5, 6), 1) * 1000 + 1).astype("m8[s]")
    v = np.where(t == np.timedelta64(0, "h"), np.timedelta64("NaT"), t)
    k = operand("int64", (5, 6), 1)
    f = operand("float64", (5, 6), 0)
    old = (operand("int64", (30,), 0) * 98765).astype("M8[D]")
    span = np.timedelta64
    return {
        "date": d, "date_plus_span": d + t, "date_plus_number": d + 3, "span_plus_date": u + d, "date_less_date": d - e, "date_less_span": e - t,
        "span_plus_span": t + u, "span_less_span": u - v, "span_times": t * k, "span_times_real": t * 2.5, "times_span": 3 * v,
        "span_by_span": t / u, "span_by_number": u / 7, "span_by_real": u / f, "span_floor": u // t, "span_floor_number": u // 7,
        "span_rest": u % span(3600, "s"), "span_negative": -v, "span_absolute": abs(v), "span_sign": np.sign(t), "none_plus": h + t,
        "less": d < e, "greater_equal": h >= d, "equal": h == h, "not_equal": h != h, "span_less": v < u, "maximum": np.maximum(h, d + 7),
        "minimum": np.minimum(h, d + 7), "fmax": np.fmax(h, d - 7), "fmin": np.fmin(h, d - 7), "where": np.where(k > 0, d, h),
        "isnat": np.isnat(h), "isnan": np.isnan(v), "isfinite": np.isfinite(h),
        "to_seconds": d.astype("M8[s]"), "to_days": e.astype("M8[D]"), "to_weeks": d.astype("M8[W]"), "to_months": e.astype("M8[M]"),
        "to_years": h.astype("M8[Y]"), "months_to_days": d.astype("M8[M]").astype("M8[D]"), "years_to_hours": d.astype("M8[Y]").astype("M8[h]"),
        "old_months": old.astype("M8[M]"), "old_years": old.astype("M8[Y]"), "old_month_starts": old.astype("M8[M]").astype("M8[D]"),
        "span_to_minutes": u.astype("m8[m]"), "span_to_nanoseconds": t.astype("m8[ns]"), "to_integers": d.astype("int64"),
        "min": d.min(), "min_none": h.min(axis=0), "max": e.max(axis=1), "max_none": h.max(axis=1), "span_sum": t.sum(axis=0), "span_sum_none": v.sum(),
        "span_mean": u.mean(axis=0), "span_mean_all": t.mean(), "argmin": d.argmin(axis=0), "argmax": h.argmax(axis=1), "ptp": np.ptp(d, axis=0),
        "nanmin": np.nanmin(h, axis=0), "nanmax": np.nanmax(h), "sort": np.sort(h, axis=1), "argsort": np.argsort(h.ravel(), kind="stable"),
        "unique": np.unique(h), "diff": np.diff(d), "concatenate": np.concatenate([d, e]), "take": h[1:4, ::-2],
        "searchsorted": np.searchsorted(np.sort(d.ravel()), e), "arange": np.arange("2024-02-27", "2024-03-03", dtype="M8[D]"),
        "arange_step": np.arange(np.datetime64("2024-01"), np.datetime64("2025-01"), span(3, "M")),
        "arange_hours": np.arange(np.datetime64("2024-01-01T00"), np.datetime64("2024-01-03"), span(6, "h")),
        "month_lengths": np.diff(np.arange("2023-12", "2025-01", dtype="M8[M]").astype("M8[D]")),
    }


def hypotheses():
    from scipy import stats
    x = formula((24, 3), 1)
    y = formula((24, 3), 2) + 0.1
    z = formula((17, 3), 3) * 2
    counts = np.abs(operand("int64", (8, 2), 0)) + 3
    wanted = counts[::-1] * counts.sum(0) / counts.sum(0)
    groups = [formula((9,), 4), formula((12,), 5) + 0.2, formula((7,), 6) - 0.1]
    results = {
        "ttest_1samp": stats.ttest_1samp(x, 0.05), "ttest_ind": stats.ttest_ind(x, z), "ttest_welch": stats.ttest_ind(x, z, equal_var=False),
        "ttest_rel": stats.ttest_rel(x, y), "ttest_rows": stats.ttest_rel(x, x[::-1] ** 2, axis=1), "chisquare": stats.chisquare(counts),
        "chisquare_expected": stats.chisquare(counts, wanted, ddof=1), "likelihood": stats.power_divergence(counts, lambda_=0),
        "modified": stats.power_divergence(counts, lambda_=-1), "cressie_read": stats.power_divergence(counts, lambda_=2 / 3),
        "f_oneway": stats.f_oneway(*groups), "skewtest": stats.skewtest(x), "kurtosistest": stats.kurtosistest(x), "normaltest": stats.normaltest(x),
    }
    cases = {
        "skew": stats.skew(x), "skew_unbiased": stats.skew(x, axis=1, bias=False), "kurtosis": stats.kurtosis(x),
        "kurtosis_unbiased": stats.kurtosis(x, bias=False), "kurtosis_pearson": stats.kurtosis(x, fisher=False), "moment_3": stats.moment(x, 3),
    }
    for name, result in results.items():
        cases[name] = result.statistic
        cases[name + "_p"] = result.pvalue
    return cases


def blocks():
    x = operand("int64", (5, 6), 0)
    y = operand("int64", (6, 5), 1)
    f = operand("float64", (5, 6), 0)
    row = operand("int64", (6,), 1)
    i, j = np.indices((5, 6))
    return {
        "map_blocks": 2 * x, "map_blocks_place": (x + 100 * i + 10 * j).astype(float), "map_blocks_drop": x.sum(axis=1),
        "map_blocks_new": np.stack([x, -x]), "map_blocks_shape": np.repeat(x, 2, axis=1), "map_blocks_two": x + row,
        "map_blocks_column": x * x[:, 2:3], "map_blocks_slice": 2 * x[::-2, 1:5], "map_blocks_array": x,
        "blockwise": x @ y, "blockwise_transposed": x.T, "gufunc": (f * (f + 1.0)).sum(axis=-1),
        "gufunc_broadcast": (f[:, None] * (f[0:2] * 2.0)).sum(axis=-1), "gufunc_same": np.cumsum(f, axis=-1),
        "gufunc_size": np.stack([f.sum(axis=-1), (f * f).sum(axis=-1)], axis=-1), "from_function": i * 10.0 + j,
        "elementwise": f * 2 + x, "elementwise_chain": np.where(f + 1 < 0, -(f + 1), (f + 1) ** 2).sum(axis=0),
        "elementwise_scalar": np.where(x > 0, x, 7), "elementwise_broadcast": x[:, 1:2] * 100 + row,
        "reduction": x.sum(axis=1), "reduction_all": np.array([[x.sum() * 0.5]]), "coarsen": x.reshape(5, 2, 3).sum(axis=2),
        "coarsen_mean": f[:4, :4].reshape(2, 2, 1, 4).mean(axis=(1, 3)),
    }


def overlap():
    x = operand("float64", (11, 13), 0)
    v = operand("int64", (9,), 0)

    def extended(margins, modes, values=(0, 0)):
        wide = x
        for axis, (margin, mode) in enumerate(zip(margins, modes)):
            width = [(0, 0), (0, 0)]
            width[axis] = margin
            more = {"constant_values": values[axis]} if mode == "constant" else {}
            wide = np.pad(wide, width, mode=mode, **more)
        return wide

    def weigh(up, down, left, right, modes, values=(0, 0)):
        # Nothing beyond the ends is as good as zeros.
        wide = extended([(up, down), (left, right)], modes, values)
        total = np.zeros(x.shape)
        for di in range(-up, down + 1):
            for dj in range(-left, right + 1):
                part = wide[up + di:up + di + 11, left + dj:left + dj + 13]
                total += part * (7 * di + 3 * dj + 29)
        return total

    none, reflect, periodic, nearest, constant = "constant", "symmetric", "wrap", "edge", "constant"
    twice = [np.pad(v, (1, 2), mode="wrap")[k:k + 6] for k in (0, 3, 6)]
    periodic_pair = np.roll(x, 1, axis=0) - np.roll(x * 2, -1, axis=1)
    windows = np.lib.stride_tricks.sliding_window_view
    return {
        "none": weigh(1, 1, 1, 1, [none, none]), "reflect": weigh(1, 1, 1, 1, [reflect, reflect]),
        "periodic": weigh(1, 1, 1, 1, [periodic, periodic]), "nearest": weigh(1, 1, 1, 1, [nearest, nearest]),
        "constant": weigh(1, 1, 1, 1, [constant, constant], (2.5, 2.5)), "asymmetric": weigh(2, 0, 0, 3, [reflect, reflect]),
        "asymmetric_periodic": weigh(0, 3, 2, 1, [periodic, periodic]), "mixed": weigh(2, 1, 1, 2, [periodic, none]),
        "mixed_constant": weigh(2, 1, 1, 2, [constant, nearest], (4.0, 0)),
        "two_constants": weigh(1, 1, 1, 1, [constant, constant], (4.0, -1.0)), "one_axis": weigh(0, 0, 2, 2, [none, reflect]),
        "deep": weigh(5, 4, 6, 6, [reflect, reflect]), "local": weigh(2, 1, 1, 1, [periodic, periodic]),
        "overlap_trim": x, "trim_internal": np.pad(v, 2, mode="wrap")[1:-2], "overlap_vector": np.concatenate(twice),
        "windows": windows(x, (3, 2)), "windows_axis": windows(x, 4, axis=1), "two_arrays": periodic_pair, "returned": x,
    }


def running():
    x = operand("int64", (5, 6), 0)
    f = operand("float64", (5, 6), 0)
    n = operand("float64", (5, 6), 1)
    s = operand("float32", (7,), 0)
    u = operand("uint8", (5, 6), 1)
    z = operand("complex128", (3, 4), 0)
    b = operand("bool", (5, 6), 0)
    nothing = operand("float64", (0, 3), 0)

    def put(array, key, value):
        array = array.copy()
        array[key] = value
        return array

    return {
        "cumsum": np.cumsum(x, axis=0), "cumsum_last": np.cumsum(x, axis=-1), "cumsum_flat": np.cumsum(x), "cumsum_real": np.cumsum(f, axis=1),
        "cumsum_single": np.cumsum(s), "cumsum_bool": np.cumsum(b, axis=0), "cumsum_unsigned": np.cumsum(u, axis=1),
        "cumsum_complex": np.cumsum(z, axis=1), "cumsum_dtype": np.cumsum(x, axis=0, dtype=np.int16), "cumsum_empty": np.cumsum(nothing, axis=0),
        "cumprod": np.cumprod(x, axis=0), "cumprod_real": np.cumprod(f, axis=1), "cumprod_complex": np.cumprod(z, axis=0),
        "nancumsum": np.nancumsum(n, axis=0), "nancumprod": np.nancumprod(n, axis=1), "nancumsum_flat": np.nancumsum(n),
        "set_number": put(x, 2, 99), "set_element": put(x, (1, -2), 99), "set_slice": put(x, np.s_[1:4, ::2], 7),
        "set_back": put(x, np.s_[::-2, 1:5], np.arange(12).reshape(3, 4)), "set_row": put(x, np.s_[1:3], np.arange(6)),
        "set_column": put(x, np.s_[..., 3], np.arange(5)), "set_stretched": put(x, np.s_[0:4, 1:3], np.arange(4)[:, None]),
        "set_list": put(x, np.s_[:, [4, 0, 2]], np.arange(15).reshape(5, 3)), "set_list_rows": put(x, np.s_[[3, 3, 0], 2:4], np.arange(6).reshape(3, 2)),
        "set_mask": put(x, x > 2, 0), "set_mask_rows": put(x, x[:, 0] > 0, np.arange(6)), "set_cast": put(x, np.s_[0], f[1] + 0.75), "set_nothing": put(x, np.s_[3:3], 1),
        "set_real": put(f, np.s_[1], 2),
        "blocks": x[2:4, 0:2], "blocks_list": np.concatenate([x[4:5], x[0:2]]), "blocks_back": np.concatenate([x[:, 4:6], x[:, 2:4], x[:, 0:2]], axis=1),
    }


def as_written(file):
    """The expressions of a file, by their spelling, which is NumPy's."""
    a = np.arange(24)
    m, t = a.reshape(4, 6), a.reshape(2, 3, 4)
    f = np.sin(m * 1.7) * 3
    sq = np.cos(np.arange(25).reshape(5, 5) * 1.3) + np.eye(5) * 2

    def seti(array, index, value):
        array = array.copy()
        array[index] = value
        return array

    def pushn(array, limit, axis):
        array = np.moveaxis(array, axis, -1)
        filled = array.copy()
        for place in np.ndindex(array.shape):
            back = [array[place[:-1] + (at,)] for at in range(place[-1], max(-1, place[-1] - limit - 1), -1)]
            known = [one for one in back if not np.isnan(one)]
            filled[place] = known[0] if known else np.nan
        return np.moveaxis(filled, -1, axis)

    names = {
        "np": np, "seti": seti, "pushn": pushn, "a": a, "m": m, "t": t, "f": f, "z": np.zeros((0, 3)), "s": np.array(2.5),
        "b": m % 3 == 0, "i8": (a * 11).astype(np.int8), "u8": (a * 11).astype(np.uint8), "c": f + f[::-1] * 1j, "fn": np.log(f),
        "b2": a[:2] > 0, "b34": a[:12].reshape(3, 4) % 2 == 0, "b_i": (m % 3 == 0).astype(np.int16),
        "i8m": (a[:16].reshape(4, 4) * 5).astype(np.int8), "sq": sq, "spd": sq @ sq.T + np.eye(5),
        "dates": np.arange("2024-01-01", "2024-01-11", dtype="M8[D]"),
    }
    return written(file, names)


def written(file, names):
    """The answers to the expressions of a file."""
    found = re.findall(r'^WEFT_EXPRESSION\("([^"]*)",', (HERE / file).read_text(encoding="utf-8"), re.M)
    return {one: eval(one.replace("`", "'"), names) for one in found}  # pylint: disable=eval-used


def combinations(file):
    """Expressions of many types; array_combinations_test.cpp has the same arrays."""
    count = np.arange
    real = (count(60) * 7 % 31).reshape(4, 5, 3) / 4.0 - 3.0
    none, number = np.datetime64("NaT", "D"), count(8)

    def seti(array, index, value):
        array = array.copy()
        array[index] = value
        return array

    names = {
        "np": np, "seti": seti, "setw": lambda array, mask, value: np.where(mask, value, array),
        "i32": (count(7) * 5 % 9 - 4).astype("i4"), "u8": (count(15) * 37).astype("u1").reshape(3, 5),
        "i16": (count(15) * 4001 - 30000).astype("i2").reshape(3, 5), "big": (count(6) * 3 + 2**62).reshape(2, 3),
        "u64": count(6).astype("u8") * np.uint64(3) + np.uint64(2**63), "f32": real.astype("f4"),
        "d": np.where(count(60).reshape(4, 5, 3) % 13 == 5, np.nan, real), "e": (count(36) * 11 % 17 - 5.0).reshape(6, 6) / 2,
        "k": ((count(5) - 2) + (count(5) * 3 % 5 - 1) * 1j).astype("c8"),
        "K": np.where(count(20).reshape(4, 5) % 7 == 4, np.nan, (count(20) * 7 % 5 - 2.0).reshape(4, 5)) + (count(20) * 3 % 7 - 3.0).reshape(4, 5) * 1j,
        "b": (count(60) * 5 % 7).reshape(4, 5, 3) < 3, "o": np.array(3, "i1"), "of": np.array(2.5, "f4"), "n": np.zeros((0, 4), "f4"),
        "r": count(6).reshape(1, 6), "c1": count(6).reshape(6, 1) * 10,
        "t": np.where(number % 5 == 3, none, np.arange("2024-02-27", "2024-03-06", dtype="M8[D]")),
        "ms": np.datetime64("2024-02-28T12:30:00.250") + number * np.timedelta64(3600123, "ms"),
        "p": np.where(number % 5 == 3, np.timedelta64("NaT", "h"), number * np.timedelta64(5, "h")),
        "v": (count(13) * 5 % 13) / 2.0 - 2,
    }
    return written(file, names)


GROUPS = {"combinations": lambda: combinations("combinations.inc"), "combinations_more": lambda: combinations("combinations_more.inc"),
          "expressions": lambda: as_written("expressions.inc"), "spectra": lambda: as_written("spectra.inc"), "blocks": blocks, "hypotheses": hypotheses, "masked": masked, "numbers": numbers, "overlap": overlap, "running": running, "shaping": shaping,
          "statistics": statistics, "times": times, "transforms": transforms}


def main():
    for group in sys.argv[1:] or GROUPS:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cases = GROUPS[group]()
        text = "".join(line(name, answer) + "\n" for name, answer in cases.items())
        (HERE / f"answers_{group}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
