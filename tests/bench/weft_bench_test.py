#!/usr/bin/env python3
"""Runs every case of weft_bench on tiny sizes and checks what it prints.

usage: weft_bench_test.py PROGRAM [case of this test ...]
"""
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

PROGRAM = ""

ALWAYS = ("case", "params", "seconds_min", "seconds_median", "peak_rss_bytes")
GRAPH = ("tasks", "us_per_task", "us_per_task_cold", "tasks_per_second")
PHASES = {"build", "submit", "schedule", "message", "queue", "fetch", "launch", "kernel", "complete", "release", "spill",
          "journal", "idle"}

# Each case with its tiny arguments, and the keys it must have besides ALWAYS.
SHAPE_KEYS = (*GRAPH, "bytes_per_task", "ledger")
RUNS = {
    "independent": (["--tasks", "5000", "--repeat", "2"], SHAPE_KEYS),
    "tree": (["--tasks", "5000", "--repeat", "2"], SHAPE_KEYS),
    "chain": (["--tasks", "5000", "--repeat", "2"], SHAPE_KEYS),
    "random-dag": (["--tasks", "5000", "--repeat", "2"], SHAPE_KEYS),
    "relaunch": (["--tasks", "5000", "--repeat", "2", "--inputs", "10"], GRAPH),
    "startup": (["--threads", "1"], ("seconds_to_first_result",)),
    "recover": (["--tasks", "100", "--rounds", "100"], ("seconds", "recomputed_per_lost")),
    "submit": (["--tasks", "1000", "--repeat", "1"], ("us_per_task", "submit_us_per_task")),
    "crowd": (["--tasks", "1000", "--repeat", "1"], ("us_per_task", "client_cpu_us_per_task")),
    "move": (["--sources", "3", "--bytes", "64KiB", "--repeat", "1"], ("bulk_bytes_through_client",)),
    "idle": (["--seconds", "0.1"], ("client_cpu_fraction",)),
    "roundtrip": (["--count", "200"], ("us_median", "us_p99")),
    "nested": (["--n", "10", "--repeat", "1"], (*GRAPH, "ledger")),
    "stream": (["--bytes", "1MiB", "--repeat", "2"], ("gib_per_s",)),
    "metg": (["--steps", "20", "--repeat", "1", "--max-seconds", "2"], ("tasks", "us_per_task", "metg_us", "complete")),
    "spill": (["--memory", "32MiB", "--times", "2", "--chunk", "1MiB"], ("gib_per_s", "spill_written_bytes", "ledger")),
    "streaming-reduction": (["--memory", "32MiB", "--times", "2", "--chunk", "1MiB"],
                            ("tasks", "gib_per_s", "spill_written_bytes", "ledger")),
    "formula-plan": (["--tasks", "1e6", "--repeat", "2"], ("tasks", "us_per_task", "bytes_per_task")),
    "formula-run": (["--tasks", "100000", "--repeat", "1"], (*GRAPH, "ledger")),
    "scheduler-only": (["--workers", "10", "--tasks", "5000", "--repeat", "1"],
                       ("tasks", "tasks_per_second", "machine_us_per_task")),
    "transfer": (["--count", "20", "--bytes", "64KiB", "--path", "tcp"], ("gigabytes_per_second",)),
    "broadcast": (["--count", "2", "--bytes", "64KiB", "--processes", "3"], ("gigabytes_per_second",)),
    "expression": (["--n", "60", "--chunk", "16", "--repeat", "1"], ("seconds_cold",)),
    "std": (["--n", "60", "--chunk", "16", "--repeat", "1", "--input", "persisted"], ("gb_per_s",)),
    "philox": (["--n", "200", "--chunk", "64", "--repeat", "1"], ("gb_per_s",)),
    "tiny-chunks": (["--n", "40", "--chunk", "4", "--repeat", "1"], ("chunks",)),
    "double-diff": (["--n", "60", "--chunk", "16", "--repeat", "1"], ("seconds_cold",)),
    "rechunk": (["--n", "200", "--chunk", "16", "--repeat", "1", "--then", "sum"], ("gb_per_s",)),
    "overlap": (["--n", "60", "--chunk", "16", "--repeat", "1"], ("seconds_cold",)),
    "petabyte-plan": (["--n", "12000000", "--chunk", "1000", "--repeat", "1"], ("petabytes", "plan_bytes", "sample_seconds",
                      "wall_of_foretold", "peak_of_foretold")),
    "vorticity": (["--n", "60", "--steps", "3", "--repeat", "1"], ("steps",)),
    "anomaly-mean": (["--n", "60", "--chunk", "10", "--years", "5", "--repeat", "1"], ("gigabytes",)),
    "climatic-mean": (["--n", "8", "--chunk", "4", "--members", "2", "--repeat", "1"], ("gigabytes",)),
    "quadratic-mean": (["--n", "40", "--chunk", "2", "--steps", "5", "--repeat", "1"], ("gigabytes",)),
    "matmul": (["--n", "60", "--chunk", "16", "--repeat", "1"], ("seconds_cold", "gflop_per_s")),
    "tsqr": (["--n", "4000", "--chunk", "500", "--columns", "10", "--repeat", "1"], ("columns",)),
    "svd-compressed": (["--n", "200", "--chunk", "64", "--repeat", "1"], ("seconds_cold",)),
    "sort": (["--n", "30000", "--chunk", "4000", "--repeat", "1"], ("seconds_cold",)),
    "quantile": (["--n", "400", "--chunk", "64", "--repeat", "1"], ("seconds_cold",)),
    "fft": (["--n", "128", "--chunk", "16", "--repeat", "1"], ("axis",)),
    "array-stream": (["--n", "100000", "--repeat", "1"], ("gb_per_s",)),
    "simulate": (["--cores", "64", "--slots", "8", "--tasks", "2000"], ("tasks", "busy_fraction", "machine_us_per_task")),
}
WITH_SCHEDULER = ("independent", "tree", "chain", "random-dag", "relaunch", "roundtrip", "nested", "metg", "formula-run")
PATTERNS = ("trivial", "no_comm", "stencil_1d", "fft", "nearest", "spread", "tree", "all_to_all")


