#!/usr/bin/env python3
"""Writes .npy and .npz files with NumPy, TIFF with tifffile and Pillow, GeoTIFF with rasterio, PNG with Pillow, and
checks that weft reads them equal; damages them, and expects an answer or an error that names the file. With the `weft`
command as the second argument, what it writes is read by these programs, too.

usage: picture_oracle.py WEFT_IO_DUMP [WEFT]

Exits 77 (skipped) where there is no NumPy; what is done with packages that are not there is left out, and said.
WEFT_TEST_PYTHON names another interpreter that has them, WEFT_MUTATIONS the number of damaged copies of each file.
"""
import importlib
import os
import subprocess
import sys
import tempfile
import warnings

import interpreter

interpreter.use_named()
try:
    import numpy as np
except ImportError:
    interpreter.skip("NumPy")
from dumped import Dumped

warnings.simplefilter("ignore")


def optional(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"no {name} here: its files are left out")
        return None


tifffile, rasterio, image = optional("tifffile"), optional("rasterio"), optional("PIL.Image")
imagecodecs = tifffile and optional("imagecodecs")
DUMP = sys.argv[1]
WEFT = sys.argv[2] if len(sys.argv) > 2 else None
RNG = np.random.default_rng(7)
MUTATIONS = int(os.environ.get("WEFT_MUTATIONS", "25"))
dumped = Dumped(DUMP)


def values(dtype, shape):
    """Numbers that look like a picture: neighbours are near."""
    dtype = np.dtype(dtype)
    wave = np.cumsum(RNG.normal(size=int(np.prod(shape)))).reshape(shape)
    if dtype.kind == "c":
        return (wave + 1j * wave[::-1]).astype(dtype)
    return (wave * (1 if dtype.kind == "f" else 7)).astype("i8" if dtype.kind in "iu" else "f8").astype(dtype)


def numpy_files(folder):
    for number, dtype in enumerate(["<f4", ">f8", "i1", ">u2", "i8", "?", "c8", ">c16", "f2", "<M8[s]", "u8"]):
        for shape in [(), (5,), (4, 6), (3, 1, 7)]:
            array = values("f8", shape).astype(dtype) if dtype != "<M8[s]" else values("i8", shape).astype(dtype)
            path = f"{folder}/n{number}_{len(shape)}.npy"
            np.save(path, array)
            dumped.same(path, "array", array)
    turned = np.asfortranarray(values("f4", (5, 6, 7)))
    np.save(f"{folder}/turned.npy", turned)
    dumped.same(f"{folder}/turned.npy", "array", turned)
    many = {"x": values("f4", (30, 40)), "turned": turned, "t": np.array(["a", "bcé"]), "one": np.float64(3.5),
            "none": np.zeros((0, 3)), "large": values("f8", (400, 500))}
    for name, save in (("stored", np.savez), ("packed", np.savez_compressed)):
        path = f"{folder}/{name}.npz"
        save(path, **many)
        for member, array in many.items():
            dumped.same(path, member, np.asarray(array))
            yield path
        dumped.same(path, "large", many["large"], step=7)


def tiff_files(folder):
    packings = [None, "deflate", "packbits"] + (["lzw", "zstd"] if imagecodecs else [])
    number = 0
    for packing in packings:
        for dtype in ["u1", "u2", "i2", "i4", "u4", "i8", "f2", "f4", "f8", "c8"]:
            for settings in [{}, {"tile": (16, 32)}, {"rowsperstrip": 7}, {"tile": (32, 16), "bigtiff": True, "byteorder": ">"}]:
                predictor = None
                if packing not in (None, "packbits") and number % 2 and dtype != "c8" and (imagecodecs or dtype[0] != "f"):
                    predictor = 3 if dtype[0] == "f" else 2
                shape, more = [((33, 50), {"photometric": "minisblack"}), ((20, 31, 3), {"photometric": "rgb"}),
                               ((3, 20, 31), {"photometric": "minisblack", "planarconfig": "separate"}),
                               ((4, 33, 20), {"photometric": "minisblack"})][number % 4]
                if "planarconfig" in more and dtype == "c8":
                    shape, more = (33, 50), {"photometric": "minisblack"}
                array = values(dtype, shape)
                path = f"{folder}/t{number}.tif"
                layout = {key: value for key, value in settings.items() if key not in ("bigtiff", "byteorder")}
                file = {key: value for key, value in settings.items() if key in ("bigtiff", "byteorder")}
                number += 1
                try:
                    with tifffile.TiffWriter(path, **file) as writer:
                        writer.write(array, compression=packing, predictor=predictor, metadata=None, **layout, **more)
                except (ValueError, KeyError, TypeError, RuntimeError) as refused:
                    print(f"tifffile does not write {dtype} {packing} {predictor} {settings}: {refused}")
                    continue
                dumped.same(path, "image", array)
                dumped.same(path, "image", array, step=5)
                if number % 12 == 0:
                    yield path


