#!/usr/bin/env python3
"""Tests the verbs of the `weft` command that work on files, with xarray and NumPy as judges.

usage: data_verbs_test.py WEFT [MPIEXEC]

Exits 77 (skipped) where xarray or netCDF4 is missing. WEFT_TEST_PYTHON names another interpreter that has them.
"""
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "io", "oracle"))
import interpreter

interpreter.use_named()
try:
    import netCDF4
    import numpy as np
    import xarray as xr
except ImportError:
    interpreter.skip("xarray or netCDF4")

WEFT = os.path.abspath(sys.argv[1])
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MPIEXEC = sys.argv[2] if len(sys.argv) > 2 else ""


SMALL = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], check=False).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def days(year):
    return float(
        (np.datetime64(f"{year}-01-01") - np.datetime64("2000-01-01")).astype("timedelta64[D]").astype(int))


def dataset(year, seed, steps=365):
    """A year of days with gaps, a packed variable, bounds, a grid mapping, a text."""
    lat, lon = np.arange(-87.5, 90, 25.0), np.arange(0, 360, 30.0)
    rng = np.random.default_rng(seed)
    tas = (280 + 20 * rng.standard_normal((steps, lat.size, lon.size))).astype("f4")
    tas[:, 3, 4] = np.nan
    tas[5:9, 2, 7] = np.nan
    time = days(year) + np.arange(steps)
    data = xr.Dataset(
        {"tas": (("time", "lat", "lon"), tas, {"units": "K", "cell_methods": "area: mean", "grid_mapping": "crs"}),
         "pr": (("time", "lat", "lon"), rng.integers(0, 2000, tas.shape) / 100, {"units": "mm"}),
         "count": (("time",), np.arange(steps, dtype="i4")),
         "crs": ((), np.int32(0), {"grid_mapping_name": "latitude_longitude"}),
         "lat_bnds": (("lat", "bnds"), np.stack([lat - 12.5, lat + 12.5], 1)),
         "time_bnds": (("time", "bnds"), np.stack([time, time + 1], 1))},
        {"time": ("time", time, {"units": "days since 2000-01-01", "calendar": "standard", "bounds": "time_bnds"}),
         "lat": ("lat", lat, {"units": "degrees_north", "bounds": "lat_bnds"}),
         "lon": ("lon", lon, {"units": "degrees_east"})},
        {"title": "made for a test", "history": "made"})
    packed = {"dtype": "i2", "scale_factor": 0.01, "add_offset": 10.0, "_FillValue": np.int16(-32768), "zlib": True,
              "chunksizes": (20, 4, 5)}
    return data, {"tas": {"zlib": True, "complevel": 4, "shuffle": True, "chunksizes": (20, 4, 5),
                          "_FillValue": np.float32(1e20)}, "pr": packed,
                  **{name: {"_FillValue": None} for name in ("time", "lat", "lon", "lat_bnds", "time_bnds")}}


