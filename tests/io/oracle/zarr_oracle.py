#!/usr/bin/env python3
"""Writes Zarr stores with zarr-python and xarray, and checks that weft reads them equal; damages them, and expects an
answer or an error that names the file.

usage: zarr_oracle.py WEFT_IO_DUMP

Exits 77 (skipped) where there is no zarr. WEFT_TEST_PYTHON names another interpreter that has it, WEFT_MUTATIONS the
number of damaged copies.
"""
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import warnings

import interpreter

interpreter.use_named()
try:
    import numcodecs
    import numpy as np
    import zarr
    import zarr.codecs as codecs
except ImportError:
    interpreter.skip("zarr")
from dumped import Dumped

warnings.simplefilter("ignore")

DUMP = sys.argv[1]
RNG = np.random.default_rng(7)
MUTATIONS = int(os.environ.get("WEFT_MUTATIONS", "60"))
dumped = Dumped(DUMP)
same = dumped.same


def values(dtype, shape):
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return RNG.random(shape) < 0.5
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return RNG.integers(info.min, info.max, shape, dtype.newbyteorder("="), endpoint=True).astype(dtype)
    if dtype.kind == "c":
        return (RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)).astype(dtype)
    if dtype.kind in "mM":
        return RNG.integers(-(2**40), 2**40, shape).astype(dtype)
    return RNG.standard_normal(shape).astype(dtype)


SHAPES = [((13, 7), (4, 3)), ((13, 7), (13, 7)), ((5,), (2,)), ((2, 3, 4), (1, 3, 3)), ((), ()), ((0, 4), (2, 2))]
TYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]


def stores(folder):
    """Yields (path, array) of every kind of store that is to be read."""
    number = itertools.count()

    def create(array, chunks, **settings):
        path = f"{folder}/s{next(number)}.zarr"
        made = zarr.create_array(store=path, shape=array.shape, chunks=chunks, dtype=array.dtype, **settings)
        if array.size:
            made[...] = array
        return path, np.asarray(made[...])

    for version in (2, 3):
        for dtype in TYPES:
            for shape, chunks in SHAPES if dtype in ("f4", "i8") else SHAPES[:1]:
                yield create(values(dtype, shape), chunks, zarr_format=version)
        for dtype in (">f4", ">i8", ">c16"):
            yield create(values(dtype, (13, 7)), (4, 3), zarr_format=version)
        for fill in (0, 1.5, float("nan"), float("inf"), -float("inf")):
            path, _ = create(values("f8", (6, 6)), (3, 4), zarr_format=version, fill_value=fill)
            made = zarr.open_array(path)
            made.resize((9, 11))
            yield path, made[...]
        yield create(values("f4", (13, 7)), (4, 3), zarr_format=version, order="F")
        yield create(np.array([["a", "", "été"], ["日本", "x" * 100, "z"]], "U100"), (1, 2), zarr_format=version)
        yield create(np.array(["a", "", "été", "日本" * 50], np.dtypes.StringDType()), (3,), zarr_format=version)
        for separator in "./":
            settings = {"name": "default" if version == 3 else "v2", "separator": separator}
            yield create(values("i4", (13, 7)), (4, 3), zarr_format=version, chunk_key_encoding=settings)
    yield create(values("i4", (13, 7)), (4, 3), chunk_key_encoding={"name": "v2", "separator": "."})
    for unit in ("s", "ns", "D"):
        yield create(values(f"M8[{unit}]", (6,)), (4,), zarr_format=2)
        yield create(values(f"m8[{unit}]", (6,)), (4,), zarr_format=2)
    yield create(values("M8[ms]", (6,)), (4,), zarr_format=3)
    smooth = np.add.outer(np.arange(40), np.arange(30)).astype("f4")
    for compressor in (None, numcodecs.Zlib(4), numcodecs.GZip(3), numcodecs.Zstd(5), numcodecs.LZ4(),
                       *[numcodecs.Blosc(name, 5, shuffle) for name in ("lz4", "zstd", "zlib", "blosclz", "lz4hc") for shuffle in (0, 1, 2)]):
        yield create(smooth, (16, 11), zarr_format=2, compressors=compressor)
    for filters in ([numcodecs.Shuffle(4)], [numcodecs.Fletcher32()], [numcodecs.CRC32()], [numcodecs.Adler32()],
                    [numcodecs.Delta("<i4")], [numcodecs.Delta("<i4"), numcodecs.Shuffle(4)]):
        array = smooth.astype("i4") if isinstance(filters[0], numcodecs.Delta) else smooth
        yield create(array, (16, 11), zarr_format=2, filters=filters, compressors=numcodecs.Zstd(1))
    for chain in ([codecs.GzipCodec(level=2)], [codecs.ZstdCodec(level=3)], [codecs.ZstdCodec(level=1, checksum=True)],
                  [codecs.ZstdCodec(level=1), codecs.Crc32cCodec()], [codecs.Crc32cCodec()], [],
                  *[[codecs.BloscCodec(cname=name, clevel=5, shuffle=shuffle, typesize=4)] for name in ("lz4", "zstd")
                    for shuffle in ("noshuffle", "shuffle", "bitshuffle")]):
        yield create(smooth, (16, 11), compressors=chain)
        yield create(smooth, (8, 5), shards=(16, 15), compressors=chain)
    for order in ((1, 0, 2), (2, 1, 0), (1, 2, 0)):
        yield create(values("f8", (5, 6, 7)), (2, 4, 3), filters=[codecs.TransposeCodec(order=order)])
    for location in ("start", "end"):
        path, array = create(values("f8", (30, 20)), (4, 5),
                             shards={"shape": (12, 10), "index_location": location})
        yield path, array
    # Shards with chunks that were never written.
    path, _ = create(np.zeros((0, 0)), (2, 2), shards=(8, 8), fill_value=-1)
    made = zarr.open_array(path)
    made.resize((20, 20))
    made[3:5, 9:13] = 7
    yield path, made[...]


