#!/usr/bin/env python3
"""Tests programs with a Client under mpirun. usage: client_test.py MPIRUN CLIENT_JOB [SOAK_RUNS]"""
import contextlib
import os
import random
import re
import signal
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.argv[2:2] = []
import job_test  # noqa: E402  (reads the first two words)
from job_test import PROGRAM, Job, processes  # noqa: E402

SOAK_RUNS = int(sys.argv[3]) if len(sys.argv) > 3 and sys.argv[3].isdigit() else 5
SOAK_FIRST = int(os.environ.get("WEFT_TEST_SOAK_FIRST", 0))  # so that a soak can be run in parts


def worker_processes(job):
    """Returns the workers of a job: its processes that have no rank in their environment."""
    found = []
    for pid in processes(job.marker):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                text = file.read()
        except OSError:
            continue
        if b"OMPI_COMM_WORLD_RANK" not in text and b"WEFT_INTERNAL_WORKER" in text:
            found.append(pid)
    return found


def spilled_by(pid, folder):
    """Returns what a process has on disk in its scratch folder: in files that have no names."""
    total = 0
    try:
        for file in Path(f"/proc/{pid}/fd").iterdir():
            if os.readlink(file).startswith(folder):
                total += file.stat().st_blocks * 512
    except OSError:
        pass  # it has ended, or closed one meanwhile
    return total


def spilled_bytes(job):
    """Returns what a job's processes have on disk."""
    return sum(spilled_by(pid, job.scratch.name) for pid in processes(job.marker))


