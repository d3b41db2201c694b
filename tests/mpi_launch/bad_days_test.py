#!/usr/bin/env python3
"""Tests jobs on bad days: strangers at their ports, other users, odd options and launchers, a clock that jumps.

usage: bad_days_test.py MPIRUN CLIENT_JOB JUMPING_CLOCK FULL_DISK
"""
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import job_test
from client_test import spilled_by, worker_processes
from job_test import MPIRUN, PROGRAM, Job, environment, processes

CLOCK = str(Path(sys.argv[3]).resolve()) if len(sys.argv) > 3 else ""
FULL_DISK = str(Path(sys.argv[4]).resolve()) if len(sys.argv) > 4 else ""
WATCHED_SUM = "sum 1124250\n"


def listening(pids):
    """Returns the (address, port) pairs on which these processes listen, of IPv4 and IPv6."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                inodes.add(os.readlink(link))
            except OSError:
                pass
    found = set()
    for table, family, size in (("tcp", socket.AF_INET, 8), ("tcp6", socket.AF_INET6, 32)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] != "0A" or f"socket:[{fields[9]}]" not in inodes:
                continue
            address, port = fields[1].split(":")
            words = [bytes.fromhex(address[i:i + 8])[::-1] for i in range(0, size, 8)]
            found.add((socket.inet_ntop(family, b"".join(words)), int(port, 16)))
    return sorted(found)


def weft_processes(job):
    """Returns the ranks and workers of a job, without the launcher."""
    return [pid for pid in processes(job.marker) if os.path.exists(f"/proc/{pid}/exe")
            and os.path.realpath(f"/proc/{pid}/exe") == os.path.realpath(PROGRAM)]


class BadDaysTest(job_test.JobTest):
    def test_workers_open_few_files_of_shared_disks(self):
        """A thousand workers that start from one file system open what they open a thousand times."""
        if shutil.which("strace") is None:
            self.skipTest("there is no strace here")
        with tempfile.TemporaryDirectory() as folder:
            trace = Path(folder) / "trace"
            code, out, errors = self.run_job(2, "plain", "-", command=["sh", "-c", 'exec strace -f -qq -s 300 -e trace=openat,open,execve,clone,clone3,vfork,fork '
                                                      f'-o {trace}-$OMPI_COMM_WORLD_RANK {PROGRAM} "$@"', "sh"])
            self.assertEqual((code, "map 332833500" in out), (0, True), errors)
            for rank in (0, 1):
                opened = {}  # by worker, which is a program of its own in the trace of its rank
                process = {}  # by thread
                for line in Path(f"{trace}-{rank}").read_text().splitlines():
                    thread, call = line.split(maxsplit=1)
                    if "CLONE_THREAD" in call and (match := re.search(r"= (\d+)$", call)):
                        process[match[1]] = process.get(thread, thread)
                    if call.startswith("execve("):
                        opened[thread] = set()
                    match = re.match(r'open(?:at)?\((?:AT_FDCWD, )?"(/[^"]*)".* = \d+', call)
                    if match and not match[1].startswith(("/proc/", "/sys/", "/dev/", self.job.scratch.name)):
                        opened.setdefault(process.get(thread, thread), set()).add(match[1])
                last = list(opened)[-1]
                print(f"the worker of rank {rank} opened {len(opened[last])} files", file=sys.stderr)
                self.assertGreater(len(opened), 1)
                self.assertLessEqual(len(opened[last]), 30, sorted(opened[last]))

    def test_the_results_of_a_worker_whose_disk_is_full_go_where_there_is_room(self):
        launch = ("--oversubscribe", "--bind-to", "none", "-x", f"LD_PRELOAD={FULL_DISK}", "-x", "FULL_DISK_RANK=1")
        self.job = Job(3, "moving", "240", "--weft-memory=64MiB", launch=launch)
        most = {}
        while self.job.process.poll() is None:
            for pid in worker_processes(self.job):
                most[pid] = max(most.get(pid, 0), spilled_by(pid, self.job.scratch.name))
            time.sleep(0.05)
        code, out, errors = self.job.end()
        self.assertEqual((code, f"moved {240 * 239}\n" in out), (0, True), out + errors)
        self.assertRegex(errors, r"\[1[^]]*\] a write was refused: this disk is full\n")
        self.assertNotRegex(errors, r"\[[02][^]]*\] a write was refused")
        self.assertGreater(sum(most.values()), 100 << 20, "the others' disks took something")
        self.assertNotIn("started again", errors)
        self.check_nothing_left()

    def test_strangers_at_every_port_cost_no_answer_and_are_told_of(self):
        self.job = Job(3, "watched", "-")
        self.job.until("working")
        ports = listening(weft_processes(self.job))
        self.assertGreaterEqual(len(ports), 5)  # rank 0's two, and one a worker
        dice = random.Random(3)
        kept = []
        for place in ports:
            for turn in range(8):
                try:
                    stranger = socket.create_connection(place, timeout=5)
                    if turn % 2 == 0:
                        stranger.sendall(dice.randbytes(dice.randrange(1, 3000)))
                    kept.append(stranger)
                except OSError:
                    pass  # it was closed in the middle: as it should
        code, out, errors = self.job.end()
        for stranger in kept:
            stranger.close()
        self.assertEqual((code, WATCHED_SUM in out), (0, True), errors)
        self.assertIn("was refused", errors)
        self.check_nothing_left()

    def test_a_job_of_one_node_listens_on_loopback_only(self):
        self.job = Job(3, "watched", "-")
        self.job.until("working")
        addresses = {address for address, _ in listening(weft_processes(self.job))}
        code, _, errors = self.job.end()
        self.assertEqual((code, addresses), (0, {"127.0.0.1"}), errors)

    def test_both_paths_and_ucx_give_the_same_answers(self):
        for words in (["--weft-transport=tcp"], ["--weft-transport=tcp", "--weft-compress=zstd"], ["--weft-transport=ucx"]):
            with self.subTest(words=words):
                code, out, errors = self.run_job(3, "moving", "40", *words)
                if "without UCX" in errors:
                    continue
                self.assertEqual((code, "moved 1560\n" in out), (0, True), errors)
                self.tearDown()
                self.job = None

    def test_ucx_over_tcp_alone_works(self):
        code, out, errors = self.run_job(2, "plain", "-", "--weft-transport=ucx", variables={"UCX_TLS": "tcp,self"})
        if "without UCX" in errors:
            self.skipTest("this build has no UCX")
        self.assertEqual((code, "map 332833500\n" in out), (0, True), errors)

    def test_a_launcher_that_binds_each_rank_to_one_core_is_named(self):
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("there is only one core")
        code, out, errors = self.run_job(2, "plain", "-", launch=("--oversubscribe", "--bind-to", "core"))
        self.assertEqual((code, "map 332833500\n" in out), (0, True), errors)
        self.assertRegex(errors, r"note: rank 0 on .* is bound to 1 of \d+ cores; to use all: mpirun --bind-to none")

    def test_impossible_numbers_of_workers_are_one_sentence(self):
        for words, sentence in ((["--weft-workers=7"], "7 workers are asked for, but the launcher started 2 ranks"),
                                (["--weft-workers=-1"], "'-1' is not a whole number"),
                                (["--weft-workers=some"], "'some' is not a whole number")):
            with self.subTest(words=words):
                code, _, errors = self.run_job(2, "plain", "-", *words)
                self.assertEqual((code, errors.count(sentence)), (1, 1), errors)
                self.tearDown()
                self.job = None

    def test_more_workers_than_one_process_says_how_to_start_more(self):
        done = subprocess.run([PROGRAM, "plain", "-", "--weft-workers=4"], env=environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("4 workers are asked for, but this is one process; start the program with mpirun -n 4", done.stderr)

    def test_a_clock_that_jumps_changes_nothing(self):
        begin = time.monotonic()
        for words, answer in ((["watched", "-"], WATCHED_SUM), (["plain", "-"], "map 332833500\n")):
            code, out, errors = self.run_job(3, *words, "--weft-walltime=1h",
                                             launch=("--oversubscribe", "--bind-to", "none", "-x", f"LD_PRELOAD={CLOCK}"))
            self.assertEqual((code, answer in out), (0, True), errors)
            self.assertNotIn("exit code will be 75", errors)
            self.assertNotIn("no sign of life", errors)
            self.tearDown()
            self.job = None
        self.assertLess(time.monotonic() - begin, 60)

    def test_eight_jobs_of_one_user_on_one_host_do_not_meet(self):
        jobs = [Job(2, "plain", "-") for _ in range(8)]
        try:
            for job in jobs:
                code, out, errors = job.end(timeout=120)
                self.assertEqual((code, "map 332833500\n" in out), (0, True), errors)
                self.assertNotIn("was refused", errors)
        finally:
            for job in jobs:
                self.job = job
                self.tearDown()
            self.job = None

    def test_the_address_file_is_for_its_user_alone_and_goes_with_the_job(self):
        with tempfile.TemporaryDirectory() as folder:
            marker = f"address-{os.getpid()}"
            ranks = [subprocess.Popen([PROGRAM, "endless", "-", f"--weft-address-file={folder}/job", f"--weft-spill-dir={folder}"],
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                      env=environment(WEFT_RANK=str(rank), WEFT_RANKS="2", WEFT_TEST_JOB=marker))
                     for rank in (0, 1)]
            self.assertIn("working", ranks[0].stdout.readline())
            self.assertEqual(os.stat(f"{folder}/job").st_mode & 0o777, 0o600)
            secret = Path(f"{folder}/job").read_bytes()
            for pid in processes(f"WEFT_TEST_JOB={marker}"):
                for what in ("cmdline", "environ"):
                    self.assertNotIn(secret.split()[-1], Path(f"/proc/{pid}/{what}").read_bytes(), what)
            ranks[0].send_signal(signal.SIGTERM)
            for rank in ranks:
                rank.communicate(timeout=30)
            end = time.monotonic() + 5
            while processes(f"WEFT_TEST_JOB={marker}") and time.monotonic() < end:
                time.sleep(0.05)
            self.assertEqual(processes(f"WEFT_TEST_JOB={marker}"), [])


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "only root can become two users")
class TwoUsersTest(unittest.TestCase):
    """Jobs of two users on one node, and what one can do to the other's."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        os.chmod(self.folder.name, 0o755)
        self.program = f"{self.folder.name}/program"
        shutil.copy(PROGRAM, self.program)
        os.chmod(self.program, 0o755)
        self.users = []
        for name in ("daemon", "nobody"):
            user = pwd.getpwnam(name)
            home = f"{self.folder.name}/{name}"
            os.mkdir(home, 0o700)
            os.chown(home, user.pw_uid, user.pw_gid)
            self.users.append((user, home))

    def tearDown(self):
        self.folder.cleanup()

    @staticmethod
    def become(user):
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def start(self, which, what):
        user, home = self.users[which]
        return subprocess.Popen([*self.become(user), MPIRUN, "--oversubscribe", "--bind-to", "none", "-n", "2", self.program, what, "-",
                                 f"--weft-spill-dir={home}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=home,
                                env=environment(HOME=home, TMPDIR=home, USER=user.pw_name, WEFT_TEST_JOB=f"user-{os.getpid()}-{which}"))

    def test_jobs_of_two_users_do_not_meet(self):
        jobs = [self.start(which, "watched") for which in (0, 1)]
        for job, (_, home) in zip(jobs, self.users):
            out, errors = job.communicate(timeout=90)
            self.assertEqual((job.returncode, WATCHED_SUM in out), (0, True), errors)
            self.assertEqual([name for name in os.listdir(home) if "weft" in name], [])

    def test_another_user_can_neither_look_into_a_job_nor_join_it(self):
        job = self.start(0, "endless")
        try:
            self.assertIn("working", job.stdout.readline())
            pids = [pid for pid in processes(f"WEFT_TEST_JOB=user-{os.getpid()}-0")
                    if os.path.realpath(f"/proc/{pid}/exe") == self.program]
            ports = listening(pids)
            self.assertGreaterEqual(len(ports), 4)
            done = subprocess.run([*self.become(self.users[1][0]), sys.executable, "-c", INTRUDER, repr(pids), repr(ports)],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, "kept out\n"), done.stdout + done.stderr)
        finally:
            job.send_signal(signal.SIGTERM)
            _, errors = job.communicate(timeout=30)
        self.assertIn("was refused", errors)


