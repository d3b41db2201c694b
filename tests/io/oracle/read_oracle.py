#!/usr/bin/env python3
"""Writes files with h5py, netCDF4, xarray and scipy, and checks that weft reads them equal.

usage: read_oracle.py WEFT_IO_DUMP

Exits 77 (skipped) where none of the packages is there. WEFT_TEST_PYTHON names another interpreter that has them.
"""
import json
import os
import subprocess
import sys
import tempfile

import interpreter

interpreter.use_named()
try:
    import h5py
    import numpy as np
except ImportError:
    interpreter.skip("h5py")

DUMP = sys.argv[1]
RNG = np.random.default_rng(20)
CHECKED = 0


def read(path, step=0):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([DUMP, path, folder, str(step)], capture_output=True, text=True)
        if done.returncode != 0:
            return None, done.stderr.strip()
        found = json.loads(done.stdout)
        for number, one in enumerate(found["variables"]):
            raw = os.path.join(folder, str(number))
            if os.path.exists(raw):
                one["bytes"] = open(raw, "rb").read()
        return found, ""


def check(path, wanted, step=0):
    """Compares with a dict from path to array; strings as lists."""
    global CHECKED
    found, error = read(path, step)
    if found is None:
        raise AssertionError(f"{path}: {error}")
    by_path = {one["path"]: one for one in found["variables"]}
    for name, array in wanted.items():
        one = by_path[name]
        if isinstance(array, list):
            assert one["texts"] == array, (path, name, one["texts"], array)
        else:
            array = np.asarray(array)
            assert one["shape"] == list(array.shape), (path, name, one["shape"], array.shape)
            native = array.astype(array.dtype.newbyteorder("="))
            assert one["bytes"] == native.tobytes(), (path, name, "values differ", one["type"])
        CHECKED += 1
    return found, by_path


def hdf5_files(folder):
    """Every layout and index, in the old and the newest file format."""
    for version in ("earliest", "v108", "v110", "v112", "v114", "latest"):
        try:
            path = f"{folder}/layouts_{version}.h5"
            with h5py.File(path, "w", libver=(version, version if version != "earliest" else "latest")) as file:
                wanted = write_layouts(file)
        except ValueError:
            continue
        check(path, wanted)
        check(path, wanted, step=7)
        path = f"{folder}/tables_{version}.h5"
        with h5py.File(path, "w", libver=(version, version if version != "earliest" else "latest")) as file:
            wanted = write_tables(file)
        check(path, wanted)
        check(path, wanted, step=7)
    path = f"{folder}/bits.h5"
    with h5py.File(path, "w") as file:
        wanted = write_bits(file)
    check(path, wanted)
    check(path, wanted, step=7)
    path = f"{folder}/types.h5"
    with h5py.File(path, "w") as file:
        wanted = write_types(file)
    check(path, wanted)
    path = f"{folder}/many.h5"
    for version in ("earliest", "latest"):
        with h5py.File(path, "w", libver=version) as file:
            wanted = write_many(file)
        found, by_path = check(path, wanted)
        attributes = by_path["deep/er/x"]["attributes"]
        assert attributes["a57"] == ["57"] or attributes["a57"] == [57], attributes
        assert len(attributes) == 101, len(attributes)
        assert len(attributes["long"]) == 3000
    path = f"{folder}/block.h5"
    with h5py.File(path, "w", userblock_size=1024) as file:
        file["x"] = np.arange(10.0)
    check(path, {"x": np.arange(10.0)})


