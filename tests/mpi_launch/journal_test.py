#!/usr/bin/env python3
"""Tests that a program with a journal goes on where it was, whoever is killed and whenever its time is over.
usage: journal_test.py MPIRUN JOURNAL_JOB CLIENT_JOB FULL_DISK"""
import collections
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import job_test  # reads the first two words

CLIENT_JOB = sys.argv[3]
FULL_DISK = str(Path(sys.argv[4]).resolve()) if len(sys.argv) > 4 else ""


class JournalTest(job_test.JobTest):
    __test__ = True

    def setUp(self):
        super().setUp()
        self.folder = tempfile.TemporaryDirectory()
        self.marks = os.path.join(self.folder.name, "marks")
        self.journal = os.path.join(self.folder.name, "journal")
        os.mkdir(self.marks)

    def tearDown(self):
        super().tearDown()
        self.folder.cleanup()

    def start(self, what, count, ms, *words, ranks=3, **more):
        self.job = job_test.Job(ranks, what, self.marks, str(count), str(ms), f"--weft-journal={self.journal}", *words, **more)

    def finish(self):
        done = self.job.end()
        self.check_nothing_left(within=5)
        return done

    def runs(self):
        """How often each task has run, by the files that its runs left."""
        return collections.Counter(name.split(".")[0] for name in os.listdir(self.marks))

    def wait_for_runs(self, count):
        end = time.monotonic() + 60
        while sum(self.runs().values()) < count:
            self.assertLess(time.monotonic(), end, "the job does not get on")
            time.sleep(0.005)

    def kill_and_run_again(self, what, count, ms, total, answer, kill):
        """Kills the job five times at different moments; each run goes on where the one before was."""
        before = 0
        for share in (0.1, 0.3, 0.5, 0.7, 0.9):
            self.start(what, count, ms)
            client = int(self.job.until(r"client (\d+)")[1])
            self.wait_for_runs(max(int(share * total), before + 1))
            time.sleep(random.random() * 0.02)
            kill(client)
            code, out, errors = self.finish()
            self.assertNotEqual(code, 0, errors)
            self.assertNotIn("sum", out)
            before = sum(self.runs().values())
        self.start(what, count, ms)
        code, out, errors = self.finish()
        self.assertEqual(code, 0, errors)
        self.assertIn(f"sum {answer}\n", out, errors)
        return out, errors

    def test_rank_0_is_killed_five_times_and_each_task_runs_about_once(self):
        count, total = 96, 108
        answer = sum(i * i for i in range(count))
        out, errors = self.kill_and_run_again("steps", count, 20, total, answer, lambda client: os.kill(client, signal.SIGKILL))
        runs = self.runs()
        self.assertEqual(len(runs), total)
        # What was under way on three workers when the job was killed is run again, and no more.
        self.assertLessEqual(sum(runs.values()), total + 5 * 2 * (os.cpu_count() + 2), runs)
        self.assertLessEqual(max(runs.values()), 3, runs)
        found = int(re.search(r"found (\d+)", out)[1])
        self.assertGreater(found, total // 2)
        self.assertRegex(errors, rf"weft: journal {re.escape(self.journal)}: {found} results taken")

    def test_the_whole_job_is_killed_at_once_as_by_a_power_cut(self):
        count, total = 48, 54

        def kill(_):
            for process in job_test.processes(self.job.marker):
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass

        self.kill_and_run_again("steps", count, 20, total, sum(i * i for i in range(count)), kill)
        self.assertLessEqual(max(self.runs().values()), 3, self.runs())

    def test_chunks_of_a_persisted_array_are_not_computed_again(self):
        count = 40
        answer = 64 * 1000 * sum(range(count))
        self.kill_and_run_again("blocks", count, 20, count, answer, lambda client: os.kill(client, signal.SIGKILL))
        runs = self.runs()
        self.assertEqual(len(runs), count)
        self.assertLessEqual(max(runs.values()), 3, runs)

    def test_tasks_of_a_graph_are_not_computed_again(self):
        count, total = 48, 54
        self.kill_and_run_again("graph", count, 20, total, sum(i * i for i in range(count)), lambda client: os.kill(client, signal.SIGKILL))
        runs = self.runs()
        self.assertEqual(len(runs), total)
        self.assertLessEqual(sum(runs.values()), total + 5 * 2 * (os.cpu_count() + 2), runs)
        self.assertLessEqual(max(runs.values()), 3, runs)
        self.tearDown_job()
        self.start("graph", count, 20, ranks=1)
        code, out, errors = self.finish()
        self.assertEqual((code, self.runs()), (0, runs), errors)
        self.assertIn("written 0", out)

    def test_children_are_found_by_parents_that_are_run_again(self):
        count = 48
        self.kill_and_run_again("parents", count, 20, count, sum(i * i for i in range(count)), lambda client: os.kill(client, signal.SIGKILL))
        runs = self.runs()
        steps = {name: times for name, times in runs.items() if name.startswith("step")}
        self.assertEqual(len(steps), count)
        # The same child may be under way each time.
        self.assertLessEqual(sum(steps.values()), count + 5 * 2 * (os.cpu_count() + 2), runs)
        self.tearDown_job()
        self.start("parents", count, 20)
        code, out, errors = self.finish()
        self.assertEqual((code, self.runs()), (0, runs), errors)

    def test_a_result_found_damaged_as_it_is_read_is_computed_anew(self):
        count = 80
        answer = 64 * 1000 * sum(range(count))
        self.start("blocks", count, 5, "--weft-journal-writes=all", ranks=1)
        code, out, errors = self.finish()
        self.assertEqual(code, 0, errors)
        self.tearDown_job()
        (segment,) = Path(self.journal).glob("*.segment")
        with open(segment, "r+b") as file:
            # Before what is looked through at the start, the last 16 MiB.
            for at in range(4096, segment.stat().st_size - (20 << 20), 200_000):
                file.seek(at)
                byte = file.read(1)
                file.seek(at)
                file.write(bytes([byte[0] ^ 1]))
        self.start("blocks", count, 5, "--weft-journal-writes=all")
        code, out, errors = self.finish()
        self.assertEqual(code, 0, errors)
        self.assertIn(f"sum {answer}\n", out)
        runs = self.runs()
        self.assertEqual((len(runs), set(runs.values())), (count, {1, 2}), errors)
        self.assertRegex(out, r"damaged [1-9]")

    def test_what_attached_clients_submit_is_kept(self):
        for _ in range(2):
            address = os.path.join(self.folder.name, "address")
            self.start("hosts", 0, 0, f"--weft-address-file={address}")
            self.job.until(r"client (\d+)")
            guest = subprocess.run([job_test.PROGRAM, "steps", self.marks, "24", "5", f"--weft-attach={address}"],
                                   env=job_test.environment(), capture_output=True, text=True, timeout=60)
            self.assertIn(f"sum {sum(i * i for i in range(24))}\n", guest.stdout, guest.stderr)
            stop = Path(self.marks + ".stop")
            stop.touch()
            code, _, errors = self.finish()
            self.assertEqual(code, 0, errors)
            stop.unlink()
            self.tearDown_job()
        # What is made of others' results may have another key when those are there at once.
        self.assertEqual({times for name, times in self.runs().items() if name.startswith("step")}, {1}, self.runs())
        self.assertRegex(errors, r"weft: journal .*: (?!0 )\d+ results taken")

    def test_a_program_that_has_ended_is_not_run_again_at_all(self):
        for ranks in (3, 1):
            with self.subTest(ranks=ranks):
                self.start("steps", 24, 5, ranks=ranks)
                code, out, errors = self.finish()
                self.assertEqual(code, 0, errors)
                self.tearDown_job()
        # However many processes wrote the journal, and read it.
        self.assertEqual(max(self.runs().values()), 1, self.runs())
        self.assertIn("found 27 written 0 damaged 0", out)

    def tearDown_job(self):
        super().tearDown()
        self.job = None

    def test_a_worker_is_killed_while_results_are_written(self):
        self.start("steps", 60, 20)
        client = int(self.job.until(r"client (\d+)")[1])
        self.wait_for_runs(20)
        workers = {int(name.split(".")[1].split("-")[0]) for name in os.listdir(self.marks)} - {client}
        os.kill(max(workers), signal.SIGKILL)
        code, out, errors = self.finish()
        self.assertEqual(code, 0, errors)
        self.assertIn(f"sum {sum(i * i for i in range(60))}\n", out)
        self.tearDown_job()
        before = sum(self.runs().values())
        self.start("steps", 60, 20)
        code, out, errors = self.finish()
        self.assertEqual((code, sum(self.runs().values())), (0, before), errors)

    def test_two_jobs_do_not_share_a_folder(self):
        self.start("steps", 200, 20)
        first = self.job
        first.until(r"client (\d+)")
        self.wait_for_runs(1)
        self.start("steps", 4, 1)
        code, out, errors = self.job.end()
        self.assertEqual(code, 1)
        self.assertRegex(errors, r"--weft-journal: the journal '.*/journal' is in use by process \d+ on .*: wait for it, or name another folder")
        self.tearDown_job()
        self.job = first
        os.kill(first.process.pid, signal.SIGTERM)
        first.end()
        self.check_nothing_left(within=5)

    def test_whoever_stops_it_hears_that_the_same_command_goes_on(self):
        for ranks in (3, 1):
            with self.subTest(ranks=ranks):
                self.start("steps", 200, 20, ranks=ranks)
                client = int(self.job.until(r"client (\d+)")[1])
                self.wait_for_runs(8 * (4 - ranks))
                os.kill(client, signal.SIGTERM)
                code, _, errors = self.finish()
                self.assertNotEqual(code, 0)
                sentence = r"(?m)^weft: ended by signal 15 \(Terminated\) after \d+ s: \d+ of \d+ tasks were done; the same command goes on from the journal (.*)$"
                self.assertRegex(errors, sentence)
                self.assertEqual(re.search(sentence, errors)[1], self.journal)
                self.tearDown_job()

    def test_another_program_begins_anew_and_says_so(self):
        self.start("steps", 8, 5)
        self.finish()
        self.tearDown_job()
        self.job = job_test.Job(1, "sum", "100", f"--weft-journal={self.journal}", command=[CLIENT_JOB])
        _, _, errors = self.finish()
        self.assertIn("are of another program or another build of this one: everything is computed anew", errors)

    def test_a_full_disk_costs_the_journal_and_not_the_job(self):
        launch = ("--oversubscribe", "--bind-to", "none", "-x", f"LD_PRELOAD={FULL_DISK}", "-x", "FULL_DISK_RANK=1")
        self.start("steps", 60, 5, launch=launch, variables={"FULL_DISK_RANK": "1"})
        code, out, errors = self.finish()
        self.assertEqual(code, 0, errors)
        self.assertIn(f"sum {sum(i * i for i in range(60))}\n", out)
        self.assertEqual(errors.count("cannot be written: No space left on device; results of this process are not kept"), 1, errors)

    def test_slices_of_walltime_are_one_job(self):
        """The time is over five times: together they run each task about once."""
        count, ms, total = 120, 50, 135
        codes = []
        for _ in range(12):
            self.start("steps", count, ms, "--weft-walltime=2s", "--weft-walltime-margin=0.5s", "--weft-threads=1", ranks=2)
            code, out, errors = self.finish()
            codes.append(code)
            if code == 0:
                break
            self.assertEqual(code, 75, errors)
            self.tearDown_job()
        self.assertEqual(codes[-1], 0, codes)
        self.assertGreaterEqual(len(codes), 2)
        self.assertIn(f"sum {sum(i * i for i in range(count))}\n", out)
        runs = self.runs()
        self.assertEqual(len(runs), total)
        self.assertLessEqual(sum(runs.values()), total + 2 * len(codes), runs)

    def slow_test_five_slices_cost_what_one_long_job_costs(self):
        """Prints the times: run by hand, and for bench/results."""
        count, ms, total = 960, -100, 1080
        times = []
        for words in (["--weft-threads=1"], ["--weft-threads=1", "--weft-walltime=12.2s", "--weft-walltime-margin=0.5s"]):
            begin, slices, code = time.monotonic(), 0, 75
            while code == 75:
                self.start("steps", count, ms, *words, ranks=2)
                code, out, errors = self.finish()
                self.tearDown_job()
                slices += 1
            self.assertEqual(code, 0, errors)
            self.assertIn(f"sum {sum(i * i for i in range(count))}\n", out)
            ran = sum(self.runs().values())
            wall = time.monotonic() - begin
            # mpirun waits so long by itself when a rank has ended with another code than 0.
            times.append(wall - 2.0 * (slices - 1))
            print(f"{slices} slices: {wall:.2f} s, without mpirun's waits {times[-1]:.2f} s, {ran} tasks run, {total} needed", flush=True)
            self.folder.cleanup()
            os.makedirs(self.marks)
        print(f"slices cost {100 * (times[1] / times[0] - 1):.1f} % more than one long job")
        self.assertLess(times[1], 1.05 * times[0])


for name in [name for name in vars(job_test.JobTest) if name.startswith("test_")]:
    setattr(JournalTest, name, None)  # those of the base are run by job_test.py

if __name__ == "__main__":
    random.seed(7)
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]], defaultTest=None if len(sys.argv) > 5 else "JournalTest")