class ClientTest(job_test.JobTest):
    __test__ = True

    def test_submit_map_chain_and_delayed_run_on_other_processes(self):
        code, out, errors = self.run_job(3, "plain", "-")
        self.assertEqual(code, 0, errors)
        for line in ("submit 144", "map 332833500", "chain 25", "delayed 85344", "elsewhere 1"):
            self.assertIn(line + "\n", out)

    def test_a_graph_that_one_process_saved_runs_on_workers(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "graph")
            code, _, errors = self.run_job(1, "save", path)
            self.assertEqual(code, 0, errors)
            code, out, errors = self.run_job(3, "load", path)
        self.assertEqual((code, out), (0, "loaded 122\nloaded 755\n"), errors)

    def test_four_ranks(self):
        code, out, errors = self.run_job(4, "plain", "-")
        self.assertEqual((code, "map 332833500" in out), (0, True), errors)

    def test_a_job_begins_with_the_workers_that_are_enough(self):
        missing = {"CLIENT_JOB_WITHOUT_WORKER": "1"}
        begin = time.monotonic()
        code, out, errors = self.run_job(3, "plain", "-", "--weft-min-workers=2", variables=missing)
        self.assertEqual((code, "map 332833500" in out), (0, True), errors)
        self.assertIn("the worker of rank 1 on", errors)
        self.assertLess(time.monotonic() - begin, 20)
        # Where more are asked for than can come, it waits for them until the start takes too long.
        code, out, errors = self.run_job(3, "plain", "-", "--weft-min-workers=3", "--weft-start-timeout=3s", variables=missing)
        self.assertEqual((code, "map 332833500" in out), (0, True), errors)
        self.assertIn("only 2 of 3 workers have joined so far", errors)

    def test_memory_of_results_that_were_let_go_of_is_given_back(self):
        self.job = Job(3, "releases", "-", "--weft-memory=2GiB")

        def resident():
            return [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") for pid in worker_processes(self.job)]

        self.job.until("ready")
        before = resident()
        self.job.until("holding")
        self.assertGreater(sum(resident()) - sum(before), 400 << 20)
        self.job.until("dropped")
        end = time.monotonic() + 5
        while any(now > 1.05 * was + (2 << 20) for now, was in zip(resident(), before)):
            self.assertLess(time.monotonic(), end, [(was >> 20, now >> 20) for was, now in zip(before, resident())])
            time.sleep(0.1)
        self.assertEqual(self.job.end()[0], 0)

    def test_one_rank_runs_on_threads(self):
        code, out, errors = self.run_job(1, "plain", "-")
        self.assertEqual(code, 0, errors)
        self.assertIn("map 332833500\n", out)
        self.assertNotIn("ranks on", errors)

    def test_workers_can_be_looked_at_and_tasks_note_things_in_the_client(self):
        code, out, errors = self.run_job(3, "looking", "-")
        self.assertEqual(code, 0, errors)
        for line in ("sum 45", "events 10", "metadata 1", "streamed 50", "workers 3", "processing 1", "profiled 3",
                     "logs 3"):
            self.assertIn(line + "\n", out)

    def test_answers_that_are_only_polled_for_come_soon(self):
        for path in ("auto", "tcp"):
            with self.subTest(path=path):
                code, out, errors = self.run_job(3, "polling", "-", f"--weft-transport={path}")
                self.assertEqual((code, "wrong 0\n" in out), (0, True), errors)
                middle, late = re.search(r"polled: middle ([0-9.]+) ms, longest [0-9.]+ ms, (\d+) later than 100 ms", out).groups()
                self.assertLess(float(middle), 20, "a tenth of a millisecond on a quiet machine")
                self.assertLess(int(late), 20, out)
                self.tearDown()
                self.job = None

    def test_workers_are_restarted_as_often_as_the_client_asks_and_prepared_again(self):
        code, out, errors = self.run_job(3, "restarts", "-", "--weft-worker-restarts=2")
        self.assertEqual(code, 0, errors)
        for line in ("fresh 3", "sum 15", "prepared 3", "scheduler 1", "from a task -1"):
            self.assertIn(line + "\n", out)

    def test_an_exception_in_the_body_is_printed_once(self):
        code, _, errors = self.run_job(3, "throw", "-")
        self.assertEqual(code, 1)
        self.assertEqual(errors.count("the body has had enough"), 1, errors)

    def test_a_task_that_throws_is_told_with_its_words(self):
        code, _, errors = self.run_job(3, "fails", "-")
        self.assertEqual(code, 1)
        self.assertIn("three is no good", errors)
        self.assertRegex(errors, r"(?m)^  thrown in   .*\bfails\(long\)")

    def test_clients_follow_one_another_and_main_gives_the_exit_code(self):
        code, out, errors = self.run_job(3, "two-clients", "-")
        self.assertEqual((code, "first 25" in out, "second 36" in out), (4, True, True), errors)

    def test_a_wrong_option_is_said_once(self):
        code, _, errors = self.run_job(3, "plain", "-", "--weft-threds=1")
        self.assertEqual(code, 1)
        self.assertEqual(errors.count("did you mean --weft-threads"), 1, errors)

    def test_a_task_that_asks_to_be_run_later_goes_to_another_process(self):
        with tempfile.TemporaryDirectory() as folder:
            code, out, errors = self.run_job(3, "leaves", folder)
        self.assertEqual((code, "left 7\n" in out), (0, True), errors)

    def check_death(self, how, pattern):
        with tempfile.TemporaryDirectory() as folder:
            code, out, errors = self.run_job(3, "dies", how, folder)
        self.assertEqual((code, "sum 79800\n" in out), (0, True), errors)
        self.assertRegex(errors, pattern)

    def test_a_task_that_exits_costs_its_worker_and_no_answer(self):
        self.check_death("exit", r"exit code 7.*exit was called by task #\d+ of [\w.]+:\d+")

    def test_a_task_that_exits_as_a_worker_that_is_restarted_is_told_all_the_same(self):
        self.check_death("exit-as-restarted", r"exit code 77.*called exit.*exit was called by task #\d+ of [\w.]+:\d+")

    def test_a_task_that_faults_costs_its_worker_and_no_answer(self):
        self.check_death("segv", r"signal 11 \(Segmentation fault\).*fault was in task #\d+ of [\w.]+:\d+")

    def test_a_task_that_uses_its_stack_up_is_named_too(self):
        self.check_death("fall", r"signal 11 \(Segmentation fault\).*fault was in task #\d+ of [\w.]+:\d+")

    def test_a_killed_worker_costs_no_answer(self):
        self.check_death("kill", r"signal 9 \(Killed\)")

    def test_what_a_task_forked_is_gone_at_the_end(self):
        self.check_death("fork", "weft")

    def check_poison(self, how, form, cause):
        code, out, errors = self.run_job(3, "poison", how, form)
        self.assertEqual((code, out.count("good 999\n")), (0, 2), out + errors)
        self.assertIn(f"sum {999 * 1000 // 2 - 500}\n", out)
        self.assertIn(f"sum {sum(x * x for x in range(1000)) - 500 * 500}\n", out)
        self.assertEqual(errors.count("it is started again"), 3, "three workers, and no more, are lost: " + errors)
        self.assertRegex(out, rf"failed: .*three workers have died while it ran: .*{cause}.*; .*{cause}.*; .*{cause}")
        self.assertRegex(out, r"failed: task '.*client_job.cpp:\d+.*' failed: three workers have died")
        self.assertNotIn("<", errors + out)
        return out

    def test_of_a_thousand_short_tasks_only_the_one_that_faults_fails(self):
        out = self.check_poison("segv", "map", r"signal 11 \(Segmentation fault\)")
        name, deaths = re.search(r"task '[^']* #(\d+)[^']*' failed: three workers have died(.*)", out).groups()
        self.assertEqual(re.findall(r"fault was in task #(\d+) of client_job.cpp:\d+", deaths), 3 * [name],
                         "each death names the task as the client knows it")

    def test_of_a_graph_only_the_task_that_is_killed_with_its_workers_fails(self):
        self.check_poison("kill", "graph", r"signal 9 \(Killed\)")

    def test_a_worker_killed_from_outside_costs_no_answer(self):
        self.job = Job(3, "watched", "-")
        self.job.until("working")
        time.sleep(0.5)
        os.kill(worker_processes(self.job)[-1], signal.SIGKILL)
        code, out, errors = self.job.end()
        self.assertEqual((code, "sum 1124250\n" in out), (0, True), errors)
        self.assertIn("started again", errors)
        self.check_nothing_left()

    def threads_of(self, pid):
        try:
            return int(re.search(r"Threads:\t(\d+)", Path(f"/proc/{pid}/status").read_text())[1])
        except (OSError, TypeError):
            return 0

    def test_nested_tasks_survive_their_worker_within_the_cap_of_threads(self):
        self.job = Job(3, "nested", "29", "--weft-max-waiting-threads=20", "--weft-threads=1")
        self.job.until("working")
        most = 0
        for turn in range(20):
            time.sleep(0.05)
            workers = worker_processes(self.job)
            most = max([most, *(self.threads_of(pid) for pid in workers)])
            if turn == 4 and workers:
                os.kill(workers[-1], signal.SIGKILL)
        code, out, errors = self.job.end(timeout=240)
        self.assertEqual((code, "twelve 6170748\n" in out), (0, True), errors)
        self.assertIn("started again", errors)
        self.assertLess(most, 20 + 25, "beside the waiting ones: slot, main, pulse, transport, spilling")
        self.check_nothing_left()

    @contextlib.contextmanager
    def little_memory(self, mib):
        """Gives the words that start a program in a cgroup of so much memory."""
        group = Path("/sys/fs/cgroup/memory") / f"weft-test-{os.getpid()}"
        try:
            group.mkdir()
            (group / "memory.limit_in_bytes").write_text(str(mib << 20))
            swap = group / "memory.memsw.limit_in_bytes"
            if swap.exists():
                swap.write_text(str(mib << 20))
        except OSError as error:
            self.skipTest(f"no memory cgroup can be made here: {error}")
        try:
            yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh", PROGRAM]
        finally:
            for _ in range(50):
                try:
                    group.rmdir()
                    break
                except OSError:
                    time.sleep(0.1)

    def test_workers_near_their_limit_spill_and_nobody_dies(self):
        """1,500 MiB of results in a cgroup of 900 MiB."""
        with self.little_memory(900) as command:
            self.job = Job(3, "moving", "1500", command=command)
            most = 0
            while self.job.process.poll() is None:
                most = max(most, spilled_bytes(self.job))
                time.sleep(0.1)
            code, out, errors = self.job.end(timeout=240)
            self.assertEqual((code, f"moved {1500 * 1499}\n" in out), (0, True), out + errors)
            self.assertNotIn("started again", errors)
            self.assertGreater(most, 100 << 20, "results went to disk")
            self.check_nothing_left()

    def check_hog(self, how, pattern):
        with self.little_memory(900) as command, tempfile.TemporaryDirectory() as folder:
            self.job = Job(3, "hogs", folder, how, command=command)
            code, out, errors = self.job.end(timeout=120)
            self.assertEqual((code, "sum 79800\n" in out), (0, True), errors)
            self.assertRegex(errors, pattern)
            self.check_nothing_left()

    def test_a_worker_that_runs_out_of_memory_says_so_before_the_system_kills_it(self):
        self.check_hog("slowly", r"ran out of memory while it ran task #\d+.*its memory: .*ended itself before")

    def test_a_worker_that_the_system_kills_for_memory_is_told_as_such(self):
        self.check_hog("at once", r"was killed by the system because memory ran out \(signal 9; .*memory.oom_control counts"
                       r" 1 more\).*task #\d+|ended itself before")

    def test_a_job_in_which_nothing_moves_names_the_task(self):
        code, out, errors = self.run_job(3, "stands", "-", "--weft-worker-timeout=2")
        self.assertEqual((code, "stood 1\n" in out), (0, True), errors)
        self.assertRegex(errors, r"nothing moves: for \d+ s no task has ended and no worker has used its processors; 1 of 1 "
                         r"tasks are left: \S+:\d runs '.* #\d+' \(.*client_job.cpp:\d+\)")
        self.assertEqual(errors.count("nothing moves"), 1, errors)

    def check_ended_by(self, number):
        """Open MPI's mpirun sends SIGKILL 15 ms after SIGTERM: on a busy machine not every first try has its sentence."""
        for left in reversed(range(10)):
            self.job = Job(3, "watched", "-")
            self.job.until("working")
            os.kill(self.job.process.pid, number)
            code, _, errors = self.job.end()
            self.assertNotEqual(code, 0)
            self.check_nothing_left()
            if re.search(r"(?m)^weft: ended by signal \d+ \(\w+\) after \d+ s: \d+ of \d+ tasks were done$", errors):
                return
            self.assertGreater(left, 0, "no word of how far it was: " + errors)
            self.tearDown()
            self.job = None

    def test_ctrl_c_in_the_middle_of_work_leaves_nothing_and_says_how_far_it_was(self):
        self.check_ended_by(signal.SIGINT)

    def test_sigterm_in_the_middle_of_work_leaves_nothing_and_says_how_far_it_was(self):
        self.check_ended_by(signal.SIGTERM)

    def test_ctrl_c_of_one_process_says_how_far_it_was(self):
        self.job = Job(1, "watched", "-", launch_alone=True)
        self.job.until("working")
        os.kill(self.job.process.pid, signal.SIGINT)
        code, _, errors = self.job.end()
        self.assertEqual(code, -signal.SIGINT)
        self.assertRegex(errors, r"(?m)^weft: ended by signal 2 \(Interrupt\) after \d+ s: \d+ of \d+ tasks were done$")
        self.check_nothing_left()

    def test_a_dry_run_prints_the_block_and_computes_nothing(self):
        code, out, errors = self.run_job(3, "plain", "-", "--weft-dry-run")
        self.assertEqual((code, out.count("3 ranks on 1 node")), (0, 1), errors)
        self.assertNotIn("submit 144", out)
        for row in ("workers", "slots", "binding", "memory", "GPUs", "network", "scratch"):
            self.assertRegex(out, rf"(?m)^  {row} +\S")
        self.assertRegex(out, r"(?m)^  scratch .* free, writes \d+ MB/s; ")

    def test_the_end_of_the_walltime_is_exit_code_75(self):
        begin = time.monotonic()
        code, _, errors = self.run_job(3, "many", "-", "--weft-walltime=5s", "--weft-walltime-margin=2s")
        self.assertEqual(code, 75, errors)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertIn("the exit code will be 75", errors)

    def check_timely(self, ranks, *words):
        """Tasks of 3 s in 5 s, and short ones behind them: what cannot end is not begun, and the job ends early."""
        with tempfile.TemporaryDirectory() as folder:
            code, out, errors = self.run_job(ranks, "timely", folder, *words, "--weft-walltime=6s",
                                             "--weft-walltime-margin=1s")
            names = set(os.listdir(folder))
        self.assertEqual((code, out), (75, "near 20\n"), errors)
        self.assertEqual({name for name in names if name.endswith(".begun")},
                         {name.replace(".ended", ".begun") for name in names if name.endswith(".ended")})
        self.assertRegex(errors, r"\d+ tasks would not end in time: '.*client_job.cpp:\d+\) is expected to take "
                                 r"3\.\d s; [01]\.\d s are left \(.*, less the margin\), and nothing else waits: the "
                                 r"program ends now; the exit code will be 75")
        return names

    def test_what_would_not_end_in_time_is_not_begun_and_the_rest_is(self):
        names = self.check_timely(3, "plain")
        self.assertLessEqual(sum(name.startswith("far") and name.endswith(".ended") for name in names), 4)

    def test_tasks_that_read_what_is_held_keep_nobody_from_ending_early(self):
        self.check_timely(3, "read")

    def test_urgent_tasks_that_would_not_end_in_time_leave_their_slots_to_others(self):
        self.check_timely(3, "urgent")

    def test_one_process_begins_nothing_that_would_not_end_in_time(self):
        for words in (("plain", "--weft-threads=2"), ("urgent", "--weft-threads=2")):
            with self.subTest(words):
                self.check_timely(1, *words)

    def test_sync_mode_begins_nothing_that_would_not_end_in_time(self):
        self.check_timely(1, "plain", "--weft-scheduler=sync")

    @staticmethod
    def hurt(process, moments):
        """Kills, stops for good, or stops and continues."""
        how = moments.choice(["kill", "stop", "fault", "pause"])
        try:
            os.kill(process, {"kill": signal.SIGKILL, "fault": signal.SIGSEGV}.get(how, signal.SIGSTOP))
            if how == "pause":
                time.sleep(moments.uniform(0.1, 3))  # at times longer than its supervisor waits
                os.kill(process, signal.SIGCONT)
        except ProcessLookupError:
            pass

    def slow_test_transfers_that_stall_are_told_of_and_made_again(self):
        """A worker is stopped for longer than a transfer may take, but not for so long that it counts as lost."""
        jobs = [(path, Job(3, "stalling", "-", "--weft-worker-timeout=200s", f"--weft-transport={path}"))
                for path in ("auto", "tcp", "auto", "tcp")]
        try:
            for _, job in jobs:
                job.until("working")
            time.sleep(1)
            stopped = [worker_processes(job)[-1] for _, job in jobs]
            for process in stopped:
                os.kill(process, signal.SIGSTOP)
            time.sleep(34)
            for process in stopped:
                os.kill(process, signal.SIGCONT)
            told = set()
            for path, job in jobs:
                code, out, errors = job.end(timeout=120)
                self.assertEqual((code, "wrong 0\n" in out), (0, True), errors)
                found = re.search(r"nothing moved for 30 s on (shared memory|tcp) to [0-9.]+:\d+; this connection is given up", errors)
                if found:
                    told.add((path, found[1]))
            self.assertEqual(told, {("auto", "shared memory"), ("tcp", "tcp")})
        finally:
            for _, job in jobs:
                self.job = job
                self.tearDown()
            self.job = None

    def test_soak_kills_at_random_moments_never_hang_or_lie(self):
        for run in range(SOAK_FIRST, SOAK_FIRST + SOAK_RUNS):
            with self.subTest(run=run):
                moments = random.Random(run)
                path = ("auto", "tcp")[run % 2]  # the fast path and the safe one, in turns
                self.job = Job(3, "watched", "-", "--weft-worker-timeout=2s", f"--weft-transport={path}")
                self.job.until("working")
                time.sleep(moments.uniform(0, 1.5))
                workers = worker_processes(self.job)
                if workers:
                    self.hurt(moments.choice(workers), moments)
                code, out, errors = self.job.end(timeout=90)
                self.assertEqual((code, "sum 1124250\n" in out), (0, True), f"run {run}: {errors}")
                self.check_nothing_left()
                self.tearDown()
                self.job = None


for name in [name for name in vars(job_test.JobTest) if name.startswith("test_")]:
    setattr(ClientTest, name, None)  # those of the base are run by job_test.py

if __name__ == "__main__":
    words = [word for word in sys.argv[3:] if not word.isdigit()]
    unittest.main(argv=[sys.argv[0], *words], defaultTest=None if words else "ClientTest")
