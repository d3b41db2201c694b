#!/usr/bin/env python3
"""Writes NumPy's answers that tests/arrays compares with.

usage: write_answers.py > answers.txt

A line a case: name, dtype of the inputs, shape, arguments; then the answer's dtype, shape and elements (floating ones in
hexadecimal). The inputs are made by the same formula on both sides: see operand().
"""
import sys

import numpy as np

UNARY = """negative positive absolute fabs sign square reciprocal conj real imag angle sqrt cbrt exp exp2 expm1 log log2
log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh deg2rad rad2deg sinc rint floor ceil
trunc logical_not invert isfinite isinf isnan signbit round nan_to_num""".split()
BINARY = """add subtract multiply true_divide floor_divide remainder fmod power float_power arctan2 hypot logaddexp logaddexp2
copysign nextafter maximum minimum fmax fmin gcd lcm equal not_equal less less_equal greater greater_equal logical_and
logical_or logical_xor bitwise_and bitwise_or bitwise_xor left_shift right_shift""".split()
REDUCTIONS = """sum prod min max any all count_nonzero mean var stddev argmin argmax nansum nanprod nanmin nanmax nanmean
nanvar nanstd ptp""".split()
DTYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128".split()
SHAPES = [(7,), (3, 4), (2, 3, 5)]
# NumPy computes these in half precision, which weft does not have.
HALF = {"bool", "int8", "uint8", "int16", "uint16"}


def operand(dtype, shape, which):
    """Element i is ((i * 7 + which * 3) % 11 - 4) / 2, with not-a-number at i = 5 of the second floating operand."""
    count = int(np.prod(shape, dtype=np.int64))
    steps = (np.arange(count, dtype=np.int64) * 7 + which * 3) % 11 - 4
    kind = np.dtype(dtype).kind
    if kind == "b":
        return (steps % 2 != 0).reshape(shape)
    if kind == "u":
        return np.abs(steps).astype(dtype).reshape(shape)
    if kind == "i":
        return steps.astype(dtype).reshape(shape)
    values = steps / 2.0
    if kind == "c":
        values = values + 1j * ((steps * 3) % 5 - 1)
    elif which == 1 and count > 5:
        values[5] = np.nan
    return values.astype(dtype).reshape(shape)


def element(value):
    if isinstance(value, (np.bool_, bool)):
        return str(int(value))
    if isinstance(value, np.complexfloating):
        return f"{float(value.real).hex()},{float(value.imag).hex()}"
    if isinstance(value, np.floating):
        return float(value).hex()
    return str(int(value))


def show(name, dtype, shape, arguments, answer):
    answer = np.asarray(answer)
    words = [name, dtype, "x".join(map(str, shape)) or "-", arguments or "-", str(answer.dtype),
             "x".join(map(str, answer.shape)) or "-"]
    print(" ".join(words + [element(one) for one in answer.ravel()]))


def attempt(function, *arguments):
    try:
        with np.errstate(all="ignore"):
            return function(*arguments)
    except (TypeError, ValueError):
        return None


def elementwise():
    for name in UNARY:
        for dtype in DTYPES:
            for shape in [(7,), (3, 4)] if dtype in ("float64", "int64") else [(7,)]:
                x = operand(dtype, shape, 1)
                answer = attempt(getattr(np, name), x)
                if answer is None or answer.dtype == np.float16 or np.dtype(answer.dtype).name not in DTYPES:
                    continue
                if dtype in HALF and answer.dtype == np.float32:
                    continue
                # One by an integer zero is the machine's own in NumPy, and 0 in weft.
                if name == "reciprocal" and np.dtype(dtype).kind in "iu" and (x == 0).any():
                    continue
                show(name, dtype, shape, "", answer)
    for name in BINARY:
        for dtype in DTYPES:
            shape = (7,)
            x, y = operand(dtype, shape, 0), operand(dtype, shape, 1)
            if name in ("power", "left_shift", "right_shift") and np.dtype(dtype).kind == "i":
                y = np.abs(y)
            answer = attempt(getattr(np, name), x, y)
            if answer is None or np.dtype(answer.dtype).name not in DTYPES:
                continue
            if dtype in HALF and answer.dtype == np.float32:
                continue
            show(name, dtype, shape, "", answer)


