#!/usr/bin/env python3
"""Compares the bits of work on frames between modes. usage: frames_modes_test.py MPIRUN FRAMES_JOB"""
import os
import subprocess
import sys
import tempfile
import unittest

MPIRUN, PROGRAM = sys.argv[1], sys.argv[2]
# 800,000 rows of some 41 bytes.
DATA_BYTES = 800_000 * 41


def run(ranks, *words, dies=False):
    """Returns what the program printed, a line an answer. No ranks: without mpirun."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    kept.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", WEFT_CONFIG="none")
    launch = [MPIRUN, "--oversubscribe", "--bind-to", "none", "-n", str(ranks)] if ranks else []
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*launch, PROGRAM, folder, *(["dies"] if dies else []), *words, f"--weft-spill-dir={folder}"],
                              env=kept, capture_output=True, text=True, timeout=240)
        died = os.path.islink(folder + "/died")
    if done.returncode != 0 or died != dies:
        raise AssertionError(f"{ranks} ranks, {words}: exit code {done.returncode}, died {died}\n{done.stdout}\n{done.stderr}")
    return done.stdout.splitlines()


class FramesModesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.expected = run(0, "--weft-scheduler=sync")

    def test_every_answer_is_there(self):
        self.assertEqual([line.split()[0] for line in self.expected],
                         ["groups", "hours", "sorted", "owners", "merged", "different", "parquet", "csv"])

    def test_threads_give_the_same_bits(self):
        for threads in (1, 3):
            self.assertEqual(run(0, "--weft-scheduler=threads", f"--weft-threads={threads}"), self.expected)

    def test_workers_give_the_same_bits(self):
        for ranks in (2, 4):
            self.assertEqual(run(ranks, "--weft-threads=1"), self.expected)

    def test_a_killed_worker_changes_no_bit(self):
        self.assertEqual(run(4, "--weft-threads=1", dies=True), self.expected)

    def test_little_memory_changes_no_bit(self):
        self.assertEqual(run(0, "--weft-scheduler=threads", "--weft-threads=2", f"--weft-memory={DATA_BYTES // 2}"), self.expected)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
