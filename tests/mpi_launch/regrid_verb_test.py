#!/usr/bin/env python3
"""Tests `weft regrid` from and to curvilinear grids, polygons and maps, with CDO and NumPy as judges.

usage: regrid_verb_test.py WEFT [MPIEXEC]

Exits 77 (skipped) where xarray or netCDF4 is missing. WEFT_TEST_PYTHON names another interpreter that has them.
"""
import os
import shutil
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
try:
    import tifffile
except ImportError:
    tifffile = None

WEFT = os.path.abspath(sys.argv[1])
MPIEXEC = sys.argv[2] if len(sys.argv) > 2 else ""
ROTATED = {"grid_mapping_name": "rotated_latitude_longitude", "grid_north_pole_latitude": 39.25,
           "grid_north_pole_longitude": -162.0}
STEREO = {"grid_mapping_name": "polar_stereographic", "latitude_of_projection_origin": 90.0,
          "straight_vertical_longitude_from_pole": -45.0, "standard_parallel": 70.0, "earth_radius": 6371229.0}


def weft(*words, launcher=()):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    return subprocess.run([*launcher, WEFT, *words], capture_output=True, text=True, timeout=120, cwd=FOLDER,
                          env=environment, check=False)


def rotated(x, y):
    """Latitudes and longitudes of a turned globe, by a matrix."""
    x, y = np.deg2rad(x), np.deg2rad(y)
    at = np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)], -1)
    tilt, turn = np.deg2rad(90 - ROTATED["grid_north_pole_latitude"]), np.deg2rad(ROTATED["grid_north_pole_longitude"] + 180)
    about_y = np.array([[np.cos(tilt), 0, -np.sin(tilt)], [0, 1, 0], [np.sin(tilt), 0, np.cos(tilt)]])
    about_z = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    at = at @ (about_z @ about_y).T
    return np.rad2deg(np.arctan2(at[..., 2], np.hypot(at[..., 0], at[..., 1]))), np.rad2deg(np.arctan2(at[..., 1], at[..., 0]))


def stereo(x, y):
    """The same of a map of the north, on a ball."""
    radius = STEREO["earth_radius"] * (1 + np.sin(np.deg2rad(STEREO["standard_parallel"])))
    return (90 - 2 * np.rad2deg(np.arctan(np.hypot(x, y) / radius)),
            np.rad2deg(np.arctan2(x, -y)) + STEREO["straight_vertical_longitude_from_pole"])


def y_of(y, radius):
    """The latitude of Mercator's y on a ball."""
    return float(np.rad2deg(2 * np.arctan(np.exp(y / radius)) - np.pi / 2))