def promotion():
    for a in DTYPES:
        for b in DTYPES:
            show("promote", a, (), b, np.zeros((), np.promote_types(a, b)))


def reductions():
    for name in REDUCTIONS:
        function = getattr(np, {"stddev": "std"}.get(name, name))
        for dtype in ["bool", "int8", "int32", "uint16", "int64", "float32", "float64", "complex128"]:
            for shape in SHAPES:
                x = operand(dtype, shape, 1 if name.startswith("nan") else 0)
                axes = [None] + list(range(len(shape)))
                if len(shape) > 1 and not name.startswith("arg"):
                    axes.append((0, len(shape) - 1))
                for axis in axes:
                    answer = attempt(lambda: function(x, axis=axis))
                    if answer is None or np.dtype(np.asarray(answer).dtype).name not in DTYPES:
                        continue
                    text = "all" if axis is None else ",".join(map(str, axis if isinstance(axis, tuple) else (axis,)))
                    show(name, dtype, shape, text, answer)


def structure():
    x = operand("int64", (5, 6), 0)
    y = operand("int64", (5, 6), 1)
    cube = operand("float64", (2, 3, 5), 0)
    f = operand("float64", (5, 6), 0)
    cases = {
        "slice_rows": x[1:4], "slice_steps": x[::2, 1::3], "slice_back": x[::-1, ::-2], "slice_negative": x[-3:-1, -2:],
        "slice_none": x[3:1], "index_row": x[2], "index_both": x[-1, 3], "newaxis": x[:, None, 2:4],
        "ellipsis": cube[..., 1], "take_rows": x[[3, 0, 3, -1]], "take_columns": np.take(x, [5, 1, 1], axis=1),
        "transpose": x.T, "transpose_plus": x[:5, :5] + x[:5, :5].T, "swapaxes": np.swapaxes(cube, 0, 2),
        "moveaxis": np.moveaxis(cube, 0, 2), "flip": np.flip(x, 1), "diagonal": np.diagonal(x, 1),
        "reshape": x.reshape(3, 10), "reshape_open": x.reshape(2, -1, 3), "ravel": cube.ravel(),
        "concatenate_0": np.concatenate([x, y, x]), "concatenate_1": np.concatenate([x, y], axis=1),
        "stack_0": np.stack([x, y]), "stack_last": np.stack([x, y], axis=2), "roll": np.roll(x, 2, axis=1),
        "roll_back": np.roll(x, -7, axis=0), "repeat": np.repeat(x, 3, axis=1), "tile": np.tile(x, (2, 1, 2)),
        "broadcast": np.broadcast_to(x[:1], (4, 6)) + 0, "rechunk": x, "clip": np.clip(x, -2, 3),
        "where": np.where(x > 1, x, y), "arange": np.arange(3, 20, 4), "arange_float": np.arange(0.5, 3.0, 0.3),
        "linspace": np.linspace(1.0, 2.0, 7), "eye": np.eye(4, 5, 1), "tri": np.tri(4, 5, -1),
        "indices": np.indices((3, 4))[1], "matmul": f @ f.T, "matmul_vector": f @ f[0], "matmul_cube": cube @ cube[0].T,
        "matmul_integers": x @ x.T, "round_digits": np.round(f / 7, 2), "chain": np.sqrt(f * f + 1) / (np.abs(f) + 2) - f.mean(0),
        "isclose": np.isclose(f, f + 1e-9), "select": np.select([x > 3, x > 0], [x, y], -7),
        "astype": (f * 100).astype(np.int8), "weak_float": (operand("float32", (7,), 0) * 1.5), "weak_int": x + 3,
    }
    for name, answer in cases.items():
        show("structure", "int64", (), name, answer)


elementwise()
promotion()
reductions()
structure()