def check_groups(folder):

    for version, consolidated in itertools.product((2, 3), (False, True)):
        path = f"{folder}/g{version}{consolidated}.zarr"
        group = zarr.open_group(path, mode="w", zarr_format=version)
        group.attrs.update({"title": "a \"quoted\" ünï", "n": 3, "x": 1.5, "list": [1, 2], "odd": {"a": [1, "b"]}})
        inner = group.create_group("inner")
        for place, name in ((group, "a"), (inner, "b"), (inner.create_group("deep"), "c")):
            made = place.create_array(name, shape=(7, 5), chunks=(3, 2), dtype="f4")
            made[...] = values("f4", (7, 5))
            made.attrs["units"] = "K"
        if consolidated:
            zarr.consolidate_metadata(path)
        for name in ("a", "inner/b", "inner/deep/c"):
            found = same(path, name, group[name][...])
            assert found[name]["attributes"] == {"units": ["K"]}, found[name]["attributes"]
        same(path + "/inner/b", "b", group["inner/b"][...], step=2)
    try:
        import xarray as xr
    except ImportError:
        return
    for version, consolidated in itertools.product((2, 3), (False, True)):
        path = f"{folder}/x{version}{consolidated}.zarr"
        data = xr.Dataset({"t": (("time", "lat"), values("f4", (6, 4)), {"units": "K"})},
                          {"time": np.arange(6), "lat": np.linspace(-1, 1, 4)}, {"title": "x"})
        data.t[2, 1] = np.nan
        data.to_zarr(path, zarr_format=version, consolidated=consolidated, encoding={"t": {"chunks": (4, 3)}})
        found = same(path, "t", data.t.values)
        assert found["t"]["dims"] == ["time", "lat"], found["t"]
        assert found["t"]["attributes"]["units"] == ["K"] and found["t"]["attributes"]["_FillValue"] == ["nan"], found["t"]
        same(path, "lat", data.lat.values)


def damage(folder):
    """Whatever the bytes are: an answer, or an error that names the store."""
    sources = []
    array = values("f4", (30, 20))
    for settings in ({"zarr_format": 2, "compressors": numcodecs.Blosc("lz4")}, {"zarr_format": 2, "compressors": numcodecs.LZ4()},
                     {"shards": (12, 10)}, {"compressors": [codecs.GzipCodec(), codecs.Crc32cCodec()]}):
        path = f"{folder}/source{len(sources)}.zarr"
        zarr.create_array(store=path, shape=array.shape, chunks=(4, 5), dtype="f4", **settings)[...] = array
        sources.append(path)
    answers = 0
    for turn in range(MUTATIONS):
        copy = f"{folder}/copy.zarr"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(sources[turn % len(sources)], copy)
        files = sorted(os.path.join(at, name) for at, _, names in os.walk(copy) for name in names)
        described = [name for name in files if name.endswith((".zarray", "zarr.json"))]
        target = str(RNG.choice(described if turn % 3 == 0 else files))
        data = bytearray(open(target, "rb").read())
        how = RNG.integers(3)
        if how == 0 and data:
            data = data[: RNG.integers(len(data))]
        else:
            for _ in range(RNG.integers(1, 4)):
                if data:
                    data[RNG.integers(len(data))] = RNG.integers(256) if how == 1 else ord(RNG.choice(list("0123456789-[]{}\",.")))
        open(target, "wb").write(bytes(data))
        with tempfile.TemporaryDirectory() as out:
            done = subprocess.run([DUMP, copy, out, "0"], capture_output=True, text=True, errors="replace", timeout=60)
        assert done.returncode in (0, 1), (turn, target, done.returncode, done.stderr)
        assert done.returncode == 0 or "copy.zarr" in done.stderr, (turn, target, done.stderr)
        answers += 1
    print(f"{answers} damaged stores: an answer or an error for each")


with tempfile.TemporaryDirectory() as folder:
    for path, array in stores(folder):
        same(path, os.path.basename(path)[:-5], array)
        if array.ndim and array.dtype.kind not in "OUTS":
            same(path, os.path.basename(path)[:-5], array, step=3)
    check_groups(folder)
    damage(folder)
print(f"{dumped.checked} arrays read equal")