def pillow_files(folder):
    grey = values("u1", (40, 53))
    for number, packing in enumerate(["raw", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits"]):
        for mode, array in (("L", grey), ("RGB", values("u1", (40, 53, 3))), ("1", grey > 128), ("I;16", values("u2", (40, 53)))):
            path = f"{folder}/p{number}_{mode.replace(';', '_')}.tif"
            image.fromarray(array if mode != "1" else grey > 128).save(path, compression=None if packing == "raw" else packing)
            dumped.same(path, "image", array.astype("u1") if mode == "1" else array)
        yield path
    stack = [image.fromarray(values("u1", (20, 30))) for _ in range(3)]
    path = f"{folder}/stack.tif"
    stack[0].save(path, save_all=True, append_images=stack[1:], compression="tiff_lzw")
    dumped.same(path, "image", np.stack([np.asarray(one) for one in stack]))
    for mode, array in (("L", grey), ("RGB", values("u1", (40, 53, 3))), ("RGBA", values("u1", (40, 53, 4))),
                        ("LA", values("u1", (40, 53, 2))), ("1", grey > 128), ("I;16", values("u2", (40, 53)))):
        path = f"{folder}/{mode.replace(';', '_')}.png"
        image.fromarray(array, mode if mode == "LA" else None).save(path)
        dumped.same(path, "image", array.astype("u1") if mode == "1" else array)
        yield path


def map_files(folder):
    from rasterio.transform import Affine
    for number, (dtype, bands, settings) in enumerate([
            ("u2", 1, {"tiled": True, "blockxsize": 32, "blockysize": 16, "compress": "lzw", "predictor": 2}),
            ("f4", 3, {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate", "predictor": 3}),
            ("i2", 2, {"interleave": "band", "compress": "zstd"}),
            ("f4", 1, {"compress": "lzw", "nodata": -9999.0}),
            ("u1", 4, {"interleave": "pixel", "compress": "packbits", "BIGTIFF": "YES"})]):
        array = values(dtype, (bands, 60, 83))
        path = f"{folder}/map{number}.tif"
        with rasterio.open(path, "w", driver="GTiff", width=83, height=60, count=bands, dtype=np.dtype(dtype), crs="EPSG:32633",
                           transform=Affine(10, 0, 500000, 0, -20, 5200000), **settings) as out:
            out.write(array)
        # Bands of a pixel lie side by side unless they are told not to.
        apart = settings.get("interleave") == "band" or bands == 1
        found = dumped.same(path, "image", array[0] if bands == 1 else array if apart else np.moveaxis(array, 0, -1))
        assert found["image"]["attributes"]["crs"] == ["EPSG:32633"], found["image"]["attributes"]
        if "nodata" in settings:
            assert [float(one) for one in found["image"]["attributes"]["_FillValue"]] == [-9999.0]
        assert np.allclose(np.frombuffer(found["x"]["bytes"]), 500005 + 10 * np.arange(83))
        assert np.allclose(np.frombuffer(found["y"]["bytes"]), 5199990 - 20 * np.arange(60))
        yield path
    with rasterio.open(path, "r+") as out:
        out.build_overviews([2])
    assert "overview" in dumped.read(path)[0]


def what_weft_writes(folder):
    """GDAL and tifffile read what `weft convert` makes of maps."""
    if not (WEFT and rasterio):
        return
    for number, codec in enumerate(["deflate", "zstd", "none"]):
        source, target = f"{folder}/map{number}.tif", f"{folder}/out{number}.tif"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
        subprocess.run([WEFT, "convert", source, target, "--codec", codec, "--quiet"], check=True, env=environment)
        with rasterio.open(source) as a, rasterio.open(target) as b:
            assert np.array_equal(a.read(), b.read()), (source, target)
            assert a.transform == b.transform and a.crs == b.crs, (a.transform, b.transform, a.crs, b.crs)
        if tifffile:
            assert tifffile.imread(target).size > 0
    print("what weft writes is read equal")


with tempfile.TemporaryDirectory() as folder:
    paths = set(numpy_files(folder))
    for there, files in ((tifffile, tiff_files), (image, pillow_files), (rasterio, map_files)):
        if there:
            paths |= set(files(folder))
    dumped.damage(sorted(paths), folder, MUTATIONS, RNG)
    what_weft_writes(folder)
print(f"{dumped.checked} arrays read equal")
