#!/usr/bin/env python3
"""Tests `weft plot` by decoding its pictures. usage: plot_test.py WEFT [MPIEXEC]

Exits 77 (skipped) where NumPy, netCDF4 or Pillow is missing.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

try:
    import netCDF4
    import numpy as np
    from PIL import Image
except ImportError:
    print("no NumPy, netCDF4 or Pillow here: skipped")
    sys.exit(77)

WEFT = os.path.abspath(sys.argv[1])
MPIEXEC = sys.argv[2] if len(sys.argv) > 2 else ""
MISSING = (190, 190, 190)
LATS, LONS = np.array([-60.0, 0.0, 60.0]), np.arange(0.0, 360.0, 60.0)
FIELD = np.arange(18.0).reshape(3, 6)
FIELD[1, 2] = np.nan
LINE = np.concatenate([np.linspace(0, 10, 50), np.full(10, np.nan), np.linspace(10, 0, 40)])


def write_files(folder):
    with netCDF4.Dataset(f"{folder}/map.nc", "w") as file:
        for name, values in (("lat", LATS), ("lon", LONS), ("time", np.arange(2.0))):
            file.createDimension(name, len(values))
            file.createVariable(name, "f8", (name,))[:] = values
        file["lat"].units, file["lon"].units = "degrees_north", "degrees_east"
        file["time"].units = "days since 2001-01-01"
        one = file.createVariable("tas", "f4", ("time", "lat", "lon"), fill_value=np.float32(1e20))
        one.units, one.long_name = "K", "air <temperature>"
        one[0], one[1] = np.ma.masked_invalid(FIELD), np.ma.masked_invalid(FIELD - 9)
        file.createDimension("y", 2)
        file.createDimension("x", 3)
        file.createVariable("picture", "i4", ("y", "x"))[:] = np.arange(6).reshape(2, 3)
    with netCDF4.Dataset(f"{folder}/down.nc", "w") as file:
        file.createDimension("lat", 3)
        file.createDimension("lon", 6)
        file.createVariable("lat", "f8", ("lat",))[:] = LATS[::-1]
        file.createVariable("field", "f8", ("lat", "lon"))[:] = FIELD[::-1]
    with netCDF4.Dataset(f"{folder}/line.nc", "w") as file:
        file.createDimension("time", len(LINE))
        time = file.createVariable("time", "f8", ("time",))
        time.units = "days since 2001-01-01"
        time[:] = np.arange(len(LINE)) * 30
        file.createVariable("flow", "f8", ("time",))[:] = LINE


def weft(*words, launcher=()):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    return subprocess.run([*launcher, WEFT, *words], capture_output=True, text=True, timeout=120, cwd=FOLDER, env=kept)


class PlotTest(unittest.TestCase):
    def plot(self, *words, out="out.png"):
        done = weft("plot", *words, out, "--overwrite", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def cells(self, told, rows, columns):
        """The colours in the middles of a map's cells."""
        left, top, right, bottom = told["box"]
        with Image.open(os.path.join(FOLDER, told["output"])) as picture:
            image = np.asarray(picture.convert("RGB"))
        return [[tuple(int(c) for c in image[int(top + (row + 0.5) * (bottom - top) / rows), int(left + (column + 0.5) * (right - left) / columns)])
                 for column in range(columns)] for row in range(rows)]

    def assert_rises(self, colours):
        light = [sum(colour) for colour in colours]
        self.assertEqual(light, sorted(light))
        self.assertEqual(len(set(colours)), len(colours))

    def test_a_map_has_north_above_and_missing_values_in_grey(self):
        told = self.plot("map.nc", "tas")
        self.assertEqual((told["shape"], told["min"], told["max"], told["missing"]), ([3, 6], 0, 17, 1))
        cells = self.cells(told, 3, 6)
        self.assertEqual(cells[1][2], MISSING)
        flat = [colour for row in cells[::-1] for colour in row]
        flat.remove(MISSING)
        self.assert_rises(flat)
        left, top, right, bottom = told["box"]
        self.assertAlmostEqual((right - left) / (bottom - top), 360 / 180, delta=0.02)

    def test_labels_that_fall_are_turned_and_rows_without_labels_go_down(self):
        cells = self.cells(self.plot("down.nc", "field"), 3, 6)
        self.assertEqual(cells[1][2], MISSING)
        self.assert_rises([colour for row in cells[::-1] for colour in row if colour != MISSING])
        cells = self.cells(self.plot("map.nc", "picture"), 2, 3)
        self.assert_rises([colour for row in cells for colour in row])

    def test_both_signs_are_balanced_around_white(self):
        cells = self.cells(self.plot("map.nc", "tas", "--isel", "time=1"), 3, 6)
        red, blue = cells[0][5], cells[2][0]
        self.assertTrue(red[0] > red[2] and blue[2] > blue[0], (red, blue))
        grey = self.cells(self.plot("map.nc", "tas", "--colors", "grey", "--min", "0", "--max", "17"), 3, 6)
        self.assertEqual((grey[2][0], grey[0][5]), ((0, 0, 0), (255, 255, 255)))

    def test_a_line_runs_through_its_values_and_breaks_where_they_are_missing(self):
        told = self.plot("line.nc", "--min", "0", "--max", "10")
        left, top, right, bottom = told["box"]
        with Image.open(os.path.join(FOLDER, "out.png")) as picture:
            image = np.asarray(picture.convert("RGB")).astype(int)
        blue = image[:, :, 2] - image[:, :, 0] > 60
        for i in (5, 20, 45, 70, 90):
            x = int(left + i / (len(LINE) - 1) * (right - left))
            y = bottom - LINE[i] / 10 * (bottom - top)
            rows = np.flatnonzero(blue[:, x])
            self.assertTrue(len(rows) and abs(rows.mean() - y) < 4, (i, rows, y))
        middle = int(left + 55 / (len(LINE) - 1) * (right - left))
        self.assertFalse(blue[:, middle].any())

    def test_svg_has_titles_units_dates_and_numbers(self):
        self.plot("line.nc", out="out.svg")
        root = xml.etree.ElementTree.parse(os.path.join(FOLDER, "out.svg")).getroot()
        texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
        for word in ("flow", "time", "2001", "2003", "0", "10"):
            self.assertIn(word, texts)
        strokes = [node for node in root.iter("{http://www.w3.org/2000/svg}polyline") if node.get("stroke") == "#1e5aa0"]
        self.assertEqual(len(strokes), 2)
        self.plot("map.nc", "tas", out="out.svg")
        root = xml.etree.ElementTree.parse(os.path.join(FOLDER, "out.svg")).getroot()
        texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("air <temperature> [K]", texts)
        self.assertIn("time = 2001-01-01 (the first of 2)", texts)
        self.assertEqual(len(list(root.iter("{http://www.w3.org/2000/svg}image"))), 2)

    def test_choices_expressions_and_conditions_come_first(self):
        told = self.plot("map.nc", "--expr", "c = tas * 2", "--where", "tas > 3", "--sel", "lat=0:60")
        self.assertEqual((told["variable"], told["shape"], told["min"], told["max"], told["missing"]), ("c", [2, 6], 12, 34, 1))
        self.assertEqual(self.plot("map.nc", "tas", "--sel", "lat=60", "--isel", "time=0")["shape"], [6])
        for words, size in (([], (960, 540)), (["--size", "300x200"], (300, 200))):
            self.plot("map.nc", "tas", *words)
            with Image.open(os.path.join(FOLDER, "out.png")) as picture:
                self.assertEqual(picture.size, size)

    def test_what_cannot_be_drawn_is_said(self):
        for words, code, part in ((["map.nc", "tsa", "no.png"], 1, "did you mean 'tas'"), (["map.nc", "tas", "no.jpg"], 2, ".png or .svg"),
                                  (["map.nc", "tas", "no.png", "--size", "9"], 2, "960x540"), (["map.nc", "tas", "no.png", "--colors", "x"], 2, "dusk"),
                                  (["none.nc", "no.png"], 1, "no such file"), (["map.nc", "tas", "no.png", "--isel", "lat=0", "--isel", "lon=0", "--isel", "time=0"], 1, "one value"),
                                  (["map.nc", "tas", "there.png"], 1, "--overwrite"), (["map.nc", "tas", "no.png", "--sixe", "1"], 2, "--size"),
                                  (["map.nc", "tas", "none/no.png"], 1, "cannot be written")):
            open(os.path.join(FOLDER, "there.png"), "w").close()
            done = weft("plot", *words)
            self.assertEqual(done.returncode, code, (words, done.stderr))
            self.assertIn(part, done.stderr)
            self.assertFalse(os.path.exists(os.path.join(FOLDER, "no.png")))
        self.assertEqual(os.path.getsize(os.path.join(FOLDER, "there.png")), 0)
        done = weft("plot", "map.nc", "tas", "no.png", "--dry-run", "--json")
        self.assertEqual(json.loads(done.stdout)["shape"], [3, 6])
        self.assertFalse(os.path.exists(os.path.join(FOLDER, "no.png")))

    def test_the_examples_of_its_help_run(self):
        place = os.path.join(FOLDER, "examples")
        os.mkdir(place)
        script = f"set -e; {WEFT} sample s --years 1; mv s/*.nc tas.nc; {WEFT} reduce mean,max --by time.month tas.nc climate.nc\n"
        for line in weft("plot", "--help").stdout.splitlines()[:3]:
            script += line.split("#")[0].strip().replace("weft ", WEFT + " ", 1) + "\n"
        done = subprocess.run(script, shell=True, cwd=place, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    @unittest.skipUnless(MPIEXEC, "no mpirun here")
    def test_three_ranks_draw_the_same(self):
        self.plot("map.nc", "tas")
        done = weft("plot", "map.nc", "tas", "ranks.png", launcher=[MPIEXEC, "-n", "3", "--oversubscribe", "--allow-run-as-root"])
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(FOLDER, "out.png"), "rb") as one, open(os.path.join(FOLDER, "ranks.png"), "rb") as other:
            self.assertEqual(one.read(), other.read())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as FOLDER:
        write_files(FOLDER)
        sys.argv[1:] = sys.argv[3:]
        unittest.main(verbosity=1)
