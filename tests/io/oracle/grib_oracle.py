#!/usr/bin/env python3
"""Writes GRIB files with ecCodes, and checks that weft reads what cfgrib reads; damages them, and expects an answer or an
error that names the file.

usage: grib_oracle.py WEFT_IO_DUMP

Exits 77 (skipped) where there is no cfgrib, or where this build of weft lacks ecCodes. WEFT_TEST_PYTHON names another
interpreter that has it, WEFT_MUTATIONS the number of damaged copies.
"""
import json
import os
import subprocess
import sys
import tempfile
import warnings

import interpreter

interpreter.use_named()
try:
    import cfgrib
    import eccodes
    import numpy as np
except (ImportError, RuntimeError):
    interpreter.skip("cfgrib")
warnings.simplefilter("ignore")

DUMP = sys.argv[1]
RNG = np.random.default_rng(3)
MUTATIONS = int(os.environ.get("WEFT_MUTATIONS", "120"))


def message(file, sample, keys, values=None, missing=None):
    handle = eccodes.codes_grib_new_from_samples(sample)
    try:
        for key, value in keys.items():
            eccodes.codes_set(handle, key, value)
        if values is None:
            values = RNG.normal(250, 20, eccodes.codes_get_size(handle, "values"))
        if missing is not None:
            eccodes.codes_set(handle, "bitmapPresent", 1)
            eccodes.codes_set(handle, "missingValue", 9999.0)
            values = np.where(missing, 9999.0, values)
        eccodes.codes_set_values(handle, values)
        eccodes.codes_write(handle, file)
    finally:
        eccodes.codes_release(handle)


def grid(columns, rows):
    return {"Ni": columns, "Nj": rows, "latitudeOfFirstGridPointInDegrees": 60,
            "latitudeOfLastGridPointInDegrees": 60 - (rows - 1), "longitudeOfFirstGridPointInDegrees": 0,
            "longitudeOfLastGridPointInDegrees": columns - 1, "iDirectionIncrementInDegrees": 1.0,
            "jDirectionIncrementInDegrees": 1.0}


def write_files(folder):
    files = []
    for edition in (1, 2):
        surface, level = f"regular_ll_sfc_grib{edition}", f"regular_ll_pl_grib{edition}"
        files.append(f"{folder}/cube{edition}.grib")
        with open(files[-1], "wb") as file:
            for date, clock in ((20200101, 0), (20200101, 1200), (20200102, 0)):
                when = {**grid(12, 7), "dataDate": date, "dataTime": clock}
                for pressure in (500, 1000, 850):
                    for name in ("t", "u"):
                        message(file, level, {**when, "level": pressure, "shortName": name}, RNG.normal(250, 20, 84))
                message(file, surface, {**when, "shortName": "2t"}, RNG.normal(280, 9, 84), RNG.random(84) < 0.2)
                for step in (6, 12):
                    message(file, surface, {**when, "shortName": "msl", "stepRange": str(step)}, RNG.normal(1e5, 500, 84))
        # A cube with holes: messages that are not there are NaN.
        files.append(f"{folder}/holes{edition}.grib")
        with open(files[-1], "wb") as file:
            for date, pressure in ((20200101, 500), (20200102, 850)):
                message(file, level, {**grid(12, 7), "dataDate": date, "level": pressure, "shortName": "t"}, RNG.normal(250, 20, 84))
        files.append(f"{folder}/reduced{edition}.grib")
        with open(files[-1], "wb") as file:
            for pressure in (500, 300):
                message(file, f"reduced_gg_pl_32_grib{edition}", {"level": pressure, "shortName": "t"})
        files.append(f"{folder}/constant{edition}.grib")
        with open(files[-1], "wb") as file:
            message(file, surface, {**grid(12, 7), "shortName": "2t"}, np.full(84, 273.25))
        files.append(f"{folder}/polar{edition}.grib")
        with open(files[-1], "wb") as file:
            message(file, f"polar_stereographic_sfc_grib{edition}", {"shortName": "2t"})
        for bits in (1, 7, 12, 24, 31):
            files.append(f"{folder}/bits{bits}-{edition}.grib")
            with open(files[-1], "wb") as file:
                message(file, surface, {**grid(12, 7), "shortName": "2t", "bitsPerValue": bits}, RNG.normal(280, 9, 84))
        for packing in ("grid_second_order", "grid_ieee", *(("grid_ccsds", "grid_complex") if edition == 2 else ())):
            path = f"{folder}/{packing}{edition}.grib"
            with open(path, "wb") as file:
                message(file, surface, {**grid(12, 7), "shortName": "2t", "packingType": packing}, RNG.normal(280, 9, 84))
            files.append(path)
    files.append(f"{folder}/behind.grib")
    with open(files[-1], "wb") as file:
        file.write(b"TTAA00 ECMF 010000\r\r\n" + open(files[0], "rb").read() + b"\r\r\n\003padding")
    return files


def dump(path):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([DUMP, path, folder], capture_output=True, text=True, errors="replace", timeout=60)
        if done.returncode != 0:
            return None, done
        found = json.loads(done.stdout)
        for number, one in enumerate(found["variables"]):
            one["bytes"] = open(os.path.join(folder, str(number)), "rb").read()
        return {one["path"]: one for one in found["variables"]}, done


def compare(path):
    found, done = dump(path)
    assert found is not None, (path, done.stderr)
    checked = 0
    for data in cfgrib.open_datasets(path, backend_kwargs={"indexpath": ""}):
        for name, wanted in data.data_vars.items():
            values = np.frombuffer(found[name]["bytes"], "f4")
            # weft keeps the axis of times where there is one time only.
            dims = [dim for dim, extent in zip(found[name]["dims"], found[name]["shape"]) if dim in wanted.dims or extent > 1]
            assert dims == list(wanted.dims), (path, name, found[name]["dims"], wanted.dims)
            np.testing.assert_array_equal(values, wanted.values.astype("f4").ravel(), f"{path} {name}")
            assert found[name]["attributes"]["units"] == [wanted.attrs["units"]], found[name]["attributes"]
            checked += 1
            for label in wanted.dims:
                if label in ("time", "step") or label not in data.coords:
                    continue
                labels = np.frombuffer(found[label]["bytes"], found[label]["type"])
                np.testing.assert_array_equal(labels, data[label].values, f"{path} {label}")
        for name in ("latitude", "longitude"):
            np.testing.assert_array_equal(np.frombuffer(found[name]["bytes"], "f8"), data[name].values.ravel())
    assert checked > 0, path
    return checked


with tempfile.TemporaryDirectory() as folder:
    paths = write_files(folder)
    found, done = dump(paths[0])
    if found is None and "lacks ecCodes" in done.stderr:
        print("this build lacks ecCodes: skipped")
        sys.exit(77)
    print(sum(compare(path) for path in paths), "variables equal")
    for turn in range(MUTATIONS):
        data = bytearray(open(paths[turn % len(paths)], "rb").read())
        if turn % 3 == 0:
            data = data[: RNG.integers(len(data))]
        else:
            for _ in range(RNG.integers(1, 5)):
                data[RNG.integers(min(len(data), 400 if turn % 2 else len(data)))] = RNG.integers(256)
        copy = f"{folder}/copy.grib"
        open(copy, "wb").write(bytes(data))
        found, done = dump(copy)
        assert done.returncode in (0, 1), (turn, done.returncode, done.stderr)
        assert done.returncode == 0 or "copy.grib" in done.stderr, (turn, done.stderr)
    print(f"{MUTATIONS} damaged files: an answer or an error for each")