# What the other user tries. Says what succeeded.
INTRUDER = """
import ast, os, socket, sys
pids, ports = ast.literal_eval(sys.argv[1]), ast.literal_eval(sys.argv[2])
done = []
for pid in pids:
    for what in (f"/proc/{pid}/environ", f"/proc/{pid}/mem", f"/proc/{pid}/fd/3", f"/proc/{pid}/fd/4"):
        try:
            open(what, "rb").read(1)
            done.append("read " + what)
        except OSError:
            pass
    try:
        os.listdir(f"/proc/{pid}/fd")
        done.append(f"listed the descriptors of {pid}")
    except OSError:
        pass
    try:
        os.kill(pid, 0)
        done.append(f"signalled {pid}")
    except OSError:
        pass
# A greeting as each side's protocol has it, with a proof made up: it is closed without a word of what the job holds.
magic = b"weft launch" + bytes([3])
for place in ports:
    for greeting in (len(magic + bytes(64)).to_bytes(4, "little") + magic + bytes(64), os.urandom(300)):
        with socket.create_connection(place, timeout=15) as one:
            got = b""
            try:
                one.sendall(greeting)
                while len(got) < 10_000:
                    part = one.recv(4096)
                    if not part:
                        break
                    got += part
                else:
                    done.append(f"heard {len(got)} bytes from {place}")
            except (ConnectionError, BrokenPipeError):
                pass
            except TimeoutError:
                done.append(f"{place} did not close")
            if len(got) > 200:
                done.append(f"heard {len(got)} bytes from {place}")
print("; ".join(done) or "kept out")
"""


for name in [name for name in vars(job_test.JobTest) if name.startswith("test_")]:
    setattr(BadDaysTest, name, None)  # those of the base are run by job_test.py

if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])
