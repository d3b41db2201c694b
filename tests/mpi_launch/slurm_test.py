#!/usr/bin/env python3
"""Tests weft under a real SLURM that it starts itself. usage: slurm_test.py MPIRUN CLIENT_JOB WEFT CLUSTER_JOB JOURNAL_JOB

Ends with 77 where SLURM is not installed (Debian: slurm-wlm and munge).
"""
import collections
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import job_test
from client_test import worker_processes
from job_test import processes
from slurm_cluster import SlurmCluster, missing_programs

PROGRAM, WEFT, CLUSTER_JOB, JOURNAL_JOB = (str(Path(word).resolve()) for word in sys.argv[2:6])


class Step:
    """A job or step whose processes are known by a variable that all inherit."""

    count = 0

    def __init__(self):
        Step.count += 1
        self.marker = f"WEFT_TEST_JOB=slurm-{os.getpid()}-{Step.count}"
        self.folder = tempfile.TemporaryDirectory()
        name, value = self.marker.split("=")
        self.variables = job_test.environment(**{name: value, "WEFT_SPILL_DIR": self.folder.name})

    def srun(self, *words):
        return subprocess.Popen(["srun", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.variables, cwd=self.folder.name)


class SlurmTest(unittest.TestCase):
    def setUp(self):
        self.step = Step()

    def tearDown(self):
        CLUSTER.call("scancel", "--user", str(os.getuid()))
        CLUSTER.wait(lambda: CLUSTER.call("squeue", "-h").strip() == "", "the end of all jobs")
        self.step.folder.cleanup()

    def check_nothing_left(self, within=20.0):
        end = time.monotonic() + within
        # A process that begins while another one ends may be missed by one look, not by three.
        quiet = 0
        while quiet < 3 and time.monotonic() < end:
            quiet = 0 if processes(self.step.marker) else quiet + 1
            time.sleep(0.05)
        self.assertEqual(processes(self.step.marker), [])

    def run_step(self, *words):
        process = self.step.srun(*words)
        out, errors = process.communicate(timeout=90)
        self.check_nothing_left()
        return process.returncode, out, errors

    def submit(self, *words, program):
        """Hands a script in by `weft submit`; returns the job's number."""
        done = subprocess.run([WEFT, "submit", "--scheduler", "slurm", "--file", "job.sh", "--now", *words, "--", *program],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.step.variables,
                              cwd=self.step.folder.name, timeout=60, check=False)
        match = re.search(r"Submitted batch job (\d+)", done.stdout)
        self.assertTrue(match, done.stdout)
        return int(match[1])

    def until_state(self, job, *states, seconds=90):
        end = time.monotonic() + seconds
        fields = CLUSTER.job(job)
        while fields.get("JobState") not in states and time.monotonic() < end:
            time.sleep(0.2)
            fields = CLUSTER.job(job)
        self.assertIn(fields.get("JobState"), states, self.output(job))
        return fields

    def until_printed(self, job, text, seconds=60):
        end = time.monotonic() + seconds
        while text not in self.output(job) and time.monotonic() < end:
            time.sleep(0.1)
        self.assertIn(text, self.output(job))

    def output(self, job):
        path = Path(self.step.folder.name) / f"slurm-{job}.out"
        return path.read_text() if path.exists() else ""

    def check_answers(self, out):
        for line in ("submit 144", "map 332833500", "chain 25", "delayed 85344", "elsewhere 1"):
            self.assertIn(line + "\n", out)

    def test_srun_starts_ranks_by_pmix(self):
        code, out, errors = self.run_step("--mpi=pmix", "-n", "3", "-N", "1", PROGRAM, "plain", "-")
        self.assertEqual(code, 0, errors)
        self.check_answers(out)
        self.assertIn("3 ranks on 1 node (SLURM with PMIx)", errors)

    def test_srun_without_mpi_ranks_meet_by_a_file_that_is_gone_afterwards(self):
        code, out, errors = self.run_step("--mpi=none", "-n", "3", "-N", "1", PROGRAM, "plain", "-")
        self.assertEqual(code, 0, errors)
        self.check_answers(out)
        self.assertIn("3 ranks on 1 node (SLURM)", errors)
        self.assertEqual(os.listdir(self.step.folder.name), [])

    def test_ranks_on_two_nodes_find_each_other(self):
        for mpi in ("pmix", "none"):
            code, out, errors = self.run_step(f"--mpi={mpi}", "-N", "2", "--ntasks-per-node=2", PROGRAM, "plain", "-")
            self.assertEqual(code, 0, errors)
            self.check_answers(out)
            self.assertIn("4 ranks", errors)

    def test_a_submitted_script_runs_the_program(self):
        job = self.submit("--nodes", "1", "--ranks", "3", "--time", "5min", program=[PROGRAM, "plain", "-"])
        fields = self.until_state(job, "COMPLETED", "FAILED")
        self.assertEqual((fields["JobState"], fields["ExitCode"]), ("COMPLETED", "0:0"), self.output(job))
        self.check_answers(self.output(job))
        self.assertIn("3 ranks on 1 node (SLURM", self.output(job))
        self.check_nothing_left()

    def test_a_job_at_the_end_of_its_time_ends_with_75_before_slurm_ends_it(self):
        job = self.submit("--ranks", "3", "--time", "1min", program=[PROGRAM, "many", "-", "--weft-walltime-margin=54s"])
        fields = self.until_state(job, "COMPLETED", "FAILED", "TIMEOUT")
        self.assertEqual((fields["JobState"], fields["ExitCode"]), ("FAILED", "75:0"), self.output(job))
        self.assertIn("the exit code will be 75", self.output(job))
        self.check_nothing_left()

    def test_a_step_learns_the_end_of_its_time_from_slurm(self):
        code, _, errors = self.run_step("-n", "3", "-N", "1", "-t", "1", PROGRAM, "many", "-", "--weft-walltime-margin=54s")
        self.assertEqual(code, 75, errors)
        self.assertIn("the exit code will be 75", errors)

    def test_a_job_out_of_time_is_run_again_where_it_asked_for_that_and_goes_on_where_it_was(self):
        """9 s of work for 3 slots, of which each run has time for 6."""
        count = 240
        marks = os.path.join(self.step.folder.name, "marks")
        os.mkdir(marks)
        job = self.submit("--ranks", "3", "--time", "1min", "--resume", "--journal", "run.journal",
                          program=[JOURNAL_JOB, "steps", marks, str(count), "-100", "--weft-threads=1", "--weft-walltime-margin=54s"])
        fields = self.until_state(job, "COMPLETED", "FAILED", seconds=180)
        output = self.output(job)
        self.assertEqual(fields["JobState"], "COMPLETED", output)
        self.assertGreaterEqual(int(fields["Restarts"]), 1, output)
        taken = int(re.search(r"weft: journal \S+: (\d+) results taken", output)[1])  # SLURM begins the file anew
        self.assertGreater(taken, count // 3)
        self.assertIn(f"sum {sum(i * i for i in range(count))}\n", output)
        runs = collections.Counter(name.split(".")[0] for name in os.listdir(marks))
        self.assertEqual(len(runs), count + count // 8)
        # What was under way when the time was over is run again, and no more.
        self.assertLessEqual(sum(runs.values()), len(runs) + 6 * int(fields["Restarts"]), output)

    def test_scancel_leaves_nothing(self):
        job = self.submit("--ranks", "3", "--time", "5min", program=[PROGRAM, "endless", "-"])
        self.until_printed(job, "working")
        self.assertNotEqual(processes(self.step.marker), [])
        CLUSTER.call("scancel", str(job))
        self.until_state(job, "CANCELLED")
        self.check_nothing_left(within=10.0)

    def test_a_killed_worker_costs_no_answer_and_no_exit_code(self):
        process = self.step.srun("-n", "3", "-N", "1", PROGRAM, "watched", "-")
        for line in process.stdout:
            if line.startswith("working"):
                break
        os.kill(worker_processes(self.step)[-1], signal.SIGKILL)
        out, errors = process.communicate(timeout=90)
        self.assertEqual((process.returncode, "sum 1124250\n" in out), (0, True), errors)
        self.assertIn("started again", errors)
        self.check_nothing_left()

    def start_cluster(self, what):
        return subprocess.Popen([CLUSTER_JOB, "slurm", what], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.step.variables, cwd=self.step.folder.name)

    def check_no_jobs(self):
        CLUSTER.wait(lambda: CLUSTER.call("squeue", "-h").strip() == "", "the end of the cluster's jobs")
        self.check_nothing_left()
        self.assertEqual(os.listdir(self.step.folder.name), [])

    def test_a_program_that_slurm_has_not_started_gets_workers_from_it(self):
        process = self.start_cluster("scale")
        out, errors = process.communicate(timeout=120)
        self.assertEqual((process.returncode, out), (0, "processes 2\nsum 70210\none 1\nsum 70210\nthree 3\n"), errors)
        self.check_no_jobs()

    def test_workers_of_a_cluster_come_while_there_is_work(self):
        process = self.start_cluster("adapt")
        out, errors = process.communicate(timeout=120)
        self.assertEqual((process.returncode, out), (0, "none 1\nsum 70210\nfewer 1\nkept 1 2\n"), errors)
        self.check_no_jobs()

    def test_jobs_of_a_cluster_whose_program_is_killed_are_cancelled(self):
        process = self.start_cluster("never")
        CLUSTER.wait(lambda: "R" in CLUSTER.call("squeue", "-h", "-o", "%t"), "the worker's job")
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        self.check_no_jobs()

    def test_a_worker_whose_job_is_cancelled_is_replaced(self):
        process = self.start_cluster("loses")
        self.addCleanup(process.communicate)
        for line in process.stdout:
            if line.startswith("losing"):
                break
        CLUSTER.call("scancel", CLUSTER.call("squeue", "-h", "-o", "%i").split()[0])
        out, errors = process.communicate(timeout=120)
        self.assertEqual((process.returncode, out), (0, "back 2\n"), errors)
        self.assertRegex(errors, "worker [01] of the cluster was asked to leave, and has: it has ended with job [0-9]+.*; another one takes its place")
        self.check_no_jobs()


if __name__ == "__main__":
    lacking = missing_programs()
    if lacking:
        print(f"skipped: {', '.join(lacking)} not found; on Debian: apt install slurm-wlm munge")
        sys.exit(77)
    CLUSTER = SlurmCluster()
    try:
        CLUSTER.start()
        ended = unittest.main(argv=[sys.argv[0], *sys.argv[6:]], defaultTest=None if sys.argv[6:] else "SlurmTest", verbosity=2,
                              exit=False)
    finally:
        CLUSTER.stop()
    sys.exit(0 if ended.result.wasSuccessful() else 1)
