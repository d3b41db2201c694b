#!/usr/bin/env python3
"""Compares line_of_sight with a march along every line in steps of a two-hundredth of a cell, and its reader of LAS files
with another one. usage: oracle.py PROGRAM

Ends with 77 where NumPy is not installed.
"""
import math
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

MASK = 2**64 - 1
EMPTY = numpy.float32(-1e30)
STEPS = 200
LENGTHS = {0: 20, 1: 28, 2: 26, 3: 34}


def uniform(state):
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield float((z ^ (z >> 31)) >> 11) / 9007199254740992.0


def write_las(path, points, kind, offset):
    """A header with a record of variable length before the points, and an offset of coordinates."""
    extra = b"\x01" * 54
    integers = numpy.rint((points - offset) * 100).astype("<i4")
    header = bytearray(227)
    header[:4] = b"LASF"
    header[24:26] = 1, 2
    struct.pack_into("<HIIBHI", header, 94, 227, 227 + len(extra), 1, kind, LENGTHS[kind] + 3, len(points))
    struct.pack_into("<6d", header, 131, 0.01, 0.01, 0.01, *offset)
    bounds = integers * 0.01 + offset
    for axis in range(3):
        struct.pack_into("<2d", header, 179 + 16 * axis, bounds[:, axis].max(), bounds[:, axis].min())
    records = numpy.zeros((len(points), LENGTHS[kind] + 3), dtype="u1")
    records[:, :12] = integers.view("u1").reshape(len(points), 12)
    path.write_bytes(bytes(header) + extra + records.tobytes())


def read_las(path):
    data = path.read_bytes()
    begin, = struct.unpack_from("<I", data, 96)
    length, count = struct.unpack_from("<HI", data, 105)
    numbers = struct.unpack_from("<6d", data, 131)
    records = numpy.frombuffer(data, dtype="u1", count=length * count, offset=begin).reshape(count, length)
    return records[:, :12].copy().view("<i4") * numpy.array(numbers[:3]) + numpy.array(numbers[3:])


def make_folder(folder):
    """A landscape of 200 x 90 cells away from the origin, with holes and towers."""
    random = numpy.random.default_rng(3)
    for kind in range(4):
        x = 500_000 + 50 * kind + 51 * random.random(9000)
        y = 4_000_000 - 20 + 90 * random.random(9000)
        z = 50 + 5 * numpy.sin(x / 17) + 4 * numpy.cos(y / 9) + 12 * ((x // 7 + y // 5) % 11 == 0)
        write_las(folder / f"part{kind}.las", numpy.stack([x, y, z], axis=1), kind, numpy.array([500_000.0, 4_000_000.0, 0.0]))


def surface_of(folder):
    points = numpy.concatenate([read_las(path) for path in sorted(folder.glob("*.las"))])
    cells = numpy.floor(points[:, :2]).astype(int)
    west, south = cells.min(axis=0)
    columns, rows = cells.max(axis=0) + 1 - (west, south)
    seen = numpy.full((rows + 2, columns + 2), EMPTY, dtype="f4")
    numpy.maximum.at(seen, (cells[:, 1] - south + 1, cells[:, 0] - west + 1), points[:, 2].astype("f4"))
    around = numpy.max([seen[1 + dy:rows + 1 + dy, 1 + dx:columns + 1 + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)], axis=0)
    own = seen[1:-1, 1:-1]
    assert (own == EMPTY).any()
    return (west, south), numpy.where(own == EMPTY, around, own).astype("f8")


def clearance(surface, line):
    """How far the line is above the cells between its ends, at the least place of a march."""
    x0, y0, z0, x1, y1, z1 = line
    z0 += surface[int(y0), int(x0)]
    z1 += surface[int(y1), int(x1)]
    count = max(2, int(math.hypot(x1 - x0, y1 - y0) * STEPS))
    t = (numpy.arange(count) + 0.5) / count
    column, row = numpy.floor(x0 + t * (x1 - x0)).astype(int), numpy.floor(y0 + t * (y1 - y0)).astype(int)
    ends = ((column == int(x0)) & (row == int(y0))) | ((column == int(x1)) & (row == int(y1)))
    above = z0 + t * (z1 - z0) - surface[row, column]
    return above[~ends].min(initial=math.inf)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_folder(folder)
        printed = subprocess.run([sys.argv[1], name, f"{name}/result"], stdout=subprocess.PIPE, text=True, check=True).stdout
        corner, links, seen = (folder / "result").read_text().splitlines()
        origin, surface = surface_of(folder)
    rows, columns = surface.shape
    assert [int(word) for word in corner.split()] == [*origin, columns, rows], corner
    random = uniform(23)
    lines = []
    for _ in range(2000):
        x0, y0, x1, y1 = (next(random) * size for size in (columns, rows, columns, rows))
        lines.append((x0, y0, 8.0, x1, y1, 1.5))
    middle = (columns / 2 + 0.25, rows / 2 + 0.25, 20.0)
    lines += [(*middle, c + 0.5, r + 0.5, 1.5) for r in range(rows) for c in range(columns)]
    answers = [letter == "1" for letter in links + seen]
    assert len(answers) == len(lines)
    assert 0.1 < sum(answers[:2000]) / 2000 < 0.9 and 0.1 < sum(answers[2000:]) / len(seen) < 0.9, printed
    wrong = missed = 0
    for line, answer in zip(lines, answers):
        above = clearance(surface, line)
        # A march steps over corners that are shorter than a step: then what is in the way stands there unseen.
        wrong += answer and above < -1e-9
        missed += not answer and above >= 0
    print(f"{len(lines)} lines: {sum(answers)} free; {missed} meet a corner shorter than a step of the march")
    assert wrong == 0, f"{wrong} lines are said to be free and are not"
    assert missed <= len(lines) // 500, missed


if __name__ == "__main__":
    main()
