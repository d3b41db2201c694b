#!/usr/bin/env python3
"""Runs weft_bench's cases with several processes on tiny sizes, and checks what they print.

usage: weft_bench_mpi_test.py MPIRUN PROGRAM
"""
import json
import os
import subprocess
import sys
import unittest

MPIRUN, PROGRAM = sys.argv[1:3]
ENVIRONMENT = {**{name: value for name, value in os.environ.items() if not name.startswith("WEFT_")},
               "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


class WeftBenchMpi(unittest.TestCase):
    def lines(self, *words, ranks=3):
        done = subprocess.run([MPIRUN, "--oversubscribe", "--bind-to", "none", "-n", str(ranks), PROGRAM, *words,
                               "--scheduler", "mpi", "--json"], capture_output=True, text=True, timeout=120, env=ENVIRONMENT,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def test_shapes_run_on_several_processes(self):
        for words in (["independent", "--tasks", "20000", "--repeat", "1"], ["tree", "--tasks", "20000", "--repeat", "1"],
                      ["chain", "--tasks", "20000", "--repeat", "1"], ["submit", "--tasks", "20000", "--repeat", "1"],
                      ["nested", "--n", "12", "--repeat", "1"]):
            with self.subTest(case=words[0]):
                (line,) = self.lines(*words)
                self.assertGreater(line["us_per_task"], 0)

    def test_startup_and_roundtrip_cross_a_process(self):
        (line,) = self.lines("startup")
        self.assertEqual(line["in_another_process"], 1)
        self.assertEqual([line["params"]["idle_us"] for line in self.lines("roundtrip", "--count", "200")], [0, 100])

    def test_patterns_validate_their_edges_on_several_processes(self):
        for pattern in ("stencil_1d", "all_to_all"):
            (line,) = self.lines("metg", "--pattern", pattern, "--steps", "20", "--repeat", "1", "--max-seconds", "1")
            self.assertGreater(line["edges_validated"], 0)

    def test_no_bulk_passes_the_process_of_the_scheduler(self):
        (line,) = self.lines("move", "--sources", "6", "--bytes", "256KiB", "--repeat", "2")
        self.assertGreater(line["moved_bytes"], 6 * 6 * (256 << 10) / 3)
        self.assertEqual(line["bulk_bytes_through_client"], 0)

    def test_a_killed_worker_costs_no_more_than_it_had_done(self):
        for shape in ("independent", "tree", "move"):
            with self.subTest(shape=shape):
                calm, killed = self.lines("recover", "--shape", shape, "--tasks", "20000", "--rounds", "10000")
                self.assertEqual((calm["killed"], calm["recomputed_tasks"], killed["killed"]), (0, 0, 1))
                self.assertGreater(killed["lost_tasks"], 0)
                self.assertLessEqual(killed["recomputed_per_lost"], 1.5)

    def test_nested_tasks_survive_their_worker_and_start_no_more_threads(self):
        calm, killed = self.lines("recover", "--shape", "nested", "--n", "24")
        self.assertEqual((calm["killed"], killed["killed"]), (0, 1))
        self.assertLessEqual(killed["most_threads_of_a_worker"], calm["most_threads_of_a_worker"] + 2)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