def write_layouts(file):
    wanted = {}

    def put(name, data, **options):
        file.create_dataset(name, data=data, **options)
        wanted[name] = data

    cube = RNG.integers(0, 1000, (37, 23, 11)).astype("f4") / 8
    put("contiguous", cube)
    put("scalar", np.float64(3.5))
    put("empty", np.zeros((0, 4)))
    put("single", cube, chunks=cube.shape)
    put("single_deflate", cube, chunks=cube.shape, compression="gzip", shuffle=True)
    put("fixed", cube, chunks=(5, 7, 4))
    put("fixed_deflate", cube, chunks=(5, 7, 4), compression="gzip", compression_opts=4, shuffle=True, fletcher32=True)
    put("fixed_paged", np.arange(3000), chunks=(1,))
    put("fixed_paged_deflate", np.arange(2500, dtype="i2"), chunks=(1,), compression="gzip")
    put("checksum", cube, chunks=(10, 10, 10), fletcher32=True)
    put("grows", cube, chunks=(4, 8, 8), maxshape=(None, 23, 11))
    put("grows_deflate", cube, chunks=(4, 8, 8), maxshape=(None, 23, 11), compression="gzip")
    put("grows_middle", cube, chunks=(4, 3, 8), maxshape=(37, None, 11), compression="gzip", shuffle=True)
    put("grows_long", np.arange(20000), chunks=(3,), maxshape=(None,))
    put("grows_long_deflate", np.arange(9000), chunks=(1,), maxshape=(None,), compression="gzip")
    put("grows_fixed", cube, chunks=(4, 8, 8), maxshape=(100, 90, 50))
    put("grows_all", cube, chunks=(4, 8, 8), maxshape=(None, None, None))
    put("grows_all_deflate", cube, chunks=(3, 2, 2), maxshape=(None, None, None), compression="gzip", shuffle=True)
    put("lzf_less", cube.astype(">f4"), chunks=(8, 8, 8), compression="gzip", shuffle=True)
    holes = file.create_dataset("holes", (100, 50), "i4", chunks=(10, 10), fillvalue=-9, compression="gzip")
    holes[25:47, 3:33] = 5
    wanted["holes"] = holes[...]
    holes = file.create_dataset("holes_grow", (100,), "f8", chunks=(7,), maxshape=(None,), fillvalue=np.nan)
    holes[50:60] = 1
    wanted["holes_grow"] = holes[...]
    unwritten = file.create_dataset("unwritten", (4, 4), "f8", fillvalue=2.5)
    wanted["unwritten"] = unwritten[...]
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((6,))
    dataset = h5py.h5d.create(file.id, b"compact", h5py.h5t.NATIVE_INT32, space, compact)
    dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(6, dtype="i4"))
    wanted["compact"] = np.arange(6, dtype="i4")
    early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    early.set_chunk((4, 5))
    early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    dataset = h5py.h5d.create(file.id, b"implicit", h5py.h5t.NATIVE_INT32, h5py.h5s.create_simple((30, 31)), early)
    data = np.arange(930, dtype="i4").reshape(30, 31)
    dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, data)
    wanted["implicit"] = data
    return wanted


def write_types(file):
    wanted = {}
    for code in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"):
        for order in "<>":
            data = (RNG.random(100) * 100).astype(order + code)
            file[f"{code}{'le' if order == '<' else 'be'}"] = data
            wanted[f"{code}{'le' if order == '<' else 'be'}"] = data
    file["bool"] = np.array([True, False, True])
    wanted["bool"] = np.array([True, False, True])
    file["fixed"] = np.array([b"ab", b"cdef", b""])
    wanted["fixed"] = ["ab", "cdef", ""]
    file.create_dataset("strings", data=["one", "", "drei \u00e4"], dtype=h5py.string_dtype())
    wanted["strings"] = ["one", "", "drei \u00e4"]
    file["table"] = np.array([(1, 2.5, b"x")], dtype=[("n", "i4"), ("v", "f8"), ("s", "S4")])
    wanted["table/v"] = np.array([2.5])
    file["soft"] = h5py.SoftLink("/bool")
    wanted["soft"] = np.array([True, False, True])
    file["nowhere"] = h5py.SoftLink("/gone")
    file["outside"] = h5py.ExternalLink("other.h5", "/x")
    file["hard"] = file["bool"]
    file["named"] = np.dtype("f4")
    named = file["named"]
    file.create_dataset("of_named", data=np.arange(3, dtype="f4"), dtype=named)
    wanted["of_named"] = np.arange(3, dtype="f4")
    return wanted


