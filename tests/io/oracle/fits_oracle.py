#!/usr/bin/env python3
"""Writes FITS files with astropy: pictures of all kinds, packed ones, tables; checks that weft reads them equal; damages
them, and expects an answer or an error that names the file.

usage: fits_oracle.py WEFT_IO_DUMP

Exits 77 (skipped) where there is no astropy. WEFT_TEST_PYTHON names another interpreter that has it, WEFT_MUTATIONS the
number of damaged copies of each file.
"""
import os
import sys
import tempfile
import warnings

import interpreter

interpreter.use_named()
try:
    import numpy as np
    from astropy.io import fits
except ImportError:
    interpreter.skip("astropy")
from dumped import Dumped

warnings.simplefilter("ignore")
RNG = np.random.default_rng(7)
MUTATIONS = int(os.environ.get("WEFT_MUTATIONS", "25"))
dumped = Dumped(sys.argv[1])
INTEGERS = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8"]


def values(dtype, shape):
    dtype = np.dtype(dtype)
    wave = np.cumsum(RNG.normal(size=int(np.prod(shape)))).reshape(shape)
    return (wave * 7).astype("i8").astype(dtype) if dtype.kind in "iu" else wave.astype(dtype)


def pictures(folder):
    for dtype in INTEGERS + ["f4", "f8"]:
        for shape in [(5,), (4, 6), (3, 1, 7), (2, 3, 4, 5)]:
            array = values(dtype, shape)
            path = f"{folder}/{dtype}_{len(shape)}.fits"
            fits.PrimaryHDU(array).writeto(path)
            dumped.same(path, "image", array)
        yield path
    many = fits.HDUList([fits.PrimaryHDU()] + [fits.ImageHDU(values("f4", (30 + i, 40)), name=f"SCI{i}") for i in range(3)])
    many[0].header["OBJECT"] = ("O'Neill", "a name")
    many[0].header["LONG"] = "x" * 150
    many[0].header["HIERARCH a long name"] = 1.5
    many[0].header.add_history("one line")
    many[0].header.add_history("another")
    path = f"{folder}/many.fits"
    many.writeto(path)
    for i in range(3):
        dumped.same(path, f"SCI{i}", many[i + 1].data, step=7)
    yield path
    scaled = fits.PrimaryHDU(values("f8", (20, 30)))
    scaled.scale("int16", bscale=0.01, bzero=3)
    scaled.header["BLANK"] = -32768
    scaled.writeto(f"{folder}/scaled.fits")
    with fits.open(f"{folder}/scaled.fits", do_not_scale_image_data=True) as file:
        found = dumped.same(f"{folder}/scaled.fits", "image", np.asarray(file[0].data))
    assert found["image"]["attributes"]["add_offset"] == ["3"], found["image"]["attributes"]
    yield f"{folder}/scaled.fits"


def packed(folder):
    for codec in ["RICE_1", "GZIP_1", "GZIP_2"]:
        for dtype in ["u1", "i2", "u2", "i4", "u4", "f4", "f8"]:
            if dtype == "u4" and codec == "RICE_1":
                pass
            array = values(dtype, (70, 90))
            if dtype[0] == "f":
                array[3:5, 10:20] = np.nan
                array[8] = 0
            for number, options in enumerate([{}, {"tile_shape": (32, 40)}, {"quantize_method": 1, "dither_seed": 77},
                                              {"quantize_method": 2, "dither_seed": 9999}, {"quantize_level": 0}]):
                if (dtype[0] != "f" and number > 1) or (number == 4 and codec == "RICE_1"):
                    continue
                path = f"{folder}/{codec}_{dtype}_{number}.fits"
                unit = fits.CompImageHDU(array, compression_type=codec, **options)
                unit.writeto(path)
                with fits.open(path) as file:
                    dumped.same(path, "image", np.asarray(file[1].data), step=13 if number else 0)
            yield path
    cube = values("i4", (6, 20, 30))
    path = f"{folder}/cube.fits"
    fits.CompImageHDU(cube, compression_type="RICE_1", tile_shape=(2, 7, 30)).writeto(path)
    dumped.same(path, "image", cube, step=4)
    for codec in ["PLIO_1", "HCOMPRESS_1"]:
        other = f"{folder}/{codec}.fits"
        fits.CompImageHDU(np.abs(values("i2", (40, 50))), compression_type=codec).writeto(other)
        found, done = dumped.read(other)
        assert found is None and codec in done.stderr and other in done.stderr, done.stderr
        dumped.checked += 1


def tables(folder):
    rows = 37
    columns = {"L": RNG.integers(0, 2, rows).astype(bool), "B": values("u1", rows), "I": values("i2", rows),
               "J": values("i4", rows), "K": values("i8", rows), "E": values("f4", rows), "D": values("f8", rows),
               "C": values("f4", rows).astype("c8") * 1j, "M": values("f8", rows).astype("c16") * (1 + 2j)}
    made = [fits.Column(name=f"col_{letter}", format=letter, array=array) for letter, array in columns.items()]
    made.append(fits.Column(name="unsigned", format="J", bzero=2**31, array=np.arange(rows, dtype="u4")))
    made.append(fits.Column(name="block", format="6E", dim="(3,2)", array=values("f4", (rows, 2, 3))))
    made.append(fits.Column(name="name", format="8A", array=np.array([f"star {i}" for i in range(rows)])))
    made.append(fits.Column(name="lists", format="PJ()", array=np.array([np.arange(i % 3) for i in range(rows)], dtype=object)))
    path = f"{folder}/table.fits"
    fits.BinTableHDU.from_columns(made, name="EVENTS").writeto(path)
    for letter, array in columns.items():
        dumped.same(path, f"EVENTS/col_{letter}", array, step=5)
    dumped.same(path, "EVENTS/unsigned", np.arange(rows, dtype="u4"))
    with fits.open(path) as file:
        dumped.same(path, "EVENTS/block", np.asarray(file[1].data["block"]))
        found = dumped.same(path, "EVENTS/name", np.asarray(file[1].data["name"]))
    assert found["EVENTS/lists"]["type"].startswith("lists"), found["EVENTS/lists"]
    yield path


with tempfile.TemporaryDirectory() as folder:
    paths = [path for make in (pictures, packed, tables) for path in make(folder)]
    print(f"{dumped.checked} pictures and columns of {len(paths)} files: equal")
    dumped.damage(paths, folder, MUTATIONS, RNG)