def weft(*words, stdin=None, launcher=(), cwd=None, **variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    environment["XDG_CACHE_HOME"] = os.path.join(FOLDER, "no_cache")
    environment.update(variables)
    return subprocess.run([*launcher, WEFT, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          input=stdin, timeout=120, cwd=cwd or FOLDER, env=environment)


class DataVerbsTest(unittest.TestCase):
    def reduce(self, *words, **options):
        done = weft("reduce", *words, "--overwrite", "out.nc", **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([name for name in os.listdir(FOLDER) if ".part-" in name], [])
        with xr.open_dataset(os.path.join(FOLDER, "out.nc")) as out:
            return out.load()

    def close(self, found, wanted, tolerance=1e-6):
        wanted = wanted.transpose(*found.dims)
        self.assertEqual(found.shape, wanted.shape)
        np.testing.assert_allclose(found.values, wanted.values, rtol=tolerance, atol=tolerance)

    def test_every_operation_equals_xarray_with_gaps_left_out(self):
        out = self.reduce("mean,std,var,min,max,sum,count,median,quantile:0.9", "--dim", "time", "a2001.nc")
        tas = ONE.tas.astype("f8")
        for name in ("mean", "std", "var", "min", "max", "sum", "median"):
            self.close(out[f"tas_{name}"], getattr(tas, name)("time"), 2e-6)
        self.close(out.tas_count, ONE.tas.count("time"))
        self.close(out["tas_quantile_0.9"], tas.quantile(0.9, "time"), 2e-6)
        self.assertEqual(out.tas_mean.dtype, np.float32)
        self.assertEqual((out.tas_var.attrs["units"], out.tas_count.attrs["units"]), ("K2", "1"))
        self.assertEqual(out.tas_std.attrs["cell_methods"], "area: mean time: standard_deviation")
        self.close(out.pr_mean, ONE.pr.mean("time"))

    def test_groups_of_times_equal_xarray_over_several_files(self):
        for part in ("month", "season", "dayofyear", "year"):
            out = self.reduce("mean,max", "--by", f"time.{part}", "--var", "tas", "a20*.nc")
            wanted = BOTH.tas.astype("f8").groupby(f"time.{part}")
            mean, most = wanted.mean("time"), wanted.max("time")
            if part == "season":
                mean, most = (one.sel(season=out.season.values) for one in (mean, most))
            self.close(out.tas_mean, mean)
            self.close(out.tas_max, most)
            self.assertEqual(list(out[part].values), list(mean[part].values))

    def test_steps_of_time_equal_resample_and_have_bounds(self):
        for every, rule in (("1M", "MS"), ("QS-DEC", "QS-DEC"), ("10D", "10D"), ("1Y", "YS")):
            out = self.reduce("mean", "--dim", "time", "--every", every, "--var", "tas", "a2001.nc")
            wanted = ONE.tas.astype("f8").resample(time=rule).mean("time")
            self.close(out.tas, wanted)
            self.assertEqual(list(out.time.values), list(wanted.time.values), every)
            self.assertEqual(out.time.attrs.get("bounds", out.time.encoding.get("bounds")), "time_bnds")

    def test_several_dimensions_weights_and_selections(self):
        weights = np.cos(np.deg2rad(ONE.lat))
        out = self.reduce("mean,std", "--dim", "lat,lon", "--weights", "coslat", "--var", "tas", "a2001.nc")
        weighted = ONE.tas.astype("f8").weighted(weights)
        self.close(out.tas_mean, weighted.mean(("lat", "lon")), 1e-6)
        self.close(out.tas_std, weighted.std(("lat", "lon")), 1e-5)
        out = self.reduce("mean", "--dim", "time,lat", "--by", "time.month", "--var", "tas", "--sel",
                          "time=2001-03:2001-08-15", "--sel", "lat=-40:40", "--isel", "lon=1:9:2", "a2001.nc")
        chosen = ONE.tas.astype("f8").sel(time=slice("2001-03", "2001-08-15"), lat=slice(-40, 40)).isel(lon=slice(1, 9, 2))
        wanted = chosen.groupby("time.month").mean(("time", "lat"))
        self.close(out.tas, wanted)
        months = self.reduce("mean", "--dim", "time", "--every", "1M", "--var", "tas", "a2001.nc")
        shutil.copy(os.path.join(FOLDER, "out.nc"), os.path.join(FOLDER, "months.nc"))
        out = self.reduce("mean", "--dim", "time", "--weights", "days", "months.nc")
        lengths = months.time.dt.days_in_month
        self.close(out.tas, months.tas.astype("f8").weighted(lengths).mean("time"))

    def test_longitudes_go_round_the_world(self):
        out = self.reduce("mean", "--dim", "time", "--var", "tas", "--sel", "lon=-60:60", "a2001.nc")
        self.assertEqual(list(out.lon.values), [-60, -30, 0, 30, 60])
        self.close(out.tas, ONE.tas.astype("f8").mean("time").isel(lon=[10, 11, 0, 1, 2]))

    def test_where_keeps_what_holds(self):
        out = self.reduce("mean,count", "--dim", "time", "--var", "tas,pr", "--where",
                          "tas > 280 and (lat > 0 or time.month == 7)", "a2001.nc")
        keep = (ONE.tas > 280) & ((ONE.lat > 0) | (ONE.time.dt.month == 7))
        self.close(out.tas_mean, ONE.tas.astype("f8").where(keep).mean("time"))
        self.close(out.pr_count, ONE.pr.where(keep).count("time"))

    def test_missing_values_count_when_asked_to(self):
        out = self.reduce("mean", "--dim", "time", "--no-skipna", "--var", "tas", "a2001.nc")
        self.close(out.tas, ONE.tas.astype("f8").mean("time", skipna=False))
        out = self.reduce("sum", "--dim", "time", "--min-count", "362", "--var", "tas", "a2001.nc")
        self.close(out.tas, ONE.tas.astype("f8").sum("time", min_count=362))
        out = self.reduce("std", "--dim", "time", "--ddof", "1", "--var", "tas", "a2001.nc")
        self.close(out.tas, ONE.tas.astype("f8").std("time", ddof=1), 1e-5)

    def test_what_is_not_reduced_stays_and_history_is_fixed_by_the_environment(self):
        out = self.reduce("max", "--dim", "time", "a2001.nc", SOURCE_DATE_EPOCH="0")
        self.assertTrue(out.attrs["history"].startswith("1970-01-01T00:00:00Z: weft reduce max --dim time a2001.nc"))
        self.assertTrue(out.attrs["history"].endswith("\nmade"))
        self.assertEqual(out.attrs["title"], "made for a test")
        self.assertEqual(int(out.crs), 0)
        self.close(out.lat_bnds, ONE.lat_bnds)
        self.assertNotIn("time_bnds", out)
        # Extremes stay packed as they were.
        self.assertEqual((out.pr.encoding["dtype"], out.pr.encoding["scale_factor"]), (np.dtype("i2"), 0.01))
        self.close(out.pr, ONE.pr.max("time"))
        again = weft("reduce", "max", "--dim", "time", "a2001.nc", "again.nc", "--overwrite", SOURCE_DATE_EPOCH="0")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(weft("compare", "out.nc", "again.nc").returncode, 0)

    def test_keepdims_leaves_one_place_with_bounds(self):
        out = self.reduce("mean", "--dim", "time", "--keepdims", "--var", "tas", "a2001.nc")
        self.assertEqual(out.tas.shape, (1, *ONE.tas.shape[1:]))
        with netCDF4.Dataset(os.path.join(FOLDER, "out.nc")) as raw:
            self.assertEqual(list(raw["time_bnds"][0]), [days(2001), days(2001) + 365])

    def test_classic_files_are_read_equal(self):
        out = self.reduce("mean", "--dim", "time", "classic.nc")
        self.close(out.tas, ONE.tas.astype("f8").mean("time"))

    def test_inputs_are_names_folders_patterns_lists_and_standard_input(self):
        wanted = self.reduce("mean", "--dim", "time", "--var", "tas", "a2001.nc", "a2002.nc").tas
        self.close(wanted, BOTH.tas.astype("f8").mean("time"))
        with open(os.path.join(FOLDER, "list"), "w") as lines:
            lines.write("a2002.nc\na2001.nc\n")
        self.close(self.reduce("mean", "--dim", "time", "--var", "tas", "@list").tas, wanted, 0)
        self.close(self.reduce("mean", "--dim", "time", "--var", "tas", "-", stdin="a2001.nc\na2002.nc\n").tas, wanted, 0)
        self.close(self.reduce("mean", "--dim", "time", "--var", "tas", "folder").tas, wanted, 0)

    def test_duplicates_are_refused_with_both_names_or_chosen(self):
        done = weft("reduce", "mean", "--dim", "time", "a2001.nc", "late.nc", "no.nc")
        self.assertEqual(done.returncode, 1)
        self.assertIn("a2001.nc", done.stderr)
        self.assertIn("late.nc", done.stderr)
        self.assertFalse(os.path.exists(os.path.join(FOLDER, "no.nc")))
        first = self.reduce("count,mean", "--dim", "time", "--var", "count", "--duplicates", "first", "a2001.nc", "late.nc")
        self.assertEqual(int(first.count_count), 375)
        last = self.reduce("count", "--dim", "time", "--var", "count", "--duplicates", "last", "a2001.nc", "late.nc")
        self.assertEqual(int(last["count"]), 375)

    def test_info_and_head_show_what_is_there(self):
        found = json.loads(weft("info", "--json", "a2001.nc").stdout)
        tas = next(one for one in found["variables"] if one["path"] == "tas")
        self.assertEqual((tas["type"], tas["shape"], tas["chunk"]), ("float32", [365, 8, 12], [20, 4, 5]))
        self.assertEqual(tas["filters"], ["shuffle", "deflate 4"])
        text = weft("info", "a2001.nc").stdout
        for part in ("time = 365", "2001-01-01 to 2001-12-31", "float32 tas(time, lat, lon)", "units = \"K\"", "deflate 4"):
            self.assertIn(part, text)
        head = json.loads(weft("head", "--json", "--var", "pr,time", "--count", "2", "a2001.nc").stdout)
        self.assertEqual(head["time"], ["2001-01-01", "2001-01-02"])
        np.testing.assert_allclose(head["pr"], ONE.pr[:2, :2, :2].values.ravel())

    def test_compare_finds_the_worst_place(self):
        changed = ONE.copy(deep=True)
        changed.tas[7, 2, 3] += 1
        changed.tas[8, 2, 3] += 4
        changed.to_netcdf(os.path.join(FOLDER, "changed.nc"))
        done = weft("compare", "a2001.nc", "changed.nc", "--json", "--var", "tas")
        self.assertEqual(done.returncode, 1)
        found = json.loads(done.stdout)["differences"][0]
        self.assertEqual((found["differing"], found["place"]), (2, [8, 2, 3]))
        self.assertEqual(weft("compare", "a2001.nc", "changed.nc", "--var", "tas", "--atol", "5").returncode, 0)
        self.assertIn("[time=8, lat=2, lon=3]", weft("compare", "a2001.nc", "changed.nc").stdout)

    def test_converted_files_hold_the_same(self):
        for out, *words in (["one.zarr"], ["two.zarr", "--zarr-version", "2", "--codec", "gzip"],
                            ["cut.zarr", "--chunks", "time=100,lat=3"], ["copy.nc", "--deflate", "1"]):
            done = weft("convert", *words, "a2001.nc", out)
            self.assertEqual(done.returncode, 0, done.stderr)
            same = weft("compare", "a2001.nc", out)
            self.assertEqual(same.returncode, 0, (out, same.stdout, same.stderr))
        with xr.open_dataset(os.path.join(FOLDER, "copy.nc")) as out:
            xr.testing.assert_equal(out.load(), ONE)
        try:
            import zarr  # noqa: F401  pylint: disable=import-outside-toplevel,unused-import
        except ImportError:
            return
        for name in ("one.zarr", "two.zarr", "cut.zarr"):
            with xr.open_zarr(os.path.join(FOLDER, name)) as out:
                xr.testing.assert_allclose(out.load(), ONE)
        done = weft("convert", "a2001.nc", "one.zarr")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--overwrite", done.stderr)

    def test_pictures_are_written_and_read(self):
        done = weft("convert", "--var", "tas", "a2001.nc", "tas.tif")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = weft("convert", "tas.tif", "back.nc")
        self.assertEqual(done.returncode, 0, done.stderr)
        with xr.open_dataset(os.path.join(FOLDER, "back.nc")) as out:
            np.testing.assert_allclose(out.image.values, ONE.tas.values, rtol=1e-6)
            np.testing.assert_allclose(out.y, ONE.lat, atol=1e-6)
            np.testing.assert_allclose(out.x, ONE.lon, atol=1e-6)
        refused = weft("convert", "a2001.nc", "many.tif")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("choose it by --var", refused.stderr)

    def changed(self, verb, *words, out="changed_by.nc"):
        done = weft(verb, *words, out, "--overwrite")
        self.assertEqual(done.returncode, 0, done.stderr)
        with xr.open_dataset(os.path.join(FOLDER, out)) as made:
            return made.load()

    def test_expressions_make_variables_with_numpys_names(self):
        tas, pr = ONE.tas, ONE.pr
        for text, wanted in (("x = hypot(tas, pr) - 2 * sqrt(abs(tas))", np.hypot(tas, pr) - 2 * np.sqrt(np.abs(tas))),
                             ("x = where(tas > 280, tas - 273.15, nan)", xr.where(tas > 280, tas - 273.15, np.nan)),
                             ("x = where(lat > 0, 1, -1) * tas", xr.where(tas.lat > 0, 1, -1) * tas),
                             ("x=tas**2 / cos(deg2rad(lat)) + maximum(pr, 3)",
                              tas**2 / np.cos(np.deg2rad(tas.lat)) + np.maximum(pr, 3)),
                             ("x = -tas // 7 % 4 + pi", -tas // 7 % 4 + np.pi),
                             ("x = count % 2 + time.month", ONE["count"] % 2 + ONE.time.dt.month)):
            with self.subTest(text):
                out = self.changed("convert", "--var", "x", "--expr", text, "a2001.nc")
                self.close(out.x, wanted, 2e-5)
        out = self.reduce("mean,max", "--dim", "time", "--var", "heat", "--where", "tas > 275", "--expr", "c = tas - 273.15",
                          "--expr", "heat = c * c", "a2001.nc")
        self.close(out.heat_mean, ((ONE.tas - 273.15).astype("f8")**2).where(ONE.tas > 275).mean("time"), 1e-4)
        # Extremes of a packed variable that an expression replaced are not packed as that was.
        out = self.reduce("max", "--dim", "time", "--var", "pr", "--expr", "pr = pr * 1e5", "a2001.nc")
        self.close(out.pr, (ONE.pr * 1e5).max("time"), 1e-5)

    def test_errors_of_expressions_name_the_column(self):
        for text, parts in (("x = tas + tsa", ("column 11", "did you mean 'tas'")), ("x = sqt(tas)", ("column 5", "did you mean sqrt")),
                            ("x = (tas", ("column 9", "bracket")), ("x = hypot(tas)", ("column 5", "takes 2 values")),
                            ("tas * 2", ("NAME = EXPRESSION",)), ("lat = tas", ("coordinate",)), ("x = 3", ("no variable",))):
            done = weft("reduce", "mean", "--dim", "time", "--expr", text, "a2001.nc", "no.nc")
            self.assertEqual(done.returncode, 2, (text, done.stderr))
            for part in parts:
                self.assertIn(part, done.stderr)

    def test_anomalies_equal_xarray(self):
        tas = BOTH.tas.astype("f8")
        for part in ("month", "season", "dayofyear"):
            out = self.changed("anomaly", "--by", f"time.{part}", "--var", "tas", "a20*.nc")
            groups = tas.groupby(f"time.{part}")
            self.close(out.tas, groups - groups.mean("time"), 1e-4)
            self.assertEqual(out.tas.dtype, np.float32)
        out = self.changed("anomaly", "--dim", "time", "--standardize", "--var", "pr", "a2001.nc")
        self.close(out.pr, (ONE.pr - ONE.pr.mean("time")) / ONE.pr.std("time"), 1e-4)
        self.assertEqual(out.pr.attrs["units"], "1")
        self.assertNotIn("scale_factor", out.pr.encoding)
        out = self.changed("anomaly", "--by", "time.month", "--base", "time=2001", "--var", "tas", "a20*.nc")
        normal = ONE.tas.astype("f8").groupby("time.month").mean("time")
        self.close(out.tas, tas.groupby("time.month") - normal, 1e-4)
        done = weft("anomaly", "--by", "time.month", "--base", "time=2001-01:2001-03", "a2001.nc", "no.nc")
        self.assertEqual(done.returncode, 1)
        self.assertIn("month = 4", done.stderr)
        self.assertFalse(os.path.exists(os.path.join(FOLDER, "no.nc")))

    def test_the_first_lines_of_the_documentation_run(self):
        with open(os.path.join(SOURCE, "docs", "command.md")) as file:
            lines = [line.split("  #")[0].strip() for line in file.read().split("```sh\n")[1].split("```")[0].splitlines()]
        place = os.path.join(FOLDER, "page")
        os.mkdir(place)
        os.symlink(WEFT, os.path.join(place, "weft"))
        with open(os.path.join(place, "ncks"), "w") as ncks:
            ncks.write("#!/bin/sh\ncp \"$3\" \"$4\"\n")
        os.chmod(os.path.join(place, "ncks"), 0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
        kept.update(PATH=f"{place}:{kept['PATH']}", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                    OMPI_MCA_rmaps_base_oversubscribe="1", XDG_CACHE_HOME=os.path.join(FOLDER, "no_cache"))

        def run(line):
            done = subprocess.run(line, shell=True, cwd=place, env=kept, capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(done.returncode, 0, (line, done.stderr))

        run("weft sample data --years 2; cp data/tas_2001.nc tas.nc; echo tas.nc > list.txt; "
            "weft reduce mean --dim time tas.nc other.nc --report run.json")
        self.assertGreater(len(lines), 12)
        for line in lines:
            verb = line.split("weft ")[1].split()[0]
            if line.startswith("mpirun") and not MPIEXEC:
                continue
            run(line + (" --overwrite" if verb in ("reduce", "convert", "anomaly", "plot", "sample") else ""))
        self.assertTrue(os.path.exists(os.path.join(place, "july.png")) and os.path.exists(os.path.join(place, "tas_tas.nc")))

    def test_other_grids_are_those_of_numpy(self):
        sys.path.insert(0, os.path.join(SOURCE, "tests", "arrays", "oracle"))
        try:
            from regrid import regrid, regrid_points
        except ImportError:
            self.skipTest("no scipy here")
        lat, lon = np.arange(-85, 90, 10.0), np.arange(0, 360, 10.0)
        # A file that has the grid to go to.
        netcdf = netCDF4.Dataset(os.path.join(FOLDER, "grid.nc"), "w")
        for name, labels, units in (("lat", lat[::-1], "degrees_north"), ("lon", lon, "degrees_east")):
            netcdf.createDimension(name, labels.size)
            one = netcdf.createVariable(name, "f8", (name,))
            one.units = units
            one[:] = labels
        netcdf.createVariable("mask", "i1", ("lat", "lon"))[:] = 1
        netcdf.close()
        for method in ("bilinear", "conservative"):
            for words, rows in ((("--grid", "r36x18"), lat), (("--grid", os.path.join(FOLDER, "grid.nc")), lat[::-1])):
                out = self.changed("regrid", *words, "--method", method, "a2001.nc")
                np.testing.assert_array_equal(out.lat, rows)
                self.close(out.tas, regrid(ONE.tas, rows, lon, method), 1e-4)
                self.close(out.pr, regrid(ONE.pr, rows, lon, method), 1e-4)
                np.testing.assert_array_equal(out["count"], ONE["count"])
                self.assertEqual(out.lat.attrs["units"], "degrees_north")
                with netCDF4.Dataset(os.path.join(FOLDER, "changed_by.nc")) as raw:
                    for dim, low, high in (("lat", rows - 5, rows + 5), ("lon", lon - 5, lon + 5)):
                        self.assertEqual(raw[dim].bounds, f"{dim}_bnds")
                        wanted = np.stack([low, high], 1) if dim == "lon" or rows[0] < 0 else np.stack([high, low], 1)
                        np.testing.assert_allclose(raw[f"{dim}_bnds"][:], wanted)
                        self.assertNotIn("_FillValue", raw[f"{dim}_bnds"].ncattrs())
                    self.assertEqual(raw["tas"].cell_methods, "area: mean")
        out = self.changed("regrid", "--grid", "r36x18", "--min-coverage", "1", "--var", "tas", "a2001.nc")
        self.close(out.tas, regrid(ONE.tas, lat, lon, min_coverage=1), 1e-4)
        out = self.changed("regrid", "--grid", "r35x17", "--method", "nearest", "a2001.nc")
        self.close(out.tas, regrid(ONE.tas, out.lat.values, out.lon.values, "nearest"), 0)
        y, x = np.meshgrid(np.arange(20), np.arange(30), indexing="ij")
        places = 50 - 1.0 * y + 0.2 * x, 5 + 0.9 * x + 0.3 * y
        swath = xr.Dataset({"bt": (("y", "x"), np.arange(600.0).reshape(20, 30)),
                            "lat": (("y", "x"), places[0], {"units": "degrees_north"}),
                            "lon": (("y", "x"), places[1], {"units": "degrees_east"})})
        swath.to_netcdf(os.path.join(FOLDER, "swath.nc"))
        out = self.changed("regrid", "--grid", "r360x180", "--max-distance", "100", "swath.nc")
        wanted = regrid_points(swath.bt, *places, np.arange(-89.5, 90), np.arange(360.0), max_distance_km=100)
        self.close(out.bt, wanted, 0)
        self.assertEqual(out.bt.dims, ("lat", "lon"))
        # Corners of the cells between the points: what SciPy makes of the same cells cut along either diagonal is near.
        from scipy.interpolate import griddata
        inner = {"lat": slice(38, 46), "lon": slice(15, 25)}
        out = self.changed("regrid", "--grid", "r360x180", "--method", "bilinear", "swath.nc").bt.sel(**inner)
        a, b = np.meshgrid(out.lat, out.lon, indexing="ij")
        flat = griddata(tuple(one.ravel() for one in places), swath.bt.values.ravel(), (a, b))
        np.testing.assert_allclose(out.values, flat, atol=1e-6)  # the field is linear in the rows and columns
        for words, part in ((("--grid", "n80"), "names no grid"), ((), "--grid names the grid"), (("--grid", "r4x4", "--method", "x"), "bilinear")):
            done = weft("regrid", *words, "a2001.nc", "no.nc")
            self.assertIn(done.returncode, (1, 2))
            self.assertIn(part, done.stderr)

    @unittest.skipUnless(shutil.which("cdo"), "no cdo here")
    def test_anomalies_equal_cdo(self):
        self.changed("convert", "--var", "tas", "a2001.nc", out="tas.nc")
        out = self.changed("anomaly", "--by", "time.month", "tas.nc")
        subprocess.run(["cdo", "-s", "-O", "ymonsub", "tas.nc", "-ymonmean", "tas.nc", "cdo.nc"], cwd=FOLDER, check=True,
                       capture_output=True)
        with xr.open_dataset(os.path.join(FOLDER, "cdo.nc")) as wanted:
            np.testing.assert_allclose(out.tas.values, wanted.tas.values, rtol=0, atol=2e-4)

    @unittest.skipUnless(MPIEXEC, "no mpirun here")
    def test_anomalies_of_three_ranks_are_the_same(self):
        words = ("--by", "time.month", "--standardize", "a20*.nc")
        wanted = self.changed("anomaly", *words)
        done = weft("anomaly", *words, "ranks.nc",
                    launcher=[MPIEXEC, "-n", "3", "--oversubscribe", "--allow-run-as-root"])
        self.assertEqual(done.returncode, 0, done.stderr)
        with xr.open_dataset(os.path.join(FOLDER, "ranks.nc")) as found:
            for name in ("tas", "pr", "count"):
                np.testing.assert_array_equal(found[name].values, wanted[name].values)

    def test_a_tenth_of_the_data_is_memory_enough(self):
        os.mkdir(os.path.join(FOLDER, "large"))
        rng = np.random.default_rng(9)
        parts = []
        for part in range(8):
            values = np.round(280 + rng.standard_normal((50, 320, 500)), 2).astype("f4")
            parts.append(xr.Dataset({"tas": (("time", "lat", "lon"), values)},
                                    {"time": ("time", part * 50.0 + np.arange(50), {"units": "days since 2001-01-01"})}))
            parts[-1].to_netcdf(os.path.join(FOLDER, "large", f"{part}.nc"), encoding={
                "tas": {"chunksizes": (10, 80, 100), "zlib": True, "complevel": 1, "_FillValue": None}})
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
        release = "Release" in weft("--version").stdout
        budget = 8 * parts[0].tas.nbytes // 10
        whole = xr.concat(parts, "time").tas
        for words, wanted in ((["mean,max"], whole.astype("f8").mean("time")), (["median,mean"], whole.astype("f8").mean("time")),
                              (["mean", "--by", "time.month"], None)):
            # A process counts the memory of the one that started it, which is why a small one does.
            done = subprocess.run([sys.executable, "-c", SMALL, WEFT, "reduce", words[0], "--dim", "time", *words[1:],
                                   "--memory", str(budget), "large", "out.nc", "--overwrite"], cwd=FOLDER, text=True,
                                  capture_output=True, env=environment, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            # The bound is on a release build; sanitizers keep memory that was given back.
            if release:
                self.assertLessEqual(int(done.stdout) * 1024, budget + (64 << 20), words)
            with xr.open_dataset(os.path.join(FOLDER, "out.nc")) as out:
                if wanted is not None:
                    self.close(out.tas_mean, wanted)
                if words[0].startswith("median"):
                    self.close(out.tas_median, whole.median("time"))
        shutil.rmtree(os.path.join(FOLDER, "large"))

    def test_many_files_are_remembered_in_the_users_cache_and_never_beside_them(self):
        os.mkdir(os.path.join(FOLDER, "many"))
        for number in range(20):
            path = os.path.join(FOLDER, "many", f"{number}.nc")
            ONE.isel(time=slice(number, number + 1))[["tas"]].to_netcdf(path)
            os.utime(path, (1.6e9, 1.6e9))
        for cache in (1, 2):
            done = weft("info", "--json", "many", XDG_CACHE_HOME=os.path.join(FOLDER, "cache"))
            self.assertEqual(done.returncode, 0, done.stderr)
            found = json.loads(done.stdout)
            self.assertEqual((found["files"], found["dimensions"][2]["extent"]), (20, 20), cache)
            self.assertEqual((found["dimensions"][2]["first"], found["dimensions"][2]["last"]), ("2001-01-01", "2001-01-20"))
        self.assertEqual(len(os.listdir(os.path.join(FOLDER, "cache", "weft"))), 1)
        self.assertEqual(len(os.listdir(os.path.join(FOLDER, "many"))), 20)
        out = self.reduce("mean", "--dim", "time", "many", XDG_CACHE_HOME=os.path.join(FOLDER, "cache"))
        self.close(out.tas, ONE.tas.isel(time=slice(0, 20)).astype("f8").mean("time"))
        # One that changed is opened again.
        ONE.isel(time=slice(40, 41))[["tas"]].to_netcdf(os.path.join(FOLDER, "many", "19.nc"))
        out = self.reduce("max", "--dim", "time", "many", XDG_CACHE_HOME=os.path.join(FOLDER, "cache"))
        self.close(out.tas, ONE.tas.isel(time=[*range(19), 40]).max("time"))

    def test_zarr_stores_are_inputs_like_files(self):
        self.assertEqual(weft("convert", "a2001.nc", "in.zarr").returncode, 0)
        self.close(self.reduce("mean", "--dim", "time", "in.zarr").tas, ONE.tas.astype("f8").mean("time"))
        self.assertIn("Zarr 3", weft("info", "in.zarr").stdout)

    def test_a_sample_folder_can_be_reduced(self):
        self.assertEqual(weft("sample", "sample", "--years", "1").returncode, 0)
        out = self.reduce("mean", "--by", "time.month", "sample")
        self.assertEqual(out.tas.shape, (12, 73, 144))

    def test_wrong_command_lines_name_the_nearest_and_end_with_2(self):
        for words, part in ((["--dmi", "time"], "--dim"), (["--dim"], "needs a value")):
            done = weft("reduce", "mean", "a2001.nc", "no.nc", *words)
            self.assertEqual(done.returncode, 2)
            self.assertIn(part, done.stderr)
        done = weft("reduce", "maen", "--dim", "time", "a2001.nc", "no.nc")
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean mean?", done.stderr)

    def test_what_is_not_there_is_named_and_ends_with_1(self):
        with open(os.path.join(FOLDER, "empty.nc"), "w"):
            pass
        whole = pathlib.Path(FOLDER, "a2001.nc").read_bytes()
        with open(os.path.join(FOLDER, "short.nc"), "wb") as short:
            short.write(whole[: len(whole) // 2])
        for words, part in ((["--dim", "tmie", "a2001.nc"], "did you mean 'time'"),
                            (["--dim", "time", "--var", "tsa", "a2001.nc"], "did you mean 'tas'"),
                            (["--dim", "time", "missing.nc"], "there is no such file"),
                            (["--dim", "time", "empty.nc"], "is empty"), (["--dim", "time", "short.nc"], "short.nc"),
                            (["--dim", "time", "list.txt"], "list.txt")):
            with open(os.path.join(FOLDER, "list.txt"), "w") as text:
                text.write("no file of arrays\n")
            done = weft("reduce", "mean", *words, "no.nc")
            self.assertEqual(done.returncode, 1, words)
            self.assertIn(part, done.stderr)
            self.assertFalse(os.path.exists(os.path.join(FOLDER, "no.nc")))
        with open(os.path.join(FOLDER, "there.nc"), "w") as there:
            there.write("mine")
        done = weft("reduce", "mean", "--dim", "time", "a2001.nc", "there.nc")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--overwrite", done.stderr)
        self.assertEqual(pathlib.Path(FOLDER, "there.nc").read_text(), "mine")

    def test_a_dry_run_writes_nothing_and_tells_bytes(self):
        for words in (["reduce", "mean", "--dim", "time"], ["convert"], ["anomaly", "--by", "time.month"],
                      ["regrid", "--grid", "r36x18"]):
            done = weft(*words, "a2001.nc", "no.nc", "--dry-run", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            told = json.loads(done.stdout)
            self.assertEqual(told["files"], 1)
            for name in ("stored_bytes", "decoded_bytes", "peak_bytes", "output_bytes"):
                self.assertGreater(told[name], 1000, (words, name, told))
            self.assertIn("to be read", weft(*words, "a2001.nc", "no.nc", "--dry-run").stdout)
            self.assertFalse(os.path.exists(os.path.join(FOLDER, "no.nc")))
        told = json.loads(weft("convert", "a2001.nc", "no.nc", "--dry-run", "--json", "--var", "tas").stdout)
        self.assertEqual(told["decoded_bytes"], ONE.tas.nbytes + 8 * 2 * (8 + 365) + 4)  # bounds, and crs
        # What is kept between means and differences counts; chunks of a store wait for no other.
        peak = lambda *words: json.loads(weft(*words, "--dry-run", "--json").stdout)["peak_bytes"]  # noqa: E731
        self.assertGreater(peak("anomaly", "--by", "time.month", "a2001.nc", "no.nc"), ONE.tas.nbytes)
        self.assertGreaterEqual(peak("convert", "a2001.nc", "no.nc"), peak("convert", "a2001.nc", "no.zarr"))
        self.assertEqual(json.loads(weft("compare", "a2001.nc", "a2002.nc", "--dry-run", "--json").stdout)["files"], 2)
        self.assertEqual(json.loads(weft("info", "a20*.nc", "--dry-run", "--json").stdout)["files"], 2)
        self.assertGreater(json.loads(weft("head", "a2001.nc", "--dry-run", "--json").stdout)["stored_bytes"], 1000)
        self.assertGreater(json.loads(weft("sample", "none", "--dry-run", "--json").stdout)["output_bytes"], 1e6)
        self.assertFalse(os.path.exists(os.path.join(FOLDER, "none")))

    def test_quiet_verbs_say_nothing(self):
        for words in (["reduce", "mean", "--dim", "time", "a2001.nc", "quiet.nc"], ["convert", "a2001.nc", "quiet.nc"],
                      ["anomaly", "--dim", "time", "a2001.nc", "quiet.nc"], ["regrid", "--grid", "r36x18", "a2001.nc", "quiet.nc"],
                      ["sample", "quiet", "--years", "1"], ["compare", "a2001.nc", "a2001.nc"],
                      ["plot", "a2001.nc", "tas", "quiet.png"]):
            over = ["--overwrite"] if words[0] not in ("compare",) else []
            done = weft(*words, *over, "--quiet", "--memory", "300MB")
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""), words)

    def test_help_shows_examples_first_manual_pages_and_completions_come_from_the_same_table(self):
        for verb in ("info", "head", "reduce", "compare", "convert", "anomaly", "regrid", "plot", "each"):
            lines = weft(verb, "--help").stdout.splitlines()
            self.assertTrue(all(line.startswith(f"  weft {verb}") for line in lines[:3]))
            self.assertIn(".SH OPTIONS", weft(verb, "--man").stdout)
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("keepdims", weft("completions", shell).stdout)

    def test_every_line_of_the_documentation_runs(self):
        with open(os.path.join(SOURCE, "docs", "command.md")) as file:
            page = file.read()
        lines = [line.strip("` ") for row in page.splitlines() if row.startswith("| `")
                 for line in row.split("|") if line.strip().startswith("`weft ")]
        self.assertGreater(len(lines), 10)
        for line in lines:
            words = shlex.split(line)[1:]
            done = weft(*words, *(["--overwrite"] if words[0] in ("reduce", "convert", "anomaly", "regrid") else []), cwd=os.path.join(FOLDER, "docs"))
            self.assertEqual(done.returncode, 0, (line, done.stderr))

    @unittest.skipUnless(shutil.which("cdo") and shutil.which("ncdump"), "no cdo and ncdump here")
    def test_other_programs_open_what_is_written(self):
        for words in (["mean", "--dim", "time"], ["mean,max", "--by", "time.month"], ["min", "--dim", "time", "--every", "1M"],
                      ["mean", "--dim", "time", "--keepdims"]):
            self.reduce(*words, "a2001.nc")
            for command in (["ncdump", "-h", "out.nc"], ["cdo", "-s", "sinfon", "out.nc"]):
                done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
        for verb, *words in (["regrid", "--grid", "r36x18"], ["regrid", "--grid", "r36x18", "--method", "conservative"], ["convert"],
                             ["anomaly", "--by", "time.month"]):
            self.changed(verb, *words, "a2001.nc")
            for command in (["ncdump", "-h", "changed_by.nc"], ["cdo", "-s", "sinfon", "changed_by.nc"]):
                done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, r"lonlat\s+: points=" + ("648 " if verb == "regrid" else "96 "))

    @unittest.skipUnless(shutil.which("cdo"), "no cdo here")
    def test_curvilinear_grids_are_mixed_as_cdo_does(self):
        y, x = np.meshgrid(np.arange(40), np.arange(60), indexing="ij")
        lat, lon = -30 + 1.5 * y + 0.3 * x, 340 + 0.9 * x - 0.4 * y
        field = xr.Dataset({"sst": (("y", "x"), np.sin(lat / 9) + np.cos(np.deg2rad(lon) * 5), {"coordinates": "lat lon"}),
                            "lat": (("y", "x"), lat, {"units": "degrees_north", "standard_name": "latitude"}),
                            "lon": (("y", "x"), lon, {"units": "degrees_east", "standard_name": "longitude"})})
        field.to_netcdf(os.path.join(FOLDER, "ocean.nc"))
        out = self.changed("regrid", "--grid", "r180x90", "--method", "bilinear", "ocean.nc").sst
        subprocess.run(["cdo", "-s", "-O", "-b", "F64", "remapbil,r180x90", "ocean.nc", "cdo.nc"], cwd=FOLDER, check=True,
                       capture_output=True)
        with xr.open_dataset(os.path.join(FOLDER, "cdo.nc")) as wanted:
            theirs = wanted.sst.sel(lat=out.lat, method="nearest")
            np.testing.assert_allclose(theirs.lat, out.lat, atol=1e-6)
            there = ~np.isnan(out.values)
            self.assertEqual((there & np.isnan(theirs.values)).sum(), 0)
            # At the edge CDO takes near points here and there.
            inner = there & np.logical_and.reduce([np.roll(there, step, axis) for step in (-1, 1) for axis in (0, 1)])
            self.assertGreater(inner.sum(), 600)
            np.testing.assert_allclose(out.values[inner], theirs.values[inner], atol=1e-6)

    @unittest.skipUnless(MPIEXEC, "no mpirun here")
    def test_three_ranks_write_the_same(self):
        wanted = self.reduce("mean,std", "--by", "time.month", "a20*.nc")
        launcher = [MPIEXEC, "-n", "3", "--oversubscribe", "--allow-run-as-root"]
        found = self.reduce("mean,std", "--by", "time.month", "a20*.nc", launcher=launcher)
        xr.testing.assert_equal(found, wanted)
        # Whichever rank is first to see the mistake: rank 0 tells it, once.
        for words in (["reduce", "maen", "--dim", "time", "a2001.nc", "no.nc"], ["reduce", "mean", "--dmi", "time"],
                      ["redcue"], ["demo", "--limt", "1"]):
            done = weft(*words, launcher=launcher)
            self.assertEqual((done.returncode, done.stderr.count("did you mean")), (2, 1), (words, done.stderr))

    def lose_a_worker(self, *words):
        """Runs the command with three ranks, and kills one of its workers as soon as there are three."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
        job = subprocess.Popen([MPIEXEC, "-n", "3", "--oversubscribe", "--allow-run-as-root", WEFT, *words],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=FOLDER, env=environment)
        while job.poll() is None:
            table = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
            processes = [line.split(None, 2) for line in table.splitlines()[1:]]
            ranks = {pid for pid, parent, words in processes if parent == str(job.pid) and words.startswith(WEFT)}
            workers = [pid for pid, parent, words in processes if parent in ranks and words.startswith(WEFT)]
            if len(workers) == 3:
                os.kill(int(workers[-1]), signal.SIGKILL)
                break
        output, _ = job.communicate(timeout=120)
        self.assertEqual(job.returncode, 0, output)

    @unittest.skipUnless(MPIEXEC, "no mpirun here")
    def test_a_lost_worker_changes_nothing(self):
        words = ["median,mean", "--by", "time.dayofyear", "--var", "tas", "--overwrite", "a2001.nc", "a2002.nc"]
        self.reduce(*words[:5], *words[6:])
        self.lose_a_worker("reduce", *words, "lost.nc")
        self.assertEqual(weft("compare", "out.nc", "lost.nc").returncode, 0)

    def test_variables_of_groups_are_named_by_their_paths(self):
        for number in range(2):
            path = os.path.join(FOLDER, f"groups{number}.nc")
            BOTH.isel(time=slice(0, 5)).to_netcdf(path)
            time = ("time", np.arange(40.0) + 40 * number, {"units": "days since 2000-01-01"})
            rng = np.random.default_rng(number)
            xr.Dataset({"sst": (("time", "depth"), rng.standard_normal((40, 7)), {"units": "K"}),
                        "plain": (("depth",), np.arange(7.0))}, {"time": time}, {"title": "the ocean"}).to_netcdf(
                            path, mode="a", group="model/ocean")
        done = weft("reduce", "mean", "--dim", "time", "--var", "model/ocean/sst", "groups0.nc", "group-mean.nc")
        self.assertEqual(done.returncode, 0, done.stderr)
        with xr.open_dataset(os.path.join(FOLDER, "groups0.nc"), group="model/ocean") as wanted, \
                xr.open_dataset(os.path.join(FOLDER, "group-mean.nc")) as found:
            np.testing.assert_allclose(found.sst, wanted.sst.mean("time"))
            self.assertEqual(found.attrs["title"], "the ocean")
            self.assertEqual(found.sst.attrs["units"], "K")
        done = weft("convert", "--var", "/model/ocean/sst,model/ocean/plain", "groups[01].nc", "group-oceans.nc")
        self.assertEqual(done.returncode, 0, done.stderr)
        with xr.open_dataset(os.path.join(FOLDER, "group-oceans.nc")) as found:
            self.assertEqual(dict(found.sizes), {"time": 80, "depth": 7})
            for number in range(2):
                with xr.open_dataset(os.path.join(FOLDER, f"groups{number}.nc"), group="model/ocean") as part:
                    xr.testing.assert_equal(found.sst.sel(time=part.time).drop_attrs(), part.sst.load().drop_attrs())
        done = weft("plot", "groups0.nc", "model/ocean/sst", "group-ocean.png")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = weft("reduce", "mean", "--dim", "time", "--dry-run", "--var", "model/ocean/sst", "groups0.nc", "no.nc")
        self.assertEqual(done.returncode, 0, done.stderr)
        for words, code, said in ((["--var", "model/none/sst"], 1, "has no group 'model/none'; it has model"),
                                  (["--var", "model/ocean/sss"], 1, "did you mean 'sst'"),
                                  (["--var", "model/ocean/sst,tas"], 2, "several groups")):
            done = weft("reduce", "mean", "--dim", "time", *words, "groups0.nc", "no.nc")
            self.assertEqual((done.returncode, said in done.stderr), (code, True), done.stderr)
        # The columns of a table.
        try:
            import h5py  # pylint: disable=import-outside-toplevel
        except ImportError:
            return
        with h5py.File(os.path.join(FOLDER, "table.h5"), "w") as file:
            table = np.zeros(500, [("n", "i4"), ("energy", "f8")])
            table["energy"] = np.arange(500)
            file.create_dataset("events", data=table, chunks=(64,))
        done = weft("reduce", "mean", "--dim", "dim_0_500", "--var", "events/energy", "table.h5", "energy.nc")
        self.assertEqual(done.returncode, 0, done.stderr)
        with xr.open_dataset(os.path.join(FOLDER, "energy.nc")) as found:
            self.assertEqual(float(found.energy), 249.5)

    def test_a_file_in_parts_holds_the_same_and_leaves_nothing_behind(self):
        path = os.path.join(FOLDER, "large.nc")
        rng = np.random.default_rng(3)
        numbers = rng.standard_normal((130, 90, 180)).astype("f4")
        numbers[3, 4] = np.nan
        xr.Dataset({"tas": (("time", "lat", "lon"), numbers, {"units": "K"}), "few": (("time",), np.arange(130))},
                   {"time": ("time", np.arange(130.0), {"units": "days since 2000-01-01"})}).to_netcdf(
                       path, encoding={"tas": {"chunksizes": (20, 40, 180)}})

        def parts(of):
            return [name for name in os.listdir(FOLDER) if name.startswith(f"{of}.parts-")]

        def check(of, launcher=(), *options):
            done = weft("convert", "--parts", *options, "large.nc", of, launcher=list(launcher))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(parts(of)), 1)
            self.assertGreater(len(os.listdir(os.path.join(FOLDER, *parts(of)))), 2)
            same = weft("compare", "large.nc", of)
            self.assertEqual(same.returncode, 0, (same.stdout, same.stderr))
            with netCDF4.Dataset(os.path.join(FOLDER, of)) as found:
                np.testing.assert_array_equal(np.ma.filled(found["tas"][:], np.nan), numbers)
                self.assertEqual(found["tas"].units, "K")

        check("in-parts.nc")
        # Written anew its old parts are gone; written without parts, too.
        old = parts("in-parts.nc")
        check("in-parts.nc", (), "--overwrite", "--chunks", "time=33,lat=17")
        self.assertNotEqual(parts("in-parts.nc"), old)
        done = weft("convert", "--overwrite", "large.nc", "in-parts.nc")
        self.assertEqual((done.returncode, parts("in-parts.nc")), (0, []), done.stderr)
        # What fails leaves nothing; what is small needs no parts.
        self.assertEqual(weft("convert", "--parts", "a2001.nc", "nowhere/out.nc").returncode, 1)
        self.assertEqual(weft("convert", "--parts", "a2001.nc", "small.nc").returncode, 0)
        self.assertEqual(parts("small.nc"), [])
        self.assertEqual(weft("convert", "--parts", "a2001.nc", "no.zarr").returncode, 2)
        if MPIEXEC:
            check("ranks-parts.nc", (MPIEXEC, "-n", "3", "--oversubscribe", "--allow-run-as-root"))
            self.lose_a_worker("convert", "--parts", "large.nc", "lost-parts.nc")
            self.assertEqual(weft("compare", "large.nc", "lost-parts.nc").returncode, 0)
            self.assertEqual(len(parts("lost-parts.nc")), 1)
            left = [name for name in os.listdir(os.path.join(FOLDER, *parts("lost-parts.nc"))) if ".part-" in name]
            self.assertEqual(left, [], "what a lost worker was writing")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as FOLDER:
        os.mkdir(os.path.join(FOLDER, "folder"))
        for number, year in enumerate((2001, 2002)):
            made, how = dataset(year, number)
            made.to_netcdf(os.path.join(FOLDER, f"a{year}.nc"), encoding=how, unlimited_dims=["time"])
            shutil.copy(os.path.join(FOLDER, f"a{year}.nc"), os.path.join(FOLDER, "folder"))
        os.mkdir(os.path.join(FOLDER, "docs"))
        for name in ("a.nc", "b.nc"):
            shutil.copy(os.path.join(FOLDER, "a2001.nc"), os.path.join(FOLDER, "docs", name))
        # An ocean's curvilinear grid, and a map.
        y, x = np.meshgrid(np.arange(9) * 5.0, np.arange(12) * 5.0, indexing="ij")
        xr.Dataset({"sst": (("y", "x"), x * y, {"coordinates": "lat lon"}), "lat": (("y", "x"), y + 0.1 * x, {"units": "degrees_north"}),
                    "lon": (("y", "x"), x - 0.2 * y, {"units": "degrees_east"})}).to_netcdf(os.path.join(FOLDER, "docs", "ocean.nc"))
        xr.Dataset({"ice": (("y", "x"), x * y, {"grid_mapping": "crs"}),
                    "crs": ((), np.int32(0), {"grid_mapping_name": "polar_stereographic", "latitude_of_projection_origin": 90.0,
                                              "straight_vertical_longitude_from_pole": -45.0, "standard_parallel": 70.0})},
                   {"y": ("y", np.arange(9) * 1e5, {"units": "m", "standard_name": "projection_y_coordinate"}),
                    "x": ("x", np.arange(12) * 1e5, {"units": "m", "standard_name": "projection_x_coordinate"})}).to_netcdf(
                        os.path.join(FOLDER, "docs", "map.nc"))
        made, how = dataset(2001, 0)
        made.to_netcdf(os.path.join(FOLDER, "classic.nc"), format="NETCDF3_64BIT",
                       encoding={"tas": {"_FillValue": np.float32(1e20)}})
        later = made.isel(time=slice(0, 20)).assign_coords(
            time=("time", days(2001) + 355 + np.arange(20.0), made.time.attrs))
        later.to_netcdf(os.path.join(FOLDER, "late.nc"))
        ONE = xr.open_dataset(os.path.join(FOLDER, "a2001.nc")).load()
        BOTH = xr.concat([ONE, xr.open_dataset(os.path.join(FOLDER, "a2002.nc")).load()], "time", data_vars="minimal")
        ONE.close()
        sys.argv[1:] = sys.argv[3:]
        unittest.main(verbosity=1)
