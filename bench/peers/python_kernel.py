"""The task bodies of Python's systems: the same compiled functions that the C++ systems call.

A module of its own, so that worker processes import it by name. WEFT_PEER_KERNEL names the library.
"""

import ctypes
import os

_library = ctypes.CDLL(os.environ["WEFT_PEER_KERNEL"])
_u64 = ctypes.c_uint64
_i64 = ctypes.c_int64
for _name, _result, _arguments in (
    ("weft_source_value", _u64, [_u64]),
    ("weft_extend_value", _u64, [_u64]),
    ("weft_combine_values", _u64, [_u64, _u64]),
    ("weft_compute_bound", ctypes.c_double, [_i64]),
    ("weft_shape_inputs", ctypes.c_int, [ctypes.c_char_p, _u64, _u64, ctypes.POINTER(_u64)]),
    ("weft_pattern_dependencies", ctypes.c_int,
     [ctypes.c_char_p, _i64, _i64, _i64, _i64, _i64, ctypes.POINTER(_i64)]),
    ("weft_pattern_width", _i64, [ctypes.c_char_p, _i64, _i64, _i64, _i64]),
):
    _function = getattr(_library, _name)
    _function.restype = _result
    _function.argtypes = _arguments


def source(index):
    return _library.weft_source_value(index)


def extend(value):
    return _library.weft_extend_value(value)


def combine(left, right):
    return _library.weft_combine_values(left, right)


def compute_bound(iterations):
    """Runs the kernel; ctypes releases the interpreter lock meanwhile."""
    return _library.weft_compute_bound(iterations)


def run_point(step, point, iterations, dependencies, *inputs):
    """Checks that `inputs` are the payloads of `dependencies` at step - 1, runs the kernel, and returns the payload."""
    valid = 0
    for dependency, payload in zip(dependencies, inputs):
        if payload[0] == step - 1 and payload[1] == dependency:
            valid += 1
    if len(inputs) != len(dependencies):
        valid = 0
    if iterations > 0:
        compute_bound(iterations)
    return (step, point, valid)


def shape_inputs(shape, tasks):
    """Returns, for each task, the tuple of the earlier tasks it takes."""
    count = 2 * (tasks // 2) - 1 if shape == "tree" else tasks
    two = (_u64 * 2)()
    inputs = []
    for index in range(count):
        number = _library.weft_shape_inputs(shape.encode(), tasks, index, two)
        if number < 0:
            raise ValueError(f"no shape is named {shape!r}")
        inputs.append(tuple(two[:number]))
    return inputs


def shape_values(inputs):
    """Returns the value of every task of a shape, computed in order here."""
    values = []
    for index, taken in enumerate(inputs):
        if not taken:
            values.append(source(index))
        elif len(taken) == 1:
            values.append(extend(values[taken[0]]))
        else:
            values.append(combine(values[taken[0]], values[taken[1]]))
    return values


def pattern_dependencies(pattern, width, steps, radix):
    """Returns, for each step, for each point, the tuple of the points of the step before that it takes."""
    name = pattern.encode()
    found = (_i64 * max(width, radix, 3))()
    grid = []
    for step in range(steps):
        points = _library.weft_pattern_width(name, width, steps, radix, step)
        if points < 0:
            raise ValueError(f"no pattern is named {pattern!r}")
        row = []
        for point in range(points):
            count = _library.weft_pattern_dependencies(name, width, steps, radix, step, point, found)
            row.append(tuple(found[:count]))
        grid.append(row)
    return grid
