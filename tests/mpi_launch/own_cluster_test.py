#!/usr/bin/env python3
"""Tests programs that start their own workers, with real processes. usage: own_cluster_test.py CLUSTER_JOB MPIRUN OTHER_PROGRAM"""
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

PROGRAM, MPIRUN, OTHER = (str(Path(word).resolve()) for word in sys.argv[1:4])

# Stands in for ssh: the host "far" is this machine, others are not there.
SSH = """#!/bin/sh
while [ "$1" != -- ]; do shift; done
if [ "$2" != far ] && [ "$2" != away ]; then echo "ssh: connect to host $2 port 22: Connection refused" >&2; exit 255; fi
echo "$2" >>"$(dirname "$0")/hosts"
cd / && exec bash -c "$3"
"""
SPEC = """#!/bin/bash
case $1 in
  start) sh "$2" >/dev/null 2>&1 & echo $!; disown ;;
  ended) kill -0 $2 2>/dev/null || echo "is gone" ;;
  stop) kill -9 $2 2>/dev/null ;;
esac
exit 0
"""


class OwnClusterTest(unittest.TestCase):
    count = 0

    def setUp(self):
        OwnClusterTest.count += 1
        self.marker = f"own-{os.getpid()}-{OwnClusterTest.count}"
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = Path(self.scratch.name)
        (self.folder / "tmp").mkdir()
        (self.folder / "bin").mkdir()
        self.variables = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
        self.variables.update(WEFT_CONFIG="none", WEFT_TEST_OWN=self.marker, TMPDIR=str(self.folder / "tmp"),
                              PATH=f"{self.folder}/bin:{os.environ['PATH']}", OMPI_ALLOW_RUN_AS_ROOT="1",
                              OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")

    def tearDown(self):
        for process in self.processes():
            os.kill(process, signal.SIGKILL)
        self.scratch.cleanup()

    def script(self, name, text):
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def processes(self):
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    state = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0]
                    if state != "Z" and f"WEFT_TEST_OWN={self.marker}".encode() in (folder / "environ").read_bytes():
                        found.append(int(folder.name))
                except OSError:
                    pass
        return found

    def start(self, *words, program=PROGRAM):
        return subprocess.Popen([program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.variables, cwd=self.folder)

    def run_job(self, *words, code=0, program=PROGRAM):
        process = self.start(*words, program=program)
        out, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, code, out + errors)
        self.check_nothing_left()
        return out, errors

    def check_nothing_left(self, within=20.0):
        end = time.monotonic() + within
        # A process that begins while another one ends may be missed by one look, not by three.
        quiet = 0
        while quiet < 3 and time.monotonic() < end:
            quiet = 0 if self.processes() or os.listdir(self.folder / "tmp") else quiet + 1
            time.sleep(0.02)
        left = [self.words_of(process) for process in self.processes()]
        self.assertEqual((left, os.listdir(self.folder / "tmp")), ([], []))

    @staticmethod
    def words_of(process):
        try:
            return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            return "(gone)"

    def until(self, process, text):
        for line in process.stdout:
            if text in line:
                return line
        raise AssertionError(f"never saw {text}: {process.stderr.read()}")

    def test_workers_of_this_machine_run_the_tasks_and_end_with_the_program(self):
        out, errors = self.run_job("local", "plain")
        self.assertEqual((out, errors), ("processes 2\nsum 70210\n", ""))

    def test_a_cluster_grows_and_shrinks_as_it_is_told(self):
        out, errors = self.run_job("local", "scale")
        self.assertEqual((out, errors), ("processes 2\nsum 70210\none 1\nsum 70210\nthree 3\n", ""))

    def test_a_cluster_adapts_to_its_work_and_keeps_the_last_worker_that_holds_a_result(self):
        out, errors = self.run_job("local", "adapt")
        self.assertEqual((out, errors), ("none 1\nsum 70210\nfewer 1\nkept 1 2\n", ""))

    def test_a_process_may_have_one_cluster_after_the_other(self):
        out, _ = self.run_job("local", "again")
        self.assertIn("again 49\n", out)
        out, _ = self.run_job("local", "twice")
        self.assertIn("refused 1\n", out)

    def test_the_address_file_is_its_users_alone_and_no_secret_is_on_a_command_line(self):
        process = self.start("local", "file")
        file = Path(process.stdout.readline().strip())
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(file.parent.stat().st_mode), 0o700)
        endpoint, secret = file.read_text().splitlines()[1:3]
        self.assertTrue(endpoint.startswith("127.0.0.1:"), endpoint)
        for pid in self.processes():
            for kind in ("cmdline", "environ"):
                try:
                    self.assertNotIn(secret.encode(), Path(f"/proc/{pid}/{kind}").read_bytes())
                except OSError:
                    pass
        process.communicate(timeout=60)
        self.check_nothing_left()

    def test_nothing_is_left_however_the_program_ends(self):
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            process = self.start("local", "waits")
            self.until(process, "waiting")
            process.send_signal(how)
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, -how)
            self.check_nothing_left()
        _, errors = self.run_job("local", "throws", code=3)
        self.assertIn("the program's own mistake", errors)

    def test_a_worker_that_is_killed_with_its_supervisor_is_replaced_and_told_of(self):
        process = self.start("local", "loses")
        self.until(process, "losing")
        supervisors = [pid for pid in self.processes() if b"WEFT_INTERNAL_JOIN=" in Path(f"/proc/{pid}/environ").read_bytes()]
        os.kill(supervisors[0], signal.SIGKILL)
        out, errors = process.communicate(timeout=120)
        self.assertEqual((process.returncode, out), (0, "back 2\n"), errors)
        self.assertRegex(errors, "worker [01] of the cluster was killed by signal 9; another one takes its place")
        self.check_nothing_left()

    def test_a_worker_whose_process_alone_is_killed_is_started_again_in_place(self):
        process = self.start("local", "loses")
        self.until(process, "losing")
        supervisors = [pid for pid in self.processes() if b"WEFT_INTERNAL_JOIN=" in Path(f"/proc/{pid}/environ").read_bytes()]
        worker = Path(f"/proc/{supervisors[0]}/task/{supervisors[0]}/children").read_text().split()[0]
        os.kill(int(worker), signal.SIGKILL)
        out, errors = process.communicate(timeout=120)
        self.assertEqual((process.returncode, out), (0, "back 2\n"), errors)
        self.assertRegex(errors, r"signal 9 \(Killed\).*; it is started again")
        self.assertNotIn("takes its place", errors)
        self.check_nothing_left()

    def test_workers_are_reached_by_ssh(self):
        self.script("ssh", SSH)
        out, errors = self.run_job("ssh:far,away", "before")
        self.assertEqual((out, errors), ("processes 2\nsum 70210\nbefore there\nfolder 1\n", ""))
        self.assertEqual(sorted((self.folder / "bin" / "hosts").read_text().split()), ["away", "far"])

    def test_links_are_encrypted_where_that_is_asked_for(self):
        self.variables["WEFT_TLS"] = "on"
        self.script("ssh", SSH)
        for kind in ("local", "ssh:far,away"):
            process = self.start(kind, "plain")
            out, errors = process.communicate(timeout=120)
            if "without OpenSSL" in errors:
                self.skipTest("this weft cannot encrypt")
            self.assertEqual((process.returncode, out, errors), (0, "processes 2\nsum 70210\n", ""))
            self.check_nothing_left()

    def test_hosts_that_cannot_be_reached_are_named_and_end_the_wait(self):
        self.script("ssh", SSH)
        _, errors = self.run_job("ssh:nowhere", "plain", code=3)
        self.assertIn("the worker on nowhere ended with exit code 255: ssh: connect to host nowhere port 22: Connection refused",
                      errors)
        self.assertRegex(errors, r"ended: Cluster::wait: 4 workers of the cluster have ended by themselves, the last: .*refused")
        self.assertIn("no more workers are started", errors)

    def test_tasks_fail_with_the_reason_when_no_worker_will_come(self):
        self.script("ssh", SSH)
        _, errors = self.run_job("ssh:nowhere", "never", code=3)
        self.assertRegex(errors, "ended: .*no worker is left to run this task: 4 workers of the cluster have ended by themselves, "
                                 "the last: .*Connection refused")

    def test_another_program_under_the_same_path_is_refused_with_both_named(self):
        self.script("ssh", SSH.replace('exec bash -c "$3"', f"exec bash -c \"$(printf %s \"$3\" | sed 's|{PROGRAM}|{OTHER}|')\""))
        _, errors = self.run_job("ssh:far", "plain", code=3)
        self.assertRegex(errors, f"the worker on far ended with exit code 1: .*rank 0 on .* runs {PROGRAM} .*, but rank [0-9]+ on .* "
                                 f"runs {OTHER} .*: they are different programs")

    def test_a_program_that_is_not_there_is_told_of(self):
        self.script("ssh", SSH.replace('exec bash -c "$3"', "exec bash -c \"$(printf %s \"$3\" | sed 's|/cluster_job|/absent|')\""))
        _, errors = self.run_job("ssh:far", "plain", code=3)
        self.assertRegex(errors, "the worker on far ended with exit code 127: .*absent.*No such file")

    def test_a_batch_system_that_is_not_there_is_a_sentence(self):
        self.variables["PATH"] = f"{self.folder}/bin"
        for name in ("sh", "rm", "sleep", "env"):
            os.symlink(shutil.which(name), self.folder / "bin" / name)
        _, errors = self.run_job("pbs", "never", code=3)
        self.assertRegex(errors, r"ended: no worker's job could be handed in \(exit code 127\): .*qsub.*not found")
        self.assertIn("is this a host that jobs are submitted from?", errors)

    def test_a_job_that_waits_for_long_is_told_of_and_cancelled_at_the_end(self):
        self.script("qsub", "#!/bin/sh\necho 17.server\n")
        self.script("qstat", "#!/bin/sh\n[ -e $0.gone ] && { echo qstat: Unknown Job Id >&2; exit 153; }\necho '    job_state = Q'\n")
        self.script("qdel", "#!/bin/sh\necho \"$1\" >>$0.log; touch $(dirname $0)/qstat.gone\n")
        self.variables["WEFT_TEST_PATIENCE"] = "0.5"
        for how in (signal.SIGTERM, signal.SIGKILL):
            process = self.start("pbs", "never")
            while "has not joined after" not in (line := process.stderr.readline()):
                self.assertNotEqual(line, "")
            self.assertRegex(line, "worker 0 of the cluster has not joined after [0-9]+ s: job 17.server is Q; ")
            process.send_signal(how)
            process.communicate(timeout=60)
            self.check_folder_is_empty()
            self.assertEqual((self.folder / "bin" / "qdel.log").read_text(), "17.server\n")
            (self.folder / "bin" / "qdel.log").unlink()
            (self.folder / "bin" / "qstat.gone").unlink()

    def check_folder_is_empty(self):
        end = time.monotonic() + 5
        while list(self.folder.glob("weft-cluster-*")) and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(list(self.folder.glob("weft-cluster-*")), [])

    def test_workers_may_be_started_in_any_way(self):
        out, errors = self.run_job(f"spec:{self.script('start', SPEC)}", "scale")
        self.assertIn("processes 2\nsum 70210\none 1\nsum 70210\nthree 3\n", out, errors)

    def test_under_mpirun_a_cluster_is_refused(self):
        done = subprocess.run([MPIRUN, "--oversubscribe", "-n", "2", PROGRAM, "local", "plain"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=self.variables, cwd=self.folder, timeout=60, check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("has its workers already", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