def write_tables(file):
    """Records: each member is a variable, in every layout."""
    wanted = {}
    record = np.dtype([("n", "i4"), ("energy", ">f8"), ("name", "S5"), ("place", [("x", "f4"), ("yz", ">i2", (2,))]),
                       ("hits", "u2", (2, 3)), ("wave", "c8"), ("on", "?")])

    def put(name, shape, **options):
        data = np.zeros(shape, record)
        for column, values in (("n", RNG.integers(-99, 99, shape)), ("energy", RNG.random(shape)),
                               ("name", RNG.choice([b"", b"ab", b"muons"], shape)), ("wave", RNG.random(shape) * 2j),
                               ("hits", RNG.integers(0, 9, (*shape, 2, 3))), ("on", RNG.random(shape) < 0.5)):
            data[column] = values
        data["place"]["x"] = RNG.random(shape)
        data["place"]["yz"] = RNG.integers(-9, 9, (*shape, 2))
        file.create_dataset(name, data=data, **options)
        for column in ("n", "energy", "hits", "wave", "on"):
            wanted[f"{name}/{column}"] = data[column]
        wanted[f"{name}/name"] = [one.decode() for one in data["name"].ravel()]
        wanted[f"{name}/place/x"] = data["place"]["x"]
        wanted[f"{name}/place/yz"] = data["place"]["yz"]

    put("contiguous", (500,))
    put("scalar", ())
    put("plane", (7, 9))
    put("chunks", (500,), chunks=(64,))
    put("packed", (500,), chunks=(37,), maxshape=(None,), compression="gzip", shuffle=True, fletcher32=True)
    put("cube", (5, 6, 7), chunks=(2, 3, 7), compression="gzip")
    put("none", (0,), chunks=(8,), maxshape=(None,))
    default = np.zeros((), record)
    default["n"], default["energy"], default["hits"] = 7, 2.5, 3
    file.create_dataset("unwritten", (10,), record, chunks=(4,), fillvalue=default)
    wanted["unwritten/n"] = np.full(10, 7, "i4")
    wanted["unwritten/energy"] = np.full(10, 2.5)
    wanted["unwritten/hits"] = np.full((10, 2, 3), 3, "u2")
    # One member, as large as its record; an array that is no member; strings that lie elsewhere.
    file["single"] = np.array([(1.5,), (2.5,)], [("v", "f8")])
    wanted["single/v"] = np.array([1.5, 2.5])
    space = h5py.h5s.create_simple((3,))
    rows = h5py.h5d.create(file.id, b"rows", h5py.h5t.array_create(h5py.h5t.NATIVE_INT32, (4,)), space)
    numbers = np.arange(12, dtype="i4").reshape(3, 4)
    rows.write(h5py.h5s.ALL, h5py.h5s.ALL, numbers, mtype=rows.get_type())
    wanted["rows"] = numbers
    texts = np.array([(1, "one"), (2, "zwei")], [("n", "i8"), ("text", h5py.string_dtype())])
    file["texts"] = texts
    wanted["texts/text"] = ["one", "zwei"]
    wanted["texts/n"] = np.array([1, 2])
    return wanted