def corners(places, x, y):
    """Four corners a cell, midway between labels that lie evenly."""
    def ends(labels):
        half = (labels[1] - labels[0]) / 2
        return labels - half, labels + half
    (x0, x1), (y0, y1) = ends(x), ends(y)
    pairs = [np.meshgrid(a, b) for a, b in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
    both = [places(a, b) for a, b in pairs]
    return np.stack([one[0] for one in both], -1), np.stack([one[1] for one in both], -1)


def file_of(name, places, x, y, mapping=None, points=True, bounds=True, units="degrees", gaps=False):
    """A field on a map: with places point by point, or with the mapping of its labels, or both."""
    lat, lon = places(*np.meshgrid(x, y))
    lat_bnds, lon_bnds = corners(places, x, y)
    field = np.sin(np.deg2rad(3 * lat)) + np.cos(np.deg2rad(lon) * 2) * np.cos(np.deg2rad(lat))
    values = np.stack([field, 2 * field + 1])
    if gaps:
        values[:, ::5, ::7] = np.nan
    netcdf = netCDF4.Dataset(os.path.join(FOLDER, name), "w")
    for dim, size in (("time", 2), ("y", y.size), ("x", x.size), ("corner", 4)):
        netcdf.createDimension(dim, size)

    def add(what, dims, numbers, **attributes):
        one = netcdf.createVariable(what, "f8", dims, fill_value=np.nan if what == "v" else None)
        one.setncatts(attributes)
        one[:] = numbers
    kind = "grid_longitude grid_latitude" if mapping is ROTATED else "projection_x_coordinate projection_y_coordinate"
    if mapping:
        for what, numbers, standard in (("x", x, kind.split()[0]), ("y", y, kind.split()[1])):
            add(what, (what,), numbers / (1000 if units == "km" else 1), units=units, standard_name=standard)
        netcdf.createVariable("crs", "S1", ()).setncatts(mapping)
    add("v", ("time", "y", "x"), values, **({"coordinates": "lat lon"} if points else {}),
        **({"grid_mapping": "crs"} if mapping else {}))
    if points:
        more = {"bounds": "lat_bnds"} if bounds else {}
        add("lat", ("y", "x"), lat, units="degrees_north", standard_name="latitude", **more)
        add("lon", ("y", "x"), lon, units="degrees_east", standard_name="longitude", **{key: "lon_bnds" for key in more})
        if bounds:
            add("lat_bnds", ("y", "x", "corner"), lat_bnds)
            add("lon_bnds", ("y", "x", "corner"), lon_bnds)
    netcdf.close()


# No place lies just between two.
RLON, RLAT = np.arange(-30.27, 30.1, 1.5), np.arange(-24.11, 24.1, 1.5)
X, Y = np.arange(-37, 38) * 100e3 + 17e3, np.arange(-35, 36) * 100e3 - 23e3


class RegridVerbTest(unittest.TestCase):
    def regrid(self, *words, out="out.nc", launcher=()):
        done = weft("regrid", *words, out, "--overwrite", launcher=launcher)
        self.assertEqual(done.returncode, 0, (words, done.stderr))
        with xr.open_dataset(os.path.join(FOLDER, out)) as made:
            return made.load()

    def cdo(self, *words):
        subprocess.run(["cdo", "-s", "-O", "-b", "F64", *words, "cdo.nc"], cwd=FOLDER, check=True, capture_output=True)
        with xr.open_dataset(os.path.join(FOLDER, "cdo.nc")) as made:
            return made.load()

    def near(self, a, b, apart):
        a, b = np.asarray(a), np.asarray(b)
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
        np.testing.assert_allclose(a, b, rtol=0, atol=apart)

    @unittest.skipUnless(shutil.which("cdo"), "no cdo here")
    def test_conservative_means_are_those_of_cdo(self):
        for gaps in (False, True):
            file_of("turned.nc", rotated, RLON, RLAT, gaps=gaps)
            out = self.regrid("--grid", "r120x60", "--method", "conservative", "--min-coverage", "0", "turned.nc").v
            wanted = self.cdo("remapcon,r120x60", "turned.nc").v
            self.near(out.values, wanted.values, 1e-9)
            self.assertGreater(np.isfinite(out.values).sum(), 500)
            # And back.
            shutil.copy(os.path.join(FOLDER, "cdo.nc"), os.path.join(FOLDER, "regular.nc"))
            back = self.regrid("--grid", "turned.nc", "--method", "conservative", "--min-coverage", "0", "regular.nc").v
            wanted = self.cdo("remapcon,turned.nc", "regular.nc").v
            self.assertEqual(back.dims, ("time", "y", "x"))
            self.near(back.values, wanted.values, 1e-9)

    def test_a_mapping_tells_what_places_and_bounds_tell(self):
        for name, places, x, y, mapping, units in (("rotated", rotated, RLON, RLAT, ROTATED, "degrees"),
                                                   ("stereo", stereo, X, Y, STEREO, "km")):
            file_of("told.nc", places, x, y)
            file_of("mapped.nc", places, x, y, mapping, points=False, units=units)
            file_of("both.nc", places, x, y, mapping, bounds=False, units=units)
            for method in ("nearest", "bilinear", "conservative"):
                wanted = self.regrid("--grid", "r90x45", "--method", method, "told.nc", out="wanted.nc").v
                self.assertGreater(np.isfinite(wanted.values).sum(), 200)
                for source in ("mapped.nc", "both.nc"):
                    got = self.regrid("--grid", "r90x45", "--method", method, source).v
                    self.near(got.values, wanted.values, 1e-10)
                # To the map: its labels and its mapping come with the values.
                there = self.regrid("--grid", "told.nc", "--method", method, "wanted.nc", out="there.nc").v
                mapped = self.regrid("--grid", "mapped.nc", "--method", method, "wanted.nc", out="back.nc")
                self.near(mapped.v.values, there.values, 1e-10)
                self.assertEqual(mapped.crs.attrs["grid_mapping_name"], mapping["grid_mapping_name"])
                self.assertEqual(mapped.lat.attrs["units"], "degrees_north")
                np.testing.assert_allclose(mapped.x, x / (1000 if units == "km" else 1))
                again = self.regrid("--grid", "r90x45", "--method", method, "back.nc").v
                self.assertGreater(np.isfinite(again.values).sum(), 200)

    @unittest.skipUnless(tifffile, "no tifffile here")
    def test_a_geotiff_lies_where_its_keys_say(self):
        # The web's Mercator on a ball: rows of parallels, columns of meridians.
        radius = 6378137.0
        x, y = (np.arange(8) + 0.5) * 2e5 - 1e6, 3e6 - (np.arange(6) + 0.5) * 2e5
        keys = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 3857)
        values = np.arange(48.0).reshape(6, 8)
        tifffile.imwrite(os.path.join(FOLDER, "web.tif"), values, extratags=[
            (33550, "d", 3, (2e5, 2e5, 0.0)), (33922, "d", 6, (0.0, 0.0, 0.0, -1e6, 3e6, 0.0)), (34735, "H", 16, keys)])
        lat = np.rad2deg(2 * np.arctan(np.exp((y[0] + 1e5 - np.arange(7) * 2e5) / radius)) - np.pi / 2)
        lon = np.rad2deg((np.arange(9) * 2e5 - 1e6) / radius)
        xr.Dataset({"image": (("lat", "lon"), values), "lat_bnds": (("lat", "two"), np.stack([lat[:-1], lat[1:]], 1)),
                    "lon_bnds": (("lon", "two"), np.stack([lon[:-1], lon[1:]], 1))},
                   {"lat": ("lat", [y_of(one, radius) for one in y], {"units": "degrees_north", "bounds": "lat_bnds"}),
                    "lon": ("lon", np.rad2deg(x / radius), {"units": "degrees_east", "bounds": "lon_bnds"})}).to_netcdf(
                        os.path.join(FOLDER, "web.nc"))
        for method in ("nearest", "bilinear", "conservative"):
            wanted = self.regrid("--grid", "r239x120", "--method", method, "web.nc").image
            got = self.regrid("--grid", "r239x120", "--method", method, "web.tif").image
            if method == "bilinear":  # between rows, and not beyond the outer ones
                inner = {"lat": slice(y_of(y[-1], radius), y_of(y[0], radius)), "lon": slice(0, 5)}
                wanted, got = wanted.sel(**inner), got.sel(**inner)
            self.near(got.values, wanted.values, 1e-10)
        there = self.regrid("--grid", "web.tif", "--method", "conservative", "web.nc")
        self.near(there.image.values, values, 1e-10)
        self.assertEqual(there.x.attrs["units"], "m")

    def test_polygons_in_a_row_are_cells(self):
        netcdf = netCDF4.Dataset(os.path.join(FOLDER, "poly.nc"), "w")
        netcdf.createDimension("cell", 2)
        netcdf.createDimension("nv", 4)
        for name, dims, numbers, attributes in (
                ("v", ("cell",), [3.0, 5.0], {"coordinates": "lat lon"}),
                ("lat", ("cell",), [15.0, 15.0], {"units": "degrees_north", "bounds": "lat_vertices"}),
                ("lon", ("cell",), [15.0, 25.0], {"units": "degrees_east", "bounds": "lon_vertices"}),
                ("lat_vertices", ("cell", "nv"), [[10, 10, 20, 20], [10, 10, 20, 20]], {}),
                ("lon_vertices", ("cell", "nv"), [[10, 20, 20, 10], [20, 30, 30, 20]], {})):
            one = netcdf.createVariable(name, "f8", dims)
            one.setncatts(attributes)
            one[:] = numbers
        netcdf.close()
        out = self.regrid("--grid", "r36x18", "--method", "conservative", "--min-coverage", "0.2", "poly.nc").v
        self.near(out.sel(lat=15, lon=[10, 20, 30]), [3, 4, 5], 1e-12)
        self.assertEqual(np.isfinite(out.values).sum(), 3)

    def test_bounds_of_labels_are_the_cells(self):
        lat, lon = np.array([-60.0, 0, 60]), np.array([45.0, 135, 225, 315])
        bounds = np.array([[-90, -10], [-10, 50], [50, 90.0]])
        data = xr.Dataset({"v": (("lat", "lon"), np.arange(12.0).reshape(3, 4)), "lat_bnds": (("lat", "bnds"), bounds)},
                          {"lat": ("lat", lat, {"units": "degrees_north", "bounds": "lat_bnds"}),
                           "lon": ("lon", lon, {"units": "degrees_east"})})
        data.to_netcdf(os.path.join(FOLDER, "bounds.nc"))
        out = self.regrid("--grid", "r1x1", "--method", "conservative", "bounds.nc").v
        weight = np.diff(np.sin(np.deg2rad(bounds)))[:, 0]
        self.assertAlmostEqual(out.item(), (data.v.values.mean(1) * weight).sum() / weight.sum(), 12)

    def test_what_is_not_known_is_told(self):
        for mapping, part in (({"grid_mapping_name": "krovak"}, "'crs' of 'odd.nc' is 'krovak', which is not known"),
                              ({"grid_mapping_name": "transverse_mercator"},
                               "'crs' of 'odd.nc', a grid mapping 'transverse_mercator', lacks the attribute 'longitude_of_central_meridian'")):
            file_of("odd.nc", stereo, X, Y, mapping, points=False, units="m")
            done = weft("regrid", "--grid", "r4x4", "odd.nc", "no.nc")
            self.assertEqual(done.returncode, 1)
            self.assertIn(part, done.stderr)

    @unittest.skipUnless(MPIEXEC, "no mpirun here")
    def test_three_ranks_write_the_same(self):
        file_of("turned.nc", rotated, RLON, RLAT, gaps=True)
        words = ("--grid", "r120x60", "--method", "conservative", "--chunks", "time=1", "turned.nc")
        wanted = self.regrid(*words)
        found = self.regrid(*words, launcher=[MPIEXEC, "-n", "3", "--oversubscribe", "--allow-run-as-root"])
        xr.testing.assert_equal(found, wanted)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as FOLDER:
        unittest.main(argv=sys.argv[:1])
