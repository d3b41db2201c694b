#!/usr/bin/env python3
"""Tests jobs whose processes are in two network namespaces, with a link between that is throttled, or cut.

usage: links_test.py MPIRUN CLIENT_JOB [RUNS]. Ends with 77 where namespaces cannot be made (root, iproute2).
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import job_test
from job_test import PROGRAM, environment, processes

RUNS = int(sys.argv[3]) if len(sys.argv) > 3 and sys.argv[3].isdigit() else 3
FIRST = int(os.environ.get("WEFT_TEST_SOAK_FIRST", 0))  # so that a soak can be run in parts


def call(*words, check=True):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30, check=check).stdout


class Link:
    """Two namespaces, A and B, with a virtual cable. Owns: both; they are gone after `remove`."""

    count = 0

    def __init__(self):
        Link.count += 1
        number = (os.getpid() * 7 + Link.count) % 60_000
        self.spaces = [f"weft{number}{side}" for side in "ab"]
        self.ends = [f"wv{number}{side}" for side in "ab"]
        self.address = f"10.{77 + number % 100}.{number % 250}.1"
        for space in self.spaces:
            call("ip", "netns", "add", space)
        call("ip", "link", "add", self.ends[0], "netns", self.spaces[0], "type", "veth", "peer", "name", self.ends[1], "netns", self.spaces[1])
        for side in (0, 1):
            self.inside(side, "ip", "link", "set", "lo", "up")
            self.inside(side, "ip", "address", "add", f"{self.address[:-1]}{side + 1}/24", "dev", self.ends[side])
            self.inside(side, "ip", "link", "set", self.ends[side], "up")

    def inside(self, side, *words):
        return call("ip", "netns", "exec", self.spaces[side], *words)

    def throttle(self, megabits):
        for side in (0, 1):
            self.inside(side, "tc", "qdisc", "replace", "dev", self.ends[side], "root", "tbf", "rate", f"{megabits}mbit", "burst", "64kb",
                        "latency", "300ms")

    def cut(self):
        self.inside(1, "ip", "link", "set", self.ends[1], "down")

    def mend(self):
        self.inside(1, "ip", "link", "set", self.ends[1], "up")

    def sent(self):
        """Returns the bytes that both sides have sent."""
        return sum(int(self.inside(side, "cat", f"/sys/class/net/{self.ends[side]}/statistics/tx_bytes")) for side in (0, 1))

    def remove(self):
        for space in self.spaces:
            call("ip", "netns", "delete", space, check=False)


class LinksTest(unittest.TestCase):
    """Rank 0 is in A, the others in B; they meet by a file, and believe to be on one node: TCP alone is allowed."""

    def setUp(self):
        self.link = Link()
        self.folder = tempfile.TemporaryDirectory()
        self.marker = f"links-{os.getpid()}-{Link.count}"
        self.ranks = []

    def tearDown(self):
        for rank in self.ranks:
            rank.kill()
            rank.communicate()
        self.link.remove()
        self.folder.cleanup()

    def start(self, *words):
        for rank in range(3):
            side = 0 if rank == 0 else 1
            self.ranks.append(subprocess.Popen(
                ["ip", "netns", "exec", self.link.spaces[side], PROGRAM, *words, f"--weft-address-file={self.folder.name}/job",
                 f"--weft-spill-dir={self.folder.name}", f"--weft-interface={self.link.address}", "--weft-transport=tcp",
                 "--weft-worker-timeout=3s"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env=environment(WEFT_RANK=str(rank), WEFT_RANKS="3", WEFT_TEST_JOB=self.marker)))

    def until_working(self):
        line = self.ranks[0].stdout.readline()
        self.assertIn("working", line)

    def end(self, answer, seconds=90):
        """Rank 0 ends well and with the answer; then all processes go."""
        out, errors = self.ranks[0].communicate(timeout=seconds)
        self.assertEqual((self.ranks[0].returncode, answer in out), (0, True), out + errors)
        end = time.monotonic() + 15
        while processes(f"WEFT_TEST_JOB={self.marker}") and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(processes(f"WEFT_TEST_JOB={self.marker}"), [])
        self.assertEqual(os.listdir(self.folder.name), [])
        return errors

    def test_blocks_pass_a_throttled_link_compressed(self):
        passed = []
        for words in (["--weft-compress=off"], []):
            self.link.throttle(40)
            before = self.link.sent()
            self.start("moving", "60", *words)
            self.until_working()
            self.end("moved 3540\n")
            for rank in self.ranks[1:]:
                rank.communicate()
            self.ranks = []
            passed.append(self.link.sent() - before)
        self.assertGreater(passed[0], 20_000_000)
        self.assertLess(passed[1], passed[0] / 3)

    def test_a_link_that_is_cut_for_a_moment_loses_nobody(self):
        self.start("watched", "-")
        self.until_working()
        time.sleep(0.3)
        self.link.cut()
        time.sleep(0.8)
        self.link.mend()
        errors = self.end("sum 1124250\n")
        self.assertNotIn("is lost", errors)

    def test_workers_behind_a_cut_link_are_lost_and_cost_no_answer(self):
        self.start("watched", "-")
        self.until_working()
        time.sleep(0.3)
        self.link.cut()
        errors = self.end("sum 1124250\n")
        self.assertIn("is gone", errors)

    def test_soak_links_cut_and_throttled_at_random_moments_never_hang_or_lie(self):
        for run in range(FIRST, FIRST + RUNS):
            with self.subTest(run=run):
                moments = random.Random(run)
                if run > FIRST:
                    self.tearDown()
                    self.setUp()
                if moments.random() < 0.5:
                    self.link.throttle(moments.choice([8, 50, 400]))
                what = moments.choice([("watched", "-", "sum 1124250\n"), ("moving", "40", "moved 1560\n")])
                self.start(*what[:2])
                self.until_working()
                for _ in range(moments.randrange(3)):
                    time.sleep(moments.uniform(0, 0.8))
                    self.link.cut()
                    time.sleep(moments.uniform(0.05, 1.5))
                    self.link.mend()
                if moments.random() < 0.4:
                    self.link.cut()
                self.end(what[2], seconds=120)


def possible():
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("tc") is None:
        return False
    try:
        link = Link()
        try:
            link.throttle(100)
        finally:
            link.remove()
    except (subprocess.CalledProcessError, OSError):
        return False
    return True


if __name__ == "__main__":
    if not possible():
        print("skipped: no network namespaces with a throttled cable can be made here (root, iproute2, veth, tbf)")
        sys.exit(77)
    words = [word for word in sys.argv[3:] if not word.isdigit()]
    unittest.main(argv=[sys.argv[0], *words])