def write_bits(file):
    """Filters that keep only the bits that matter, and types that have only some."""
    wanted = {}
    for code in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i4", ">u2"):
        data = RNG.integers(5, 100, (37, 23)).astype(code)
        options = {"chunks": (10, 23), "scaleoffset": 0}
        file.create_dataset(f"offset_{code}", data=data, **options)
        file.create_dataset(f"filled_{code}", data=data, fillvalue=7, **options)
        file.create_dataset(f"packed_{code}", data=data, shuffle=True, compression="gzip", **options)
        file.create_dataset(f"bits_{code}", data=data, chunks=(10, 23), scaleoffset=7)
        file.create_dataset(f"partly_{code}", (37, 23), code, fillvalue=9, **options)
        file[f"partly_{code}"][3:9] = data[3:9]
        file.create_dataset(f"alike_{code}", data=np.full((37, 23), 5, code), **options)
        for name in ("offset", "filled", "packed", "bits", "partly", "alike"):
            wanted[f"{name}_{code}"] = file[f"{name}_{code}"][...]
    whole = RNG.integers(-2**62, 2**62, 100)
    file.create_dataset("wide", data=whole, chunks=(50,), scaleoffset=0)
    wanted["wide"] = whole
    for code in ("f4", "f8", ">f4"):
        data = (RNG.standard_normal((37, 23)) * 100).astype(code)
        for digits in (0, 3):
            file.create_dataset(f"decimal{digits}_{code}", data=data, chunks=(10, 23), scaleoffset=digits)
            file.create_dataset(f"decimal{digits}_fill_{code}", (37, 23), code, chunks=(10, 23), scaleoffset=digits,
                                fillvalue=-9)
            file[f"decimal{digits}_fill_{code}"][5:] = data[5:]
            for name in (f"decimal{digits}_{code}", f"decimal{digits}_fill_{code}"):
                wanted[name] = file[name][...]

    def low(name, kind, data, nbit, behind=False):
        create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        create.set_chunk((10,))
        create.set_fill_value(np.array(3, data.dtype))
        if nbit:
            create.set_filter(h5py.h5z.FILTER_NBIT, 0, ())
        if behind:
            create.set_shuffle()
            create.set_deflate(4)
        space = h5py.h5s.create_simple((100,))
        set_ = h5py.h5d.create(file.id, name.encode(), kind, space, create)
        part = h5py.h5s.create_simple((100,))
        part.select_hyperslab((0,), (85,))
        set_.write(part, part, data)
        wanted[name] = file[name][...].astype(data.dtype)

    for size, base in (("4", h5py.h5t.STD_I32LE), ("b", h5py.h5t.STD_I32BE), ("u", h5py.h5t.STD_U16LE)):
        # Newer libraries refuse types of which less than half is used.
        for precision, offset in ((9, 0), (11, 4), (9, 7), (15, 1)) if size == "u" else ((17, 0), (20, 4), (24, 8), (31, 1)):
            kind = base.copy()
            kind.set_precision(precision)
            kind.set_offset(offset)
            code = "u2" if size == "u" else "i4"
            low_, high = (0, 2**precision) if size == "u" else (-2**(precision - 1), 2**(precision - 1))
            data = RNG.integers(low_, high, 100).astype(code)
            for nbit in (False, True):
                for behind in (False, True):
                    low(f"few_{size}_{precision}_{offset}_{nbit}_{behind}", kind, data, nbit, behind)
    low("full", h5py.h5t.STD_I32LE, RNG.integers(-99, 99, 100).astype("i4"), True)
    low("floats", h5py.h5t.IEEE_F64LE, RNG.standard_normal(100), True)
    small = h5py.h5t.IEEE_F32LE.copy()
    small.set_fields(19, 13, 6, 0, 13)
    small.set_precision(20)
    small.set_ebias(31)
    values = np.array([0, 1, -1.5, 0.25, 100, -3000.5, 1e-4, 2**-33, np.inf] * 12, "f4")[:100]
    for nbit in (False, True):
        low(f"small_floats_{nbit}", small, values, nbit)
    inside = h5py.h5t.IEEE_F32BE.copy()
    inside.set_fields(26, 20, 6, 7, 13)
    inside.set_offset(7)
    inside.set_precision(20)
    inside.set_size(4)
    inside.set_ebias(31)
    for nbit in (False, True):
        low(f"inner_floats_{nbit}", inside, values, nbit)
    return wanted


def write_many(file):
    """More links and attributes than a header holds."""
    wanted = {}
    group = file.create_group("deep").create_group("er")
    group["x"] = np.arange(3)
    for number in range(100):
        group["x"].attrs[f"a{number}"] = str(number) if number % 2 else number
    group["x"].attrs.create("long", np.arange(3000.0))
    wanted["deep/er/x"] = np.arange(3)
    for number in range(3000):
        wanted[f"deep/v{number}"] = np.full(2, number)
        file["deep"][f"v{number}"] = np.full(2, number)
    return wanted


