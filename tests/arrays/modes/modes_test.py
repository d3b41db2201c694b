#!/usr/bin/env python3
"""Compares the bits of array workloads between modes. usage: modes_test.py MPIRUN MODES_JOB"""
import os
import subprocess
import sys
import tempfile
import unittest

MPIRUN, PROGRAM = sys.argv[1], sys.argv[2]
MIB = 1 << 20
# Of `large`: 4480 x 4480 doubles.
DATA_BYTES = 4480 * 4480 * 8

# Each case of weft_bench, and what moves or keeps most besides.
LARGE = ("expression", "std", "sum", "cumsum", "overlap", "rechunk", "matmul", "sort", "sort-all", "quantile", "set", "diff", "scatter",
         "reshape-few", "double-diff", "vorticity", "anomaly-mean", "climatic-mean", "quadratic-mean", "tsqr", "svd-compressed", "fft",
         "fft-chunked", "unique", "gufunc", "rolling", "resample", "by-month", "weighted", "rank", "gaps", "regrid-nearest",
         "regrid-bilinear", "regrid-conservative")


def run(ranks, *words, timeout=240, scratch=None):
    """Returns what the program printed, a line an item. No ranks: without mpirun."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    kept.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", WEFT_CONFIG="none", OPENBLAS_NUM_THREADS="1")
    launch = [MPIRUN, "--oversubscribe", "--bind-to", "none", "-n", str(ranks)] if ranks else []
    with tempfile.TemporaryDirectory() as own:
        done = subprocess.run([*launch, PROGRAM, *words, f"--weft-spill-dir={scratch or own}"], env=kept, capture_output=True, text=True,
                              timeout=timeout)
    if done.returncode != 0:
        raise AssertionError(f"{ranks} ranks, {words}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout.splitlines()


class ModesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.expected = run(0, "all", "--weft-scheduler=sync")

    def check(self, ranks, *words):
        self.assertEqual(run(ranks, *words), self.expected, f"{ranks} ranks, {words}")

    def test_threads_give_the_same_bits(self):
        for threads in (1, 2, 5):
            self.check(0, "all", "--weft-scheduler=threads", f"--weft-threads={threads}")

    def test_workers_give_the_same_bits(self):
        for workers in (1, 2, 3, 7):
            for threads in (1, 2):
                self.check(workers + 1, "all", f"--weft-threads={threads}")

    def test_a_killed_worker_changes_no_bit(self):
        for workers in (1, 2, 3, 7):
            for threads in (1, 2):
                with tempfile.TemporaryDirectory() as folder:
                    self.check(workers + 1, "dies", folder, f"--weft-threads={threads}")
                    self.assertTrue(os.path.islink(folder + "/died"))

    def test_what_is_stored_into_an_object_comes_back(self):
        def stored(ranks, *words, dies=False):
            with tempfile.TemporaryDirectory() as folder:
                if dies:
                    open(folder + "/dies", "w").close()
                lines = run(ranks, "store", folder, *words)
                self.assertEqual(os.path.islink(folder + "/died"), dies)
                return lines

        expected = stored(0, "--weft-scheduler=sync")
        self.assertRegex(expected[0], "^stored [0-9a-f]{16}$")
        self.assertEqual(stored(0, "--weft-scheduler=threads", "--weft-threads=3"), expected)
        self.assertEqual(stored(3), expected)
        for workers in (1, 2, 3):
            self.assertEqual(stored(workers + 1, dies=True), expected, f"{workers} workers, one killed")

    def large_rechunk(self):
        return run(0, "large", "rechunk", "--weft-scheduler=threads", "--weft-threads=2", "--weft-memory=8GiB")[0]

    def test_a_many_to_many_move_survives_its_worker(self):
        with tempfile.TemporaryDirectory() as folder:
            printed = run(4, "large", "rechunk", folder, "--weft-threads=1", f"--weft-memory={DATA_BYTES // 2}")
            self.assertTrue(os.path.islink(folder + "/died"))
        self.assertEqual(printed[0], self.large_rechunk())

    def test_a_many_to_many_move_ends_or_says_why_with_a_full_disk(self):
        """The workers hold less than the move needs, and the disk takes next to nothing."""
        with tempfile.TemporaryDirectory() as folder:
            full = folder + "/full"
            os.mkdir(full)
            try:
                subprocess.run(["truncate", "-s", "8M", folder + "/disk"], check=True, capture_output=True)
                subprocess.run(["mkfs.ext4", "-q", folder + "/disk"], check=True, capture_output=True)
                subprocess.run(["mount", "-o", "loop", folder + "/disk", full], check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError):
                self.skipTest("no file system can be mounted here")
            try:
                expected = self.large_rechunk()
                printed = run(4, "large", "rechunk", "--weft-threads=1", f"--weft-memory={2 * DATA_BYTES}", scratch=full)
                self.assertEqual(printed[0], expected)
                for budget in (DATA_BYTES // 2, DATA_BYTES // 6):
                    try:
                        printed = run(4, "large", "rechunk", "--weft-threads=1", f"--weft-memory={budget}", scratch=full)
                        self.assertEqual(printed[0], expected)
                    except AssertionError as error:
                        self.assertRegex(str(error), "with no room to spill them: release results", str(error))
            finally:
                subprocess.run(["umount", full], check=True)

    def test_a_tenth_of_the_memory_is_enough_and_is_kept(self):
        budget = DATA_BYTES // 10
        for name in LARGE:
            with self.subTest(name):
                large = run(0, "large", name, "--weft-scheduler=threads", "--weft-threads=2", "--weft-memory=8GiB")[0]
                printed = run(0, "large", name, "--weft-scheduler=threads", "--weft-threads=2", f"--weft-memory={budget}")
                self.assertEqual(printed[0], large)
                if large == "absent":
                    continue
                held = int(printed[1].split()[1]) * 1024
                self.assertLessEqual(held, budget + 64 * MIB, f"{name}: {held / MIB:.0f} MiB")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
