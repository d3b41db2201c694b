#!/usr/bin/env python3
"""Tests how jobs start, lose workers and end, with real processes. usage: job_test.py MPIRUN PLACEHOLDER_JOB LATE_EVENT"""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

MPIRUN, PROGRAM = sys.argv[1], sys.argv[2]
LATE_EVENT = sys.argv[3] if len(sys.argv) > 3 else ""


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    kept.update(more, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", WEFT_CONFIG="none")
    return kept


def processes(marker):
    """Returns the ids of all processes whose environment holds `marker`."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0]
                if state != "Z" and marker.encode() in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                pass
    return found


class Job:
    """A started job; its processes are known by a variable that all inherit."""

    count = 0

    def __init__(self, ranks, *words, command=None, variables=None, launch=("--oversubscribe", "--bind-to", "none"),
                 launch_alone=False):
        Job.count += 1
        self.marker = f"WEFT_TEST_JOB={os.getpid()}-{Job.count}"
        self.scratch = tempfile.TemporaryDirectory()
        name, value = self.marker.split("=")
        variables = {name: value, "TMPDIR": tempfile.gettempdir(), **(variables or {})}
        words = list(words)
        launch = [] if launch_alone else [MPIRUN, *launch, "-n", str(ranks)]
        self.process = subprocess.Popen([*launch, *(command or [PROGRAM]), *words[:2], f"--weft-spill-dir={self.scratch.name}", *words[2:]],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**variables))
        self.lines = []

    def until(self, pattern):
        """Reads lines until one matches."""
        for line in self.process.stdout:
            self.lines.append(line)
            match = re.search(pattern, line)
            if match:
                return match
        raise AssertionError(f"never saw {pattern}: {''.join(self.lines)}{self.process.stderr.read()}")

    def end(self, timeout=60):
        out, errors = self.process.communicate(timeout=timeout)
        return self.process.returncode, "".join(self.lines) + out, errors


class JobTest(unittest.TestCase):
    def setUp(self):
        self.job = None
        self.shared_before = set(os.listdir("/dev/shm"))

    def tearDown(self):
        if self.job is not None:
            self.job.process.kill()
            self.job.process.wait()
            self.job.process.stdout.close()
            self.job.process.stderr.close()
            self.job.scratch.cleanup()

    def check_nothing_left(self, within=2.0):
        end = time.monotonic() + within
        while processes(self.job.marker) and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(processes(self.job.marker), [])
        self.assertEqual(os.listdir(self.job.scratch.name), [])
        left = {name for name in set(os.listdir("/dev/shm")) - self.shared_before if "weft" in name}
        self.assertEqual(left, set())

    def run_job(self, ranks, *words, **more):
        self.job = Job(ranks, *words, **more)
        done = self.job.end()
        self.check_nothing_left()
        return done

    def test_all_workers_start_and_nothing_is_left(self):
        code, out, errors = self.run_job(3, "idle", "1")
        self.assertEqual(code, 0, errors)
        for place in range(3):
            self.assertRegex(out, rf"\[{place}\] up {place}\.1 ")
        self.assertIn("ended", out)
        self.assertIn("3 ranks on 1 node", errors)

    def test_an_event_that_mpi_is_late_with_is_waited_for(self):
        launch = ("--oversubscribe", "--bind-to", "none", "-x", f"LD_PRELOAD={LATE_EVENT}")
        code, out, errors = self.run_job(2, "idle", "0", launch=launch)
        self.assertEqual(code, 0, errors)
        self.assertIn("ended", out)

    def test_a_killed_worker_is_told_and_started_again(self):
        self.job = Job(3, "idle", "60")
        pid = int(self.job.until(r"up 2\.1 pid (\d+)")[1])
        os.kill(pid, signal.SIGKILL)
        told = self.job.until(r"died 2\.1: (.*)")[1]
        self.assertIn("signal 9 (Killed)", told)
        self.job.until(r"up 2\.2 pid")
        os.kill(self.job.process.pid, signal.SIGTERM)
        self.job.end()
        self.check_nothing_left()

    def test_a_stopped_worker_is_fenced_and_comes_back(self):
        self.job = Job(2, "idle", "60", "--weft-worker-timeout=1s")
        pid = int(self.job.until(r"up 1\.1 pid (\d+)")[1])
        os.kill(pid, signal.SIGSTOP)
        self.assertIn("no sign of life", self.job.until(r"died 1\.1: (.*)")[1])
        self.job.until(r"up 1\.2 pid")
        self.assertFalse(os.path.exists(f"/proc/{pid}"))
        os.kill(self.job.process.pid, signal.SIGINT)
        self.job.end()
        self.check_nothing_left()

    def test_a_fault_is_told_with_its_signal(self):
        code, out, _ = self.run_job(2, "segv", "2")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"died 1\.1: .*signal 11 \(Segmentation fault\)")
        self.assertRegex(out, r"up 1\.2")

    def test_a_call_of_exit_is_told_with_its_code(self):
        code, out, _ = self.run_job(2, "exit", "2")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"died 1\.1: .*exit code 7.*exit was called")

    def test_the_first_words_of_a_worker_that_cannot_start_reach_the_user(self):
        begin = time.monotonic()
        code, _, errors = self.run_job(3, "cannot", "30")
        self.assertNotEqual(code, 0)
        self.assertRegex(errors, r"weft: the worker of rank 1 on .* cannot start: the licence server is asleep")
        self.assertLess(time.monotonic() - begin, 5 + 2)

    def test_output_is_prefixed_and_held_back_above_its_rate(self):
        self.job = Job(2, "print", "1", "--weft-output-rate=100")
        code, out, errors = self.job.end()
        self.assertEqual(code, 0)
        self.assertIn("[1] line 0\n", out)
        self.assertIn("lines held back", out)
        self.assertLess(out.count("line "), 2000)
        self.assertIn("a word to the error stream", errors)
        kept = list(Path(self.job.scratch.name).iterdir())
        self.assertEqual(len(kept), 2)
        for file in kept:
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)
            self.assertIn("line 4999\n", file.read_text())

    def test_what_a_task_forked_dies_with_its_worker(self):
        code, _, _ = self.run_job(2, "fork", "1")
        self.assertEqual(code, 0)

    def test_ends_by_signals_to_mpirun_leave_nothing(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            self.job = Job(3, "idle", "60")
            for place in range(3):
                self.job.until(r"up \d\.1 ")
            os.kill(self.job.process.pid, number)
            code, _, _ = self.job.end()
            self.assertNotEqual(code, 0)
            self.check_nothing_left()

    def test_a_killed_supervisor_ends_the_job_and_leaves_nothing(self):
        self.job = Job(3, "idle", "60")
        parents = dict(self.job.until(r"up (\d)\.1 pid \d+ parent (\d+)").groups() for _ in range(3))
        os.kill(int(parents["2"]), signal.SIGKILL)
        code, _, _ = self.job.end()
        self.assertNotEqual(code, 0)
        self.check_nothing_left()

    def test_a_killed_rank_0_ends_the_job_and_leaves_nothing(self):
        self.job = Job(3, "idle", "60")
        parents = dict(self.job.until(r"up (\d)\.1 pid \d+ parent (\d+)").groups() for _ in range(3))
        os.kill(int(parents["0"]), signal.SIGKILL)
        code, _, _ = self.job.end()
        self.assertNotEqual(code, 0)
        self.check_nothing_left()

    def test_an_application_that_called_mpi_init_before_is_respected(self):
        code, out, errors = self.run_job(2, "mpi-before", "1")
        self.assertEqual((code, "ended" in out), (0, True), errors)

    def test_an_application_that_calls_mpi_init_after_is_told_what_to_do_and_leaves_nothing(self):
        code, _, errors = self.run_job(2, "mpi-after", "1")
        self.assertNotEqual(code, 0)
        self.assertIn("MPI_Init was called after the weft client", errors)
        self.assertIn("call MPI_Init before weft::run", errors)

    def test_more_workers_than_ranks_are_refused_with_both_numbers(self):
        code, _, errors = self.run_job(2, "idle", "30", "--weft-workers=5")
        self.assertNotEqual(code, 0)
        self.assertRegex(errors, r"5 workers are asked for, but the launcher started 2 ranks")

    def test_an_unwritable_scratch_folder_is_named(self):
        code, _, errors = self.run_job(2, "idle", "30", "--weft-spill-dir=/no/such/folder")
        self.assertNotEqual(code, 0)
        self.assertIn("/no/such/folder", errors)

    def test_a_scratch_folder_that_takes_no_files_is_named(self):
        code, _, errors = self.run_job(2, "idle", "30", "--weft-spill-dir=/proc")
        self.assertNotEqual(code, 0)
        self.assertIn("the spill directory '/proc' takes no files", errors)

    def test_output_folders_get_the_full_text_of_every_worker(self):
        with tempfile.TemporaryDirectory() as folder:
            code, out, errors = self.run_job(2, "print", "1", f"--weft-output-dir={folder}")
            self.assertEqual(code, 0, errors)
            files = sorted(Path(folder).iterdir())
            self.assertEqual(len(files), 2)
            for file in files:
                self.assertEqual(file.stat().st_mode & 0o777, 0o600)
                self.assertIn("line 4999\n", file.read_text())

    def test_different_programs_on_two_ranks_are_one_sentence_with_both_sides(self):
        with tempfile.TemporaryDirectory() as folder:
            other = Path(folder) / "other_program"
            data = bytearray(Path(PROGRAM).read_bytes())
            other.write_bytes(data)
            other.chmod(0o755)
            done = subprocess.run(["objcopy", "--remove-section=.note.gnu.build-id", str(other)], check=False)
            if done.returncode != 0:
                self.skipTest("objcopy is not here")
            self.job = Job(1, "idle", "30", command=[PROGRAM, ":", "-n", "1", str(other)])
            code, _, errors = self.job.end()
        self.assertNotEqual(code, 0)
        self.assertRegex(errors, r"rank 0 on .* runs .*placeholder_job .*but rank 1 on .* runs .*other_program")

    def test_ranks_meet_by_a_file_without_mpi(self):
        with tempfile.TemporaryDirectory() as folder:
            marker = f"file-{os.getpid()}"
            ranks = [subprocess.Popen([PROGRAM, "idle", "1", f"--weft-address-file={folder}/job", f"--weft-spill-dir={folder}"],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      env=environment(WEFT_RANK=str(rank), WEFT_RANKS="3", WEFT_TEST_JOB=marker))
                     for rank in (2, 1, 0)]
            done = [rank.communicate(timeout=60) for rank in ranks]
            self.assertEqual([rank.returncode for rank in ranks], [0, 0, 0], done)
            self.assertIn("[2] up 2.1", done[2][0])
            self.assertEqual(processes(f"WEFT_TEST_JOB={marker}"), [])
            self.assertEqual(os.listdir(folder), [])

    def test_a_start_that_waits_for_a_rank_names_it(self):
        with tempfile.TemporaryDirectory() as folder:
            def start(rank):
                return subprocess.Popen([PROGRAM, "idle", "1", f"--weft-address-file={folder}/job", f"--weft-spill-dir={folder}"],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=environment(WEFT_RANK=str(rank), WEFT_RANKS="3"))
            ranks = [start(0), start(1)]
            news = ranks[0].stderr.readline()
            ranks.append(start(2))
            done = [rank.communicate(timeout=60) for rank in ranks]
            self.assertEqual(news, "weft: 2 of 3 ranks are here after 5 s; rank 2 is still to come\n")
            self.assertEqual([rank.returncode for rank in ranks], [0, 0, 0], done)

    def test_a_program_without_a_launcher_is_alone(self):
        done = subprocess.run([PROGRAM], env=environment(), stdout=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "alone\n"))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