def netcdf_files(folder):
    try:
        import netCDF4
    except ImportError:
        return
    data = RNG.random((7, 5, 6)).astype("f4")
    for form in ("NETCDF4", "NETCDF4_CLASSIC", "NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"):
        path = f"{folder}/{form}.nc"
        with netCDF4.Dataset(path, "w", format=form) as file:
            file.title = "a title"
            file.createDimension("time", None)
            file.createDimension("lat", 5)
            file.createDimension("lon", 6)
            file.createDimension("letters", 4)
            time = file.createVariable("time", "f8", ("time",))
            time.units = "days since 2000-01-01"
            time[:] = np.arange(7)
            tas = file.createVariable("tas", "f4", ("time", "lat", "lon"), zlib=form.startswith("NETCDF4"))
            tas.valid_range = np.array([0, 1], "f4")
            tas[:] = data
            short = file.createVariable("short", "i2", ("time", "lon"))
            short[:] = np.arange(42).reshape(7, 6)
            byte = file.createVariable("byte", "i1", ("time",))
            byte[:] = np.arange(7)
            fixed = file.createVariable("fixed", "i4", ("lat", "lon"))
            fixed[:] = np.arange(30).reshape(5, 6)
            names = file.createVariable("names", "S1", ("lat", "letters"))
            names[:] = netCDF4.stringtochar(np.array(["a", "bc", "def", "", "ghij"], "S4"))
        texts = ["a", "bc", "def", "", "ghij"] if form.startswith("NETCDF3") else None
        wanted = {"time": np.arange(7.0), "tas": data, "short": np.arange(42, dtype="i2").reshape(7, 6),
                  "byte": np.arange(7, dtype="i1"), "fixed": np.arange(30, dtype="i4").reshape(5, 6)}
        if texts:
            wanted["names"] = texts
        found, by_path = check(path, wanted)
        check(path, wanted, step=3)
        assert by_path["tas"]["dims"] == ["time", "lat", "lon"], by_path["tas"]["dims"]
        assert by_path["time"]["attributes"]["units"] == ["days since 2000-01-01"]
        assert found["groups"][0]["attributes"]["title"] == ["a title"]
        assert "lat" not in by_path, "a dimension is no variable"
        order = [one["path"] for one in found["variables"]]
        assert order == ["time", "tas", "short", "byte", "fixed", "names"], order


def damaged_files(folder):
    """Whatever the bytes are: an answer or an error that names the file, and no crash."""
    seeds = [f"{folder}/layouts_earliest.h5", f"{folder}/layouts_latest.h5", f"{folder}/types.h5",
             f"{folder}/bits.h5",
             f"{folder}/tables_earliest.h5", f"{folder}/tables_latest.h5",
             f"{folder}/NETCDF4.nc", f"{folder}/NETCDF3_CLASSIC.nc", f"{folder}/NETCDF3_64BIT_DATA.nc"]
    count = int(os.environ.get("WEFT_MUTATIONS", "12"))
    refused = 0
    for seed in seeds:
        if not os.path.exists(seed):
            continue
        whole = open(seed, "rb").read()
        for turn in range(count):
            data = bytearray(whole)
            if turn % 4 == 3:
                data = data[: RNG.integers(0, len(data))]
            else:
                for _ in range(RNG.integers(1, 40)):
                    data[RNG.integers(0, len(data) if turn % 2 else min(len(data), 4096))] = RNG.integers(0, 256)
            path = f"{folder}/damaged"
            open(path, "wb").write(data)
            with tempfile.TemporaryDirectory() as out:
                done = subprocess.run([DUMP, path, out], capture_output=True, timeout=60)
            assert done.returncode in (0, 1), (seed, turn, done.returncode, done.stderr[-300:])
            if done.returncode == 1:
                refused += 1
                assert b"damaged'" in done.stderr, done.stderr
    print(f"{refused} damaged files were refused")


def main():
    with tempfile.TemporaryDirectory() as folder:
        hdf5_files(folder)
        netcdf_files(folder)
        damaged_files(folder)
    print(f"{CHECKED} variables are equal")


main()
