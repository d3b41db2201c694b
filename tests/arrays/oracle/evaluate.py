#!/usr/bin/env python3
"""Evaluates NumPy expressions, one a line, for array_fuzz_test.cpp: the type, shape and elements, or `error WHAT`."""
import sys

import numpy as np


def op(dtype, shape, which):
    """As operand() of write_answers.py."""
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
    if isinstance(value, np.complexfloating):
        return f"{float(value.real).hex()},{float(value.imag).hex()}"
    if isinstance(value, np.floating):
        return float(value).hex()
    return str(int(value))


def main():
    names = {"np": np, "op": op}
    with np.errstate(all="ignore"):
        for line in sys.stdin:
            try:
                answer = np.asarray(eval(line, names))  # pylint: disable=eval-used
                words = [str(answer.dtype), "x".join(map(str, answer.shape)) or "-", *[element(one) for one in answer.ravel()]]
                print(" ".join(words), flush=True)
            except Exception as error:  # pylint: disable=broad-except
                print(f"error {type(error).__name__}: {error}".replace("\n", " "), flush=True)


if __name__ == "__main__":
    import warnings
    warnings.simplefilter("ignore")
    main()
