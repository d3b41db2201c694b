#!/usr/bin/env python3
"""What the verbs on files do where files, disks and other programs let them down: they say what is wrong with which file,
end with 1, and leave nothing half-written under the name of the output.

usage: bad_input_test.py WEFT

Exits 77 (skipped) where h5py is missing. WEFT_TEST_PYTHON names another interpreter that has it.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "io", "oracle"))
import interpreter

interpreter.use_named()
try:
    import h5py
    import numpy as np
except ImportError:
    interpreter.skip("h5py")

WEFT = os.path.abspath(sys.argv[1])
NOBODY = 65534


def kept_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}


def weft(*words, cwd, **how):
    return subprocess.run([WEFT, *words], capture_output=True, text=True, errors="replace", timeout=120, cwd=cwd,
                          env=kept_environment(), check=False, **how)


def days(path, value, count=200, shape=(40, 60), **storage):
    """Values of each day that hardly pack."""
    noise = np.random.default_rng(3).normal(size=(count, *shape)).astype("f4")
    with h5py.File(path, "w") as file:
        for name, labels, units in (("time", np.arange(count, dtype="f8"), "days since 2001-01-01"),
                                    ("lat", np.linspace(-78, 78, shape[0]), "degrees_north"),
                                    ("lon", np.linspace(0, 354, shape[1]), "degrees_east")):
            one = file.create_dataset(name, data=labels)
            one.attrs["units"] = units
            one.make_scale(name)
        tas = file.create_dataset("tas", data=value + noise, chunks=(10, 20, 30), **(storage or {"compression": 4, "shuffle": True}))
        for axis, name in enumerate(("time", "lat", "lon")):
            tas.dims[axis].attach_scale(file[name])


class BadInputTest(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.folder = self.place.name
        os.chmod(self.folder, 0o755)

    def tearDown(self):
        self.place.cleanup()

    def path(self, name):
        return os.path.join(self.folder, name)

    def refused(self, done, *parts):
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertLess(len(done.stderr), 1000, done.stderr)

    def only(self, *names):
        self.assertEqual(sorted(os.listdir(self.folder)), sorted(names))

    @unittest.skipUnless(os.geteuid() == 0, "only root may become somebody else")
    def test_what_may_not_be_read_or_written_is_told(self):
        def become_nobody():
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        try:
            can_run = weft("--version", cwd="/", preexec_fn=become_nobody).returncode == 0
        except OSError:
            can_run = False
        if not can_run:
            self.skipTest("nobody may not run weft where it lies")
        days(self.path("a.nc"), 1)
        os.chmod(self.path("a.nc"), 0)
        for words in (["info"], ["head"], ["compare", "a.nc"], ["plot", "--quiet"]):
            out = ["p.png"] if words[0] == "plot" else []
            self.refused(weft(*words, "a.nc", *out, cwd=self.folder, preexec_fn=become_nobody), "a.nc", "ermission")
        self.refused(weft("reduce", "mean", "--dim", "time", "a.nc", "out.nc", cwd=self.folder, preexec_fn=become_nobody), "a.nc",
                     "ermission")
        os.chmod(self.path("a.nc"), 0o644)
        for words in (["reduce", "mean", "--dim", "time", "a.nc", "out.nc"], ["convert", "a.nc", "out.zarr"],
                      ["convert", "a.nc", "--var", "tas", "out.tif"], ["anomaly", "--dim", "time", "a.nc", "out.nc"],
                      ["regrid", "--grid", "r36x18", "a.nc", "out.nc"], ["plot", "a.nc", "out.png"], ["sample", "out"]):
            self.refused(weft(*words, cwd=self.folder, preexec_fn=become_nobody), words[-1])
            self.only("a.nc")

    def test_a_disk_that_is_full_in_the_middle_leaves_no_output(self):
        days(self.path("a.nc"), 280)
        small = self.path("small")
        os.mkdir(small)
        if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=200k", "none", small],
                          capture_output=True, check=False).returncode != 0:
            self.skipTest("no file system can be mounted")
        for words in (["convert", "a.nc", "small/out.nc"], ["convert", "a.nc", "--deflate", "0", "small/out.nc"],
                      ["convert", "a.nc", "small/out.zarr"], ["convert", "a.nc", "--var", "tas", "small/out.tif"],
                      ["anomaly", "--dim", "time", "a.nc", "small/out.nc"], ["regrid", "--grid", "r90x45", "a.nc", "small/out.nc"],
                      ["reduce", "mean", "--by", "time.dayofyear", "a.nc", "small/out.nc"], ["sample", "small/out"]):
            # The mount is gone with the shell that made it.
            script = f'mount -t tmpfs -o size=200k none {small} && "$@"; code=$?; find small -mindepth 1; exit $code'
            done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", WEFT, *words], capture_output=True, text=True,
                                  timeout=120, cwd=self.folder, env=kept_environment(), check=False)
            self.assertEqual(done.returncode, 1, (words, done.stderr))
            self.assertIn(words[-1], done.stderr)
            self.assertRegex(done.stderr, "o space left|disk.*full", words)
            left = [line for line in done.stdout.split() if line != "small/out" or words[0] != "sample"]
            self.assertEqual(left, [], words)

    def test_a_writer_that_races_the_reader_is_told_or_not_seen(self):
        for value in (0, 1):
            days(self.path(f"new{value}.nc"), 1000 * value, count=60)
        whole = []
        for value in (0, 1):
            with open(self.path(f"new{value}.nc"), "rb") as file:
                whole.append(file.read())
        stop = threading.Event()

        def write():
            turn = 0
            while not stop.is_set():
                turn += 1
                if turn % 3 == 0:  # in place, as a program that knows no better does
                    with open(self.path("race.nc"), "wb") as file:
                        file.write(whole[turn % 2])
                else:
                    with open(self.path("race.part"), "wb") as file:
                        file.write(whole[turn % 2])
                    os.replace(self.path("race.part"), self.path("race.nc"))
                stop.wait(0.02)

        shutil.copy(self.path("new0.nc"), self.path("race.nc"))
        writer = threading.Thread(target=write)
        writer.start()
        good = 0
        try:
            for _ in range(25):
                done = weft("reduce", "mean", "--dim", "time,lat,lon", "race.nc", "out.nc", "--overwrite", cwd=self.folder)
                self.assertIn(done.returncode, (0, 1), done.stderr)
                if done.returncode == 1:
                    self.assertIn("race.nc", done.stderr)
                    continue
                good += 1
                with h5py.File(self.path("out.nc")) as out:
                    mean = float(out["tas"][()])
                self.assertLess(min(abs(mean), abs(mean - 1000)), 1, "values of two files were mixed")
                os.remove(self.path("out.nc"))
        finally:
            stop.set()
            writer.join()
        self.assertGreater(good, 0)

    def test_a_missing_codec_is_named(self):
        days(self.path("a.nc"), 1)
        done = weft("convert", "a.nc", "a.zarr", cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        for description in ("a.zarr/zarr.json", "a.zarr/tas/zarr.json"):
            with open(self.path(description)) as file:
                text = file.read()
            with open(self.path(description), "w") as file:
                file.write(text.replace('"zstd"', '"pcodec"'))
        self.refused(weft("reduce", "mean", "--dim", "time", "a.zarr", "out.nc", cwd=self.folder), "a.zarr", "pcodec", "zstd")
        self.assertEqual(weft("info", "a.zarr", cwd=self.folder).returncode, 0)
        self.only("a.nc", "a.zarr")

    def test_a_wrong_checksum_is_found(self):
        days(self.path("a.nc"), 1, fletcher32=True)
        with h5py.File(self.path("a.nc")) as file:
            chunk = file["tas"].id.get_chunk_info(3)
        with open(self.path("a.nc"), "r+b") as file:
            file.seek(chunk.byte_offset + 100)
            byte = file.read(1)
            file.seek(chunk.byte_offset + 100)
            file.write(bytes([byte[0] ^ 1]))
        for words in (["reduce", "mean", "--dim", "time", "a.nc", "out.nc"], ["convert", "a.nc", "out.zarr"], ["convert", "a.nc", "out.nc"],
                      ["anomaly", "--dim", "time", "a.nc", "out.nc"]):
            self.refused(weft(*words, cwd=self.folder), "a.nc", "tas", "checksum")
            self.only("a.nc")

    def test_files_that_disagree_are_both_named(self):
        days(self.path("a.nc"), 1)
        days(self.path("b.nc"), 1)
        with h5py.File(self.path("b.nc"), "r+") as file:
            file["time"][:] += 200
            file["lat"][3] += 0.5
        self.refused(weft("reduce", "mean", "--dim", "time", "a.nc", "b.nc", "out.nc", cwd=self.folder), "a.nc", "b.nc", "lat")
        self.only("a.nc", "b.nc")

    def test_what_is_no_data_is_said_by_every_verb(self):
        days(self.path("a.nc"), 1)
        with open(self.path("a.nc"), "rb") as file:
            whole = file.read()
        wrong = {"empty.nc": b"", "text.nc": b"no file of arrays\n", "half.nc": whole[: len(whole) // 2], "head.nc": whole[:100],
                 "zeros.nc": bytes(5000), "noise.nc": np.random.default_rng(1).bytes(5000),
                 "hdf.nc": b"\x89HDF\r\n\x1a\n" + np.random.default_rng(2).bytes(5000), "pic.png": b"\x89PNG\r\n\x1a\n1234",
                 "pic.tif": b"II*\0\xff\xff\xff\xff", "x.grib": b"GRIB\0\0\0\x02" + b"\xff" * 50, "x.fits": b"SIMPLE  =" + b" " * 3000,
                 "x.npy": b"\x93NUMPY\x01\x00\xff\xff", "cdf.nc": b"CDF\x01" + b"\xff" * 40, "x.npz": b"PK\x03\x04" + b"\0" * 60}
        for name, content in wrong.items():
            with open(self.path(name), "wb") as file:
                file.write(content)
        os.makedirs(self.path("x.zarr"))
        with open(self.path("x.zarr/zarr.json"), "w") as file:
            file.write('{"zarr_format": 3, "node_type": "array", "shape": [')
        before = os.listdir(self.folder)
        for name in [*wrong, "x.zarr", "none.nc"]:
            for words in (["info", name], ["head", name], ["compare", name, "a.nc"], ["reduce", "mean", "--dim", "time", name, "out.nc"],
                          ["convert", name, "out.nc"], ["anomaly", "--dim", "time", name, "out.nc"], ["plot", name, "out.png"],
                          ["regrid", "--grid", "r4x4", name, "out.nc"]):
                self.refused(weft(*words, cwd=self.folder), name)
        self.assertEqual(sorted(os.listdir(self.folder)), sorted(before))


if __name__ == "__main__":
    sys.argv[1:] = sys.argv[2:]
    unittest.main(verbosity=1)
