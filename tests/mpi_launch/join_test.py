#!/usr/bin/env python3
"""Tests workers and clients that join a running job and leave it, with real processes.
usage: join_test.py MPIRUN JOIN_JOB WEFT"""
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

MPIRUN, PROGRAM, WEFT = sys.argv[1:4]
ENCRYPTS = "\n  TLS " in subprocess.run([WEFT, "--version"], stdout=subprocess.PIPE, text=True, check=False).stdout


def environment(marker):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    kept.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", WEFT_CONFIG="none", WEFT_TEST_JOIN=marker)
    return kept


def processes(marker):
    """Returns the ids of all processes whose environment holds `marker`."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0]
                if state != "Z" and f"WEFT_TEST_JOIN={marker}".encode() in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                pass
    return found


class Running:
    """A started program: its lines come as they are written, words can be sent to it."""

    def __init__(self, marker, *words):
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, env=environment(marker))
        self.lines = queue.Queue()
        self.seen = []
        self.errors = []
        self.readers = [threading.Thread(target=self.read, args=(self.process.stdout, self.lines.put)),
                        threading.Thread(target=self.read, args=(self.process.stderr, self.errors.append))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def read(stream, put):
        for line in stream:
            put(line)

    def until(self, pattern, within=60):
        end = time.monotonic() + within
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"never saw {pattern}: {''.join(self.seen)}{''.join(self.errors)}") from None
            self.seen.append(line)
            if match := re.search(pattern, line):
                return match

    def say(self, words, pattern, within=60):
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        return self.until(pattern, within)

    def end(self, timeout=60):
        code = self.process.wait(timeout)
        for reader in self.readers:
            reader.join(timeout)
        while not self.lines.empty():
            self.seen.append(self.lines.get())
        return code, "".join(self.seen), "".join(self.errors)


class JoinTest(unittest.TestCase):
    count = 0

    def setUp(self):
        JoinTest.count += 1
        self.marker = f"{os.getpid()}-{JoinTest.count}"
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = Path(self.scratch.name)
        self.address = str(self.folder / "job.address")
        self.spill = self.folder / "spill"
        self.spill.mkdir()
        self.started = []

    def tearDown(self):
        for one in self.started:
            one.process.kill()
            one.process.wait()
        for one in self.started:
            for stream in (one.process.stdin, one.process.stdout, one.process.stderr):
                for reader in one.readers:
                    reader.join(5)
                stream.close()
        self.scratch.cleanup()

    def start(self, *words):
        one = Running(self.marker, *words)
        self.started.append(one)
        return one

    def start_job(self, *words):
        return self.start(PROGRAM, "serve", f"--weft-address-file={self.address}", "--weft-threads=1",
                          f"--weft-spill-dir={self.spill}", *words)

    def start_worker(self, *words):
        return self.start(WEFT, "worker", self.address, f"--spill-dir={self.spill}", *words)

    def start_guest(self, what, *words):
        return self.start(PROGRAM, what, f"--weft-attach={self.address}", *words)

    def start_scheduler(self):
        scheduler = self.start(WEFT, "scheduler", "--address-file", self.address, "--", PROGRAM,
                               f"--weft-spill-dir={self.spill}")
        scheduler.until("weft scheduler: ready")
        return scheduler

    def check_one_worker_has_it_all(self, job):
        """What was kept lies at the one worker that stays, and was not computed again; then the job ends."""
        job.say("workers", "workers 1")
        job.say("spread", "holders 1")
        expected = sum(50_000 * first + 49_999 * 25_000 for first in range(40))
        job.say("sum", f"sum {expected}")
        self.assertNotIn("runs again", "".join(job.errors))
        job.process.stdin.write("end\n")
        job.process.stdin.flush()
        self.assertEqual(job.end()[0], 0)
        self.check_nothing_left()

    def check_nothing_left(self, within=3.0):
        end = time.monotonic() + within
        while processes(self.marker) and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(processes(self.marker), [])
        self.assertEqual(sorted(os.listdir(self.folder)), ["spill"])
        self.assertEqual(os.listdir(self.spill), [])

    def test_a_worker_that_joins_gets_work_and_leaves_without_a_loss(self):
        job = self.start_job()
        job.until("ready")
        job.say("processes", "processes 1")
        worker = self.start_worker("--threads=1")
        job.say("wait 2", "there 2")
        job.say("processes", "processes 2")
        job.say("keep", "kept 40")
        job.say("spread", "holders 2")
        worker.process.send_signal(signal.SIGTERM)
        code, _, errors = worker.end()
        self.assertEqual((code, errors), (0, ""))
        self.check_one_worker_has_it_all(job)

    def test_workers_join_a_job_under_mpirun_and_end_with_it(self):
        job = self.start(MPIRUN, "--oversubscribe", "--bind-to", "none", "-n", "2", PROGRAM, "serve",
                         f"--weft-address-file={self.address}", "--weft-threads=1", f"--weft-spill-dir={self.spill}")
        job.until("ready")
        worker = self.start_worker("--threads=2")
        job.say("wait 3", "there 3")
        job.say("workers", "worker .*:2 slots 2")
        job.say("processes", "processes 3")
        job.process.stdin.write("end\n")
        job.process.stdin.flush()
        code, _, errors = job.end()
        self.assertEqual(code, 0, errors)
        self.assertEqual(worker.end()[0], 0)
        self.check_nothing_left()

    def test_a_killed_worker_that_joined_is_started_again(self):
        job = self.start_job()
        job.until("ready")
        worker = self.start_worker("--threads=1")
        job.say("wait 2", "there 2")
        job.say("keep", "kept 40")
        children = [int(pid) for pid in Path(f"/proc/{worker.process.pid}/task/{worker.process.pid}/children").read_text().split()]
        os.kill(children[0], signal.SIGKILL)
        expected = sum(50_000 * first + 49_999 * 25_000 for first in range(40))
        job.say("sum", f"sum {expected}")
        job.say("wait 2", "there 2")
        self.assertIn("signal 9 (Killed)", "".join(job.errors))
        job.process.stdin.write("end\n")
        job.process.stdin.flush()
        self.assertEqual(job.end()[0], 0)
        self.assertEqual(worker.end()[0], 0)
        self.check_nothing_left()

    def test_clients_come_and_go_at_a_scheduler(self):
        scheduler = self.start_scheduler()
        first = self.start_worker("--threads=1")
        second = self.start_worker("--threads=1")
        for _ in range(2):
            code, out, errors = self.start_guest("guest").end()
            self.assertEqual(code, 0, errors + out)
            for line in ("slots 2", f"total {50_000 * 7 + 49_999 * 25_000}", f"value {50_000 * 7 + 49_999 * 25_000}",
                         "sum 4000", "failed well", "queue 42", "futures 42", "futures back 23", "completed 9", "graph failed well", "graph again not in a graph",
                         "tried again 4", "tried again in a graph 5", "lazy 4", "actor 20",
                         "given 25", "elsewhere 1", "called by a task 26", "calls answered 60", "called by many 86",
                         "told of a failure 1", "held 1"):
                self.assertIn(line + "\n", out)
            self.assertEqual((out.count("tree 32896\n"), out.count("large 0\n")), (2, 2), out)
            self.assertRegex(out, "unpublished .*nothing is published as")
        scheduler.process.send_signal(signal.SIGTERM)
        self.assertEqual(scheduler.end()[0], 0)
        self.assertEqual([first.end()[0], second.end()[0]], [0, 0])
        self.check_nothing_left()

    @unittest.skipUnless(ENCRYPTS, "this weft cannot encrypt")
    def test_workers_and_clients_of_a_job_that_encrypts_find_its_certificates_in_the_address_file(self):
        scheduler = self.start(WEFT, "scheduler", "--address-file", self.address, "--", PROGRAM, "--weft-tls", f"--weft-spill-dir={self.spill}")
        scheduler.until("weft scheduler: ready")
        self.assertEqual(os.stat(self.address).st_mode & 0o777, 0o600)
        text = Path(self.address).read_text()
        self.assertIn("\ntls ", text)
        workers = [self.start_worker("--threads=1") for _ in range(2)]
        code, out, errors = self.start_guest("guest").end()
        self.assertEqual((code, "slots 2\n" in out, "elsewhere 1\n" in out), (0, True, True), errors + out)
        dump = self.start(WEFT, "dump", self.address)
        self.assertEqual(dump.end()[0], 0)
        # Who knows the secret and has no certificate is not let in.
        plain = self.folder / "plain.address"
        plain.touch(0o600)
        plain.write_text("".join(line for line in text.splitlines(True) if not line.startswith("tls ")))
        code, _, errors = self.start(PROGRAM, "guest", f"--weft-attach={plain}", "--weft-start-timeout=2s").end()
        self.assertEqual(code, 1)
        self.assertRegex(errors, "weft: rank 0 at .* does not answer")
        plain.unlink()
        scheduler.process.send_signal(signal.SIGTERM)
        self.assertEqual(scheduler.end()[0], 0)
        self.assertEqual([worker.end()[0] for worker in workers], [0, 0])
        self.check_nothing_left()

    def test_a_client_that_asks_for_encryption_joins_no_job_without(self):
        job = self.start_job()
        job.until("ready")
        code, _, errors = self.start_guest("guest", "--weft-tls").end()
        self.assertEqual(code, 1)
        self.assertIn("does not encrypt: start the job with --weft-tls", errors)
        job.process.stdin.write("end\n")
        job.process.stdin.flush()
        self.assertEqual(job.end()[0], 0)
        self.check_nothing_left()

    def test_two_clients_share_results_that_are_not_there_yet(self):
        scheduler = self.start_scheduler()
        self.start_worker("--threads=2")
        one = self.start_guest("serve")
        one.until("ready")
        one.say("wait 1", "there 1")
        one.say("publish", "published 1")
        other = self.start_guest("trace")
        code, out, errors = other.end()
        self.assertEqual((code, "unresolved 1" in out, "y 2\n" in out), (0, True, True), errors + out)
        one.say("published", "z 3")
        one.process.stdin.write("end\n")
        one.process.stdin.flush()
        self.assertEqual(one.end()[0], 0)
        scheduler.process.send_signal(signal.SIGINT)
        self.assertEqual(scheduler.end()[0], 0)

    def test_links_of_two_clients_run_depth_first(self):
        scheduler = self.start_scheduler()
        self.start_worker("--threads=1")
        trace = self.folder / "trace"
        first = self.start_guest("chains", "first", str(trace))
        second = self.start_guest("chains", "second", str(trace))
        first.until("submitted")
        second.until("submitted")
        self.assertFalse(trace.exists(), "nothing has run while the worker was held")
        (self.folder / "trace.go").touch()
        code, out, errors = first.end()
        self.assertEqual((code, out.count("end 3\n")), (0, 8), errors + out)
        self.assertEqual(second.end()[0], 0)
        self.assertEqual(trace.read_text().split(), [f"{chain}:{link}" for chain in range(8) for link in range(3)])
        scheduler.process.send_signal(signal.SIGINT)
        self.assertEqual(scheduler.end()[0], 0)

    def test_two_clients_with_ten_thousand_tasks_each_have_equal_shares(self):
        scheduler = self.start_scheduler()
        self.start_worker("--threads=1")
        first = self.start_guest("share", "10000")
        begun = int(first.until(r"begun (\d+)")[1])
        second = self.start_guest("share", "10000")
        came = int(second.until(r"begun (\d+)")[1])
        ended = [int(one.until(r"ended (\d+)")[1]) for one in (first, second)]
        self.assertEqual([one.end()[0] for one in (first, second)], [0, 0])
        # One after the other, the second would need about twice as long as it takes both to end from when it came.
        alone = (ended[1] - begun) / 2
        print(f"alone about {alone} ms, the first {ended[0] - begun} ms, the second {ended[1] - came} ms from when it came", file=sys.stderr)
        self.assertLess(came - begun, alone, "the first was still busy when the second came")
        done_before = (came - begun) / alone  # of the first's tasks
        # From then on they share: the first ends when both have had as much as it had left.
        self.assertGreater(ended[0] - came, 1.5 * (1 - done_before) * alone)
        scheduler.process.send_signal(signal.SIGINT)
        self.assertEqual(scheduler.end()[0], 0)

    def test_workers_that_leave_at_once_lose_nothing(self):
        job = self.start_job()
        job.until("ready")
        workers = [self.start_worker("--threads=1") for _ in range(3)]
        job.say("wait 4", "there 4")
        job.say("keep", "kept 40")
        job.say("spread", "holders [34]")
        for worker in workers:
            worker.process.send_signal(signal.SIGTERM)
        for worker in workers:
            self.assertEqual(worker.end()[::2], (0, ""))
        self.check_one_worker_has_it_all(job)

    def test_a_dump_says_what_runs_and_what_waits_while_the_job_goes_on(self):
        job = self.start_job()
        job.until("ready")
        gate = self.folder / "gate"
        job.say(f"stand {gate}", "standing 1")
        code, out, errors = self.start(WEFT, "dump", self.address).end()
        self.assertEqual((code, errors), (0, ""))
        self.assertRegex(out, r"(?m)^tasks: 21 given, 0 done, 0 failed")
        self.assertRegex(out, r"(?m)^worker \S+:0: here, 1 slots$")
        self.assertRegex(out, r"(?m)^\S+:0 slot 0 runs .* #\d+ \(.*join_job.cpp:\d+\)$")
        self.assertRegex(out, r"(?m)^packet \d+: is at a worker \(\S+:0\), attempt 1: 1 task, .* #\d+ \(.*:\d+\)$")
        self.assertRegex(out, r"(?m)^packet \d+: .* #\d+ .*; waits for packet \d+ \(is at a worker\)")
        gate.touch()
        job.process.stdin.write("end\n")
        job.process.stdin.flush()
        self.assertEqual(job.end()[0], 0)
        gate.unlink()
        self.check_nothing_left()

    def test_a_dump_of_what_is_not_there_is_one_sentence(self):
        code, out, errors = self.start(WEFT, "dump", self.address, "--wait=0.1").end()
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(errors, "job.address' is not there")

    def test_a_client_that_vanishes_leaves_nothing_of_its_own(self):
        job = self.start_job()
        job.until("ready")
        other = self.start_guest("vanish")
        other.until("vanishing")
        self.assertEqual(other.end()[0], 9)
        end = time.monotonic() + 20
        while job.say("lock", r"locked (\d)")[1] == "1" and time.monotonic() < end:
            time.sleep(0.05)
        job.say("lock", "locked 0")
        begin = time.monotonic()
        while job.say("counts", r"unfinished (\d+)")[1] != "0" and time.monotonic() < begin + 20:
            time.sleep(0.1)
        job.say("counts", "unfinished 0")
        self.assertLess(time.monotonic() - begin, 10, "500 tasks of 50 ms were not run to their end")
        job.say("processes", "processes 1")
        job.process.stdin.write("end\n")
        job.process.stdin.flush()
        self.assertEqual(job.end()[0], 0)
        self.check_nothing_left()

    def test_a_worker_that_is_started_too_early_says_what_it_waits_for(self):
        worker = self.start_worker()
        end = time.monotonic() + 30
        while not worker.errors and time.monotonic() < end:
            time.sleep(0.05)
        self.assertRegex("".join(worker.errors), r"weft: the address file '.*job.address' is not there yet; waiting 60 s for it\n")
        job = self.start_job()
        job.until("ready")
        job.say("wait 2", "there 2")
        job.process.stdin.write("end\n")
        job.process.stdin.flush()
        self.assertEqual((job.end()[0], worker.end()[0]), (0, 0))
        self.check_nothing_left()

    def test_a_worker_that_hears_nothing_from_rank_0_ends_with_the_signal(self):
        scheduler = self.start_scheduler()
        text = Path(self.address).read_text()
        scheduler.process.terminate()
        self.assertEqual(scheduler.end()[0], 0)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            silent.settimeout(30)
            changed, places = re.subn(r"(?m)^\S+:[0-9]+$", f"127.0.0.1:{silent.getsockname()[1]}", text)
            self.assertEqual(places, 1, text)
            Path(self.address).touch(mode=0o600)
            Path(self.address).write_text(changed)
            worker = self.start_worker()
            connection, _ = silent.accept()
            with connection:
                worker.process.terminate()
                self.assertEqual(worker.end(10)[0], -signal.SIGTERM)
        os.unlink(self.address)
        self.check_nothing_left()

    def test_who_has_no_business_there_is_told_so(self):
        code, _, errors = self.start_worker("--wait=0.1").end()
        self.assertEqual(code, 1)
        self.assertIn("job.address' is not there", errors)
        code, _, errors = self.start_guest("guest").end()
        self.assertEqual(code, 1)
        self.assertIn("job.address' is not there", errors)
        job = self.start_job()
        job.until("ready")
        code, _, errors = self.start(WEFT, "demo", f"--weft-attach={self.address}").end()
        self.assertEqual(code, 1)
        self.assertRegex(errors, "cannot attach to the job: .*another program")
        os.chmod(self.address, 0o644)
        code, _, errors = self.start_worker().end()
        self.assertEqual(code, 1)
        self.assertIn("it is not trusted", errors)
        job.process.stdin.write("end\n")
        job.process.stdin.flush()
        self.assertEqual(job.end()[0], 0)
        self.check_nothing_left()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
