#!/usr/bin/env python3
"""Tests `weft report` and the run files it reads. usage: report_test.py WEFT [MPIEXEC]"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

WEFT = os.path.abspath(sys.argv[1])
MPIEXEC = sys.argv[2] if len(sys.argv) > 2 else ""
RANKS = [MPIEXEC, "-n", "3", "--oversubscribe", "--allow-run-as-root"]


class ReportTest(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.folder = self.place.name

    def tearDown(self):
        self.place.cleanup()

    def weft(self, *words, launcher=()):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
        return subprocess.run([*launcher, WEFT, *words], capture_output=True, text=True, timeout=120, cwd=self.folder, env=kept)

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_the_longest_task_is_named_with_its_share_of_the_time(self):
        done = self.weft("each", "sleep {}", "0.01", "1.5", "0.02", "0.03", "--jobs", "4", "--report", "run.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        text = self.weft("report", "run.json").stdout
        self.assertIn("top bottleneck: slots had nothing to do", text)
        self.assertIn("one task, each 1.5", text)
        self.assertIn("0 workers lost", text)
        told = json.loads(self.weft("report", "run.json", "--json").stdout)
        self.assertEqual((told["exit"], told["tasks"], told["slots"], told["bottleneck"]["what"]), (0, 4, 4, "idle"))
        self.assertIn("each 1.5", told["slowest"][0]["name"])
        self.assertGreater(told["slowest"][0]["seconds"], 1.4)
        self.assertAlmostEqual(sum(told["phases"].values()), 1, delta=0.1)
        self.assertEqual((told["stages"][0]["tasks"], told["lost"]), (4, []))

    def test_full_slots_are_the_tasks_own_work_in_sync_too(self):
        for words in (["--weft-scheduler=sync"], ["--jobs", "2"]):
            done = self.weft("each", "sleep 0.2; : {}", *map(str, range(10)), "--report", "run.json", *words)
            self.assertEqual(done.returncode, 0, done.stderr)
            told = json.loads(self.weft("report", "run.json", "--json").stdout)
            self.assertEqual(told["bottleneck"]["what"], "kernel", (words, told))
            self.assertGreater(told["bottleneck"]["share"], 0.5)

    def test_a_run_that_failed_has_a_report_too(self):
        self.assertEqual(self.weft("each", "false", "a", "--report", "run.json").returncode, 1)
        self.assertEqual(json.loads(self.weft("report", "run.json", "--json").stdout)["exit"], 1)

    def test_the_page_needs_no_other_file(self):
        self.weft("each", "true", "<b>", "--report", "run.json")
        done = self.weft("report", "run.json", "run.html")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("run.html")) as file:
            page = file.read()
        self.assertNotIn("<b>' ", page)
        for word in ("http", "src=", "href=", "url("):
            self.assertNotIn(word, page)
        self.assertIn("Top bottleneck", page)
        self.assertEqual(self.weft("report", "run.json", "run.html").returncode, 1)
        self.assertEqual(self.weft("report", "run.json", "run.html", "--overwrite").returncode, 0)

    def test_what_is_no_run_file_is_said(self):
        with open(self.path("text"), "w") as file:
            file.write("no json")
        with open(self.path("other"), "w") as file:
            file.write('{"a": 1}')
        for name, part in (("none", "no such run file"), ("text", "is no run file"), ("other", "is no run file")):
            done = self.weft("report", name)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(part, done.stderr)
        self.assertEqual(self.weft("each", "true", "a", "--report", "none/run.json").returncode, 1)
        self.assertEqual(self.weft("report", "text", "--tpo", "3").returncode, 2)

    def test_the_examples_of_its_help_run(self):
        self.weft("sample", ".", "--years", "1")
        os.rename(self.path("tas_2001.nc"), self.path("tas.nc"))
        for line in self.weft("report", "--help").stdout.splitlines()[:3]:
            done = self.weft(*line.split("#")[0].split()[1:])
            self.assertEqual(done.returncode, 0, (line, done.stderr))

    @unittest.skipUnless(MPIEXEC, "no mpirun here")
    def test_what_workers_fetched_from_each_other_is_counted(self):
        self.weft("sample", "data", "--years", "1")
        words = ["anomaly", "--by", "time.month", "data", "out.nc", "--overwrite", "--report", "run.json"]
        for launcher, some in (([], False), (RANKS, True)):
            done = self.weft(*words, launcher=launcher)
            self.assertEqual(done.returncode, 0, done.stderr)
            told = json.loads(self.weft("report", "run.json", "--json").stdout)
            self.assertEqual(told["moved_bytes"] > 0, some, told["moved_bytes"])
            self.assertIn("moved between workers: ", self.weft("report", "run.json").stdout)
            # Each line of source has its part of it.
            self.assertAlmostEqual(sum(one["bytes"] for one in told["moved"]), told["moved_bytes"], delta=0.1 * told["moved_bytes"])
            self.assertTrue(all(one["results"] > 0 and ":" in one["name"] for one in told["moved"]), told["moved"])

    @unittest.skipUnless(MPIEXEC, "no mpirun here")
    def test_workers_of_ranks_are_told_of_and_so_is_a_lost_one(self):
        command = "test {} != 7 -o -e killed || { touch killed; kill -9 $PPID; sleep 9; }"
        done = self.weft("each", command, *map(str, range(20)), "--report", "run.json", launcher=RANKS)
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(self.weft("report", "run.json", "--json").stdout)
        self.assertEqual(len(told["lost"]), 1, told)
        text = self.weft("report", "run.json").stdout
        self.assertIn("1 worker lost", text)


if __name__ == "__main__":
    sys.argv[1:] = sys.argv[3:]
    unittest.main(verbosity=1)