def run(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=120, check=False)


ARRAYS = ("expression", "std", "philox", "tiny-chunks", "double-diff", "overlap", "rechunk", "petabyte-plan", "vorticity",
          "anomaly-mean", "climatic-mean", "quadratic-mean", "matmul", "tsqr", "svd-compressed", "sort", "quantile", "fft", "array-stream")


class WeftBench(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # A weft without arrays has no cases of theirs.
        if "array-stream" not in run("list").stdout:
            for name in ARRAYS:
                del RUNS[name]
        elif "fft:" not in run("list").stdout:
            del RUNS["fft"]

    def lines(self, *words):
        done = run(*words, "--json")
        self.assertEqual(done.returncode, 0, f"{' '.join(words)}: {done.stderr}")
        # idle also says from when on somebody may look at its processes.
        lines = [line for line in done.stdout.splitlines() if words[0] != "idle" or line.startswith("{")]
        found = [json.loads(line) for line in lines]
        self.assertTrue(found, words)
        return found

    def check_line(self, line, name, keys):
        for key in (*ALWAYS, *keys):
            self.assertIn(key, line, name)
        self.assertEqual(line["case"], name)
        self.assertLessEqual(line["seconds_min"], line["seconds_median"])
        for key, value in line.items():
            if isinstance(value, (int, float)):
                self.assertTrue(math.isfinite(value), f"{name}: {key} is {value}")
        for key in ("seconds_min", "us_per_task", "tasks_per_second", "gib_per_s", "us_median", "peak_rss_bytes"):
            if key in line and not (name == "spill" and key == "gib_per_s"):
                self.assertGreater(line[key], 0, f"{name}: {key}")
        if "ledger" in line:
            self.assertEqual(set(line["ledger"]["phases"]), PHASES)
            self.assertIn("unbooked", line["ledger"])

    def test_every_case_of_the_list_is_run_here(self):
        listed = [line.split(":")[0] for line in run("list").stdout.splitlines() if not line.startswith(" ")]
        self.assertEqual(sorted(listed), sorted(RUNS))

    def test_every_case_prints_its_keys(self):
        for name, (words, keys) in RUNS.items():
            with self.subTest(case=name):
                for line in self.lines(name, *words):
                    self.check_line(line, name, keys)

    def test_sync_gives_the_same_keys(self):
        for name in WITH_SCHEDULER:
            words, keys = RUNS[name]
            with self.subTest(case=name):
                for line in self.lines(name, *words, "--scheduler", "sync"):
                    self.check_line(line, name, keys)
                    self.assertEqual(line["params"]["scheduler"], "sync")

    def test_weak_scaling_draws_what_it_simulated(self):
        root = pathlib.Path(__file__).resolve().parents[2]
        with tempfile.TemporaryDirectory() as folder:
            svg = pathlib.Path(folder) / "chart.svg"
            done = subprocess.run([sys.executable, root / "tools/bench", "weak", "--weft", PROGRAM, "--nodes", "2", "1", "--per-node",
                                   "0.01", "0.05", "--chunk", "1", "--svg", svg], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("\n| 1 | 0.05 | 91 | ", done.stdout)
            self.assertIn("\n| 2 | 0.02 | 35 | ", done.stdout)
            drawn = xml.etree.ElementTree.parse(svg).getroot()
            self.assertEqual(len(drawn.findall("{http://www.w3.org/2000/svg}circle")), 4)
            wrong = subprocess.run([sys.executable, root / "tools/bench", "weak", "--weft", PROGRAM, "--nodes", "0"],
                                   capture_output=True, text=True, check=False)
            self.assertEqual(wrong.returncode, 2)

    def test_every_pattern_validates_its_edges(self):
        for pattern in PATTERNS:
            with self.subTest(pattern=pattern):
                (line,) = self.lines("metg", "--pattern", pattern, "--width", "8", "--steps", "10", "--repeat", "1",
                                     "--max-seconds", "0.2")
                self.assertEqual(line["edges_validated"] == 0, pattern == "trivial")

    def test_roundtrip_says_both_pauses(self):
        self.assertEqual([line["params"]["idle_us"] for line in self.lines("roundtrip", "--count", "100")], [0, 100])

    def test_shapes_count_their_tasks(self):
        self.assertEqual(self.lines("tree", "--tasks", "1000", "--repeat", "1")[0]["tasks"], 999)
        self.assertEqual(self.lines("chain", "--tasks", "1000", "--repeat", "1")[0]["tasks"], 1000)

    def test_without_json_a_person_can_read_it(self):
        done = run("chain", "--tasks", "1000", "--repeat", "1")
        self.assertEqual(done.returncode, 0)
        self.assertIn("us_per_task", done.stdout)
        self.assertFalse(done.stdout.startswith("{"))

    def test_wrong_words_are_one_clear_error(self):
        for words, told in ((["nonsense"], "no case is named 'nonsense'"), (["chain", "--task", "5"], "--tasks"),
                            (["chain", "--tasks"], "a value"), (["chain", "--tasks", "many"], "'many'"),
                            (["metg", "--pattern", "ring"], "stencil_1d"), (["stream", "--bytes", "1MB"], "MiB"),
                            (["scheduler-only", "--packets", "two"], "single or auto")):
            with self.subTest(words=words):
                done = run(*words)
                self.assertEqual(done.returncode, 1)
                self.assertIn(told, done.stderr)
                self.assertEqual(done.stdout, "")
        self.assertEqual(run().returncode, 2)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
