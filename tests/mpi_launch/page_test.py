#!/usr/bin/env python3
"""Tests the page of a job under mpirun. usage: page_test.py MPIRUN CLIENT_JOB"""
import json
import os
import re
import signal
import socket
import sys
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import job_test
from client_test import worker_processes
from job_test import Job, processes


def used_seconds(pids):
    """Returns what processes have used of processors."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class PageTest(job_test.JobTest):
    def start(self, *words, ranks=3, page="on", **more):
        self.job = Job(ranks, "shown", *words, f"--weft-page={page}", **more)
        self.link = self.job.until(r"page (http://127\.0\.0\.1:\d+/[0-9a-f]{32}/)")[1]
        return self.link

    def state(self):
        with urllib.request.urlopen(self.link + "state.json", timeout=10) as answer:
            return json.load(answer)

    def test_the_page_shows_workers_tasks_failures_and_what_moved(self):
        self.start("4")
        with urllib.request.urlopen(self.link, timeout=10) as answer:
            self.assertIn("text/html", answer.headers["Content-Type"])
            self.assertIn("<title>weft</title>", answer.read().decode())
        end = time.monotonic() + 10
        while (state := self.state())["counts"]["total"] < 27 or not state["lines"]:
            self.assertLess(time.monotonic(), end, state)
            time.sleep(0.1)
        self.assertEqual([state["counts"][key] for key in ("done", "failed", "total")], [25, 1, 27], state["counts"])
        self.assertEqual(len(state["workers"]), 3)
        self.assertTrue(all(worker["answers"] for worker in state["workers"]), state)
        self.assertEqual(sum(worker["done"] for worker in state["workers"]), 26)  # all that have ended
        self.assertEqual(sum(worker["running"] for worker in state["workers"]), 1)
        self.assertEqual([line["running"] for line in state["lines"]], [1])
        self.assertIn("three is no good", state["failures"][0][1])
        self.assertGreater(sum(bytes for _, _, bytes in state["moved"]), 1 << 20)
        self.assertGreater(sum(seconds for _, seconds in state["phases"]), 0)
        code, out, errors = self.job.end()
        self.assertEqual(code, 0, errors)
        self.assertIn(f"weft: page      {self.link}\n", errors)
        self.assertRegex(errors, r"from elsewhere: ssh -N -L (\d+):127\.0\.0\.1:\1 \S+\n")
        self.check_nothing_left()
        with self.assertRaises(OSError):
            urllib.request.urlopen(self.link, timeout=2)

    def test_a_worker_that_dies_stands_on_the_page(self):
        self.start("3")
        os.kill(worker_processes(self.job)[0], signal.SIGKILL)
        end = time.monotonic() + 10
        while not any("signal 9" in text or "lost" in text for _, text in self.state()["workers_news"]):
            self.assertLess(time.monotonic(), end, self.state()["workers_news"])
            time.sleep(0.1)
        self.assertEqual(self.job.end()[0], 0)

    def test_one_rank_shows_its_threads(self):
        self.start("1", ranks=1)
        self.assertEqual([worker["name"] for worker in self.state()["workers"]], ["worker-0"])
        self.assertEqual(self.job.end()[0], 0)

    def test_strangers_get_nothing_and_the_job_goes_on(self):
        self.start("2")
        port = int(re.search(r":(\d+)/", self.link)[1])
        for path in ("", "state.json", "0" * 32 + "/state.json"):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10)
            self.assertEqual(refused.exception.code, 404)
            refused.exception.close()
        kept = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(100)]
        for stranger in kept[::2]:
            stranger.sendall(os.urandom(500))
        self.assertIn("counts", self.state())
        for stranger in kept:
            stranger.close()
        self.assertEqual(self.job.end()[0], 0)

    def test_a_port_that_is_taken_ends_the_start_with_what_to_do(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            code, _, errors = self.run_job(2, "shown", "1", f"--weft-page={port}")
        self.assertEqual(code, 1)
        self.assertIn(f"the page cannot listen on port {port} of 127.0.0.1: Address already in use", errors)
        self.assertIn("--weft-page=on", errors)

    def test_an_idle_job_rests_also_while_its_page_is_open(self):
        self.start("18")
        pids = processes(self.job.marker)

        def share(look, seconds=8):
            begin, before = time.monotonic(), used_seconds(pids)
            while time.monotonic() < begin + seconds:
                look()
                time.sleep(1)
            return (used_seconds(pids) - before) / (time.monotonic() - begin)

        closed, opened = share(lambda: None), share(self.state)
        print(f"{closed * 100:.2f}% of a core with the page closed, {opened * 100:.2f}% with it open", file=sys.stderr)
        self.assertLess(opened - closed, 0.02)  # 0.3% where nothing else runs
        self.assertEqual(self.job.end()[0], 0)

    def test_a_signal_ends_a_job_whose_page_is_open(self):
        self.start("60")
        self.state()
        os.kill(self.job.process.pid, signal.SIGTERM)
        self.job.end(timeout=10)
        self.check_nothing_left()


if __name__ == "__main__":
    # Of the tests that come with the classes above only those of this file.
    names = [name for name in vars(PageTest) if name.startswith("test_")]
    suite = unittest.TestSuite(map(PageTest, [name for name in names if not sys.argv[3:] or name in sys.argv[3:]]))
    sys.exit(0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1)
