#!/usr/bin/env python3
"""Writes NumPy's answers to cases that are told by name: answers_GROUP.txt beside this file.

usage: write_named_answers.py [GROUP ...]

A line a case: name, dtype, shape, elements. The C++ side builds the same case in tests/arrays/ops/GROUP_test.cpp.
"""
import contextlib
import io
import pathlib
import sys
import warnings

import numpy as np

with contextlib.redirect_stdout(io.StringIO()):
    from write_answers import element, operand

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
        "choice": np.ma.where(x > 0, m, n), "ones_like": np.ma.ones_like(m), "slice": m[1:4, ::-2], "fix_invalid": np.ma.fix_invalid(f),
    }
    cases = {"count": m.count(axis=0), "count_all": n.count()}
    for name, result in results.items():
        result = np.ma.asarray(result)
        cases[name] = result.filled(-7 if result.dtype.kind in "if" else True)
        cases[name + "_mask"] = np.ma.getmaskarray(result)
    return cases


GROUPS = {"masked": masked, "shaping": shaping, "numbers": numbers}


def main():
    for group in sys.argv[1:] or GROUPS:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cases = GROUPS[group]()
        text = "".join(line(name, answer) + "\n" for name, answer in cases.items())
        (HERE / f"answers_{group}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
