#!/usr/bin/env python3
"""Runs what `weft submit` writes, handed in to batch systems that are pretended, and the lines of docs/running.md for plain hosts.

usage: submit_test.py MPIRUN CLIENT_JOB WEFT SOURCES
"""
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from job_test import environment, processes

MPIRUN, PROGRAM, WEFT, SOURCES = (str(Path(word).resolve()) for word in sys.argv[1:5])

# What each system hands a script in with, runs it in, and runs it again by: a command that is noted, or an exit code.
SYSTEMS = {
    "slurm": ("sbatch", {"SLURM_JOB_ID": "4711"}, "scontrol requeue 4711", 75),
    "pbs": ("qsub", {"PBS_JOBID": "4711.here"}, "qrerun 4711.here", 75),
    "lsf": ("bsub", {"LSB_JOBID": "4711"}, "brequeue 4711", 75),
    "sge": ("qsub", {"JOB_ID": "4711"}, None, 99),
    "oar": ("oarsub", {"OAR_JOB_ID": "4711", "OAR_NODEFILE": "nodes"}, None, 99),
    "htcondor": ("condor_submit", {}, "condor 4711", 75),
}

# Runs the description of standard input as HTCondor does: one script a machine, the first one's end is the job's.
CONDOR = r"""[ "$1 $2" = "-terse -" ] || exit 3
value() { sed -n "s/^$1 = //p" taken; }
cat > taken
[ "$(value universe)" = parallel ] && machines=$(value machine_count) || machines=1
words=$(value arguments | sed "s|\$ENV(SCRIPT)|$SCRIPT|; s/\$(Cluster)/4711/; s/^\"//; s/\"$//")
unset SCRIPT
for ((node = 1; node < machines; ++node)); do eval "$(value executable) ${words//\$(Node)/$node}" & done
eval "$(value executable) ${words//\$(Node)/0}"; code=$?; wait
[ $code = 75 ] && [ "$(value on_exit_remove)" = "ExitBySignal || ExitCode != 75" ] && echo condor 4711 >> again
echo ended with $code"""


class PretendedHosts(unittest.TestCase):
    """A folder whose `bin` stands first in the PATH of what is run there."""

    count = 0

    def setUp(self):
        PretendedHosts.count += 1
        self.here = tempfile.TemporaryDirectory()
        self.folder = Path(self.here.name)
        (self.folder / "bin").mkdir()
        (self.folder / "program").symlink_to(PROGRAM)
        (self.folder / "bin/mpirun").symlink_to(MPIRUN)
        self.marker = f"submit-{os.getpid()}-{PretendedHosts.count}"
        self.variables = environment(WEFT_TEST_JOB=self.marker, WEFT_SPILL_DIR=self.here.name, OMPI_MCA_rmaps_base_oversubscribe="1",
                                     PATH=f"{self.folder}/bin:{os.environ['PATH']}")

    def tearDown(self):
        self.here.cleanup()

    def pretend(self, name, text):
        path = self.folder / "bin" / name
        path.write_text("#!/bin/bash\n" + text + "\n")
        path.chmod(0o755)

    def run_here(self, *words):
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.variables,
                              cwd=self.here.name, timeout=120, check=False)
        end = time.monotonic() + 5
        while processes(f"WEFT_TEST_JOB={self.marker}") and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(processes(f"WEFT_TEST_JOB={self.marker}"), [])
        return done.returncode, done.stdout


class SubmitTest(PretendedHosts):
    def hand_in(self, system, *words, nodes=1):
        """Hands the program in; returns the exit code of its script and what was printed."""
        submit, variables, _, _ = SYSTEMS[system]
        settings = " ".join(f"{name}={value}" for name, value in {**variables, "PBS_O_WORKDIR": self.here.name}.items())
        script = "/dev/stdin" if system == "lsf" else '"${@: -1}"'
        self.pretend(submit, CONDOR if system == "htcondor" else f"cat {script} > taken; {settings} bash taken; echo ended with $?")
        self.pretend("oarsh", 'echo "no other host is needed"; exit 3')
        (self.folder / "nodes").write_text("localhost\nlocalhost\n")
        # As srun starts them where SLURM connects no MPI: each rank is told its number.
        self.pretend("srun", """[ "$1" = --kill-on-bad-exit=1 ] && [ "$2" = --cpu-bind=cores ] && shift 2 || exit 3
export SLURM_STEP_ID=0 SLURM_NTASKS=2 SLURM_STEP_NUM_TASKS=2 SLURM_STEP_NUM_NODES=1
SLURM_PROCID=1 "$@" & SLURM_PROCID=0 "$@"; code=$?; wait; exit $code""")
        for name in ("scontrol", "qrerun", "brequeue"):
            self.pretend(name, f'echo {name} "$@" >> again')
        ranks = ["--nodes", "2"] if nodes == 2 else ["--ranks", "2"]
        code, out = self.run_here(WEFT, "submit", "--scheduler", system, *ranks, "--file", "job.sh", "--now", *words)
        self.assertEqual(code, 0, out)
        self.assertIn("ended with ", out)
        return int(re.search(r"ended with (\d+)", out)[1]), out

    def again(self):
        path = self.folder / "again"
        return path.read_text().strip() if path.exists() else None

    def test_the_script_of_every_system_runs_the_program(self):
        for system in SYSTEMS:
            with self.subTest(system=system):
                code, out = self.hand_in(system, "--time", "10min", "--resume", "--run-before", "export STEP='one two'", "--",
                                         "./program", "plain", "-")
                self.assertEqual(code, 0, out)
                self.assertIn("map 332833500\n", out)
                self.assertIn("2 ranks on 1 node", out)
                self.assertIsNone(self.again())

    def test_the_machines_of_htcondor_meet(self):
        code, out = self.hand_in("htcondor", "--time", "10min", "--", "./program", "plain", "-", nodes=2)
        self.assertEqual(code, 0, out)
        self.assertIn("map 332833500\n", out)
        self.assertIn("2 ranks on 1 node", out)
        self.assertIn("universe = parallel\nmachine_count = 2\n", (self.folder / "taken").read_text())
        self.assertFalse((self.folder / ".weft-4711.address").exists())

    def test_out_of_time_each_system_is_asked_to_run_the_job_again(self):
        for system, (_, _, again, expected) in SYSTEMS.items():
            with self.subTest(system=system):
                (self.folder / "again").unlink(missing_ok=True)
                # The margin is a minute, too.
                code, out = self.hand_in(system, "--time", "61s", "--resume", "--", "./program", "many", "-")
                self.assertEqual((code, self.again()), (expected, again), out)
                self.assertIn("the exit code will be 75", out)

    def test_a_program_that_fails_is_not_run_again(self):
        for system in SYSTEMS:
            with self.subTest(system=system):
                code, out = self.hand_in(system, "--time", "10min", "--resume", "--", "./program", "throw", "-")
                self.assertEqual((code, self.again()), (1, None), out)
                self.assertIn("the body has had enough", out)


class PlainHostsTest(PretendedHosts):
    def setUp(self):
        super().setUp()
        self.pretend("ssh", f'echo "on $1" >> {self.folder}/hosts; shift; exec bash -c "$*"')

    def hosts(self):
        return sorted((self.folder / "hosts").read_text().split("\n")[:-1])

    def test_the_lines_of_the_page_run_a_job_on_three_hosts(self):
        page = (Path(SOURCES) / "docs/running.md").read_text()
        lines = re.search(r"## Plain hosts, by ssh\n.*?```sh\n(.*?)```", page, re.DOTALL)[1]
        code, out = self.run_here("bash", "-c", lines)
        self.assertEqual(code, 0, out)
        self.assertIn("map 332833500\n", out)
        self.assertIn("3 ranks on 1 node", out)
        self.assertEqual(self.hosts(), ["on host0", "on host1", "on host2"])
        self.assertFalse((self.folder / "job.address").exists())

    def test_the_example_for_plain_hosts_passes_words_and_the_exit_code_on(self):
        place = self.folder / "two words"
        place.mkdir()
        start = f"cd '{place}' && HOSTS='near far' bash {SOURCES}/examples/cluster/ssh.sh ../program"
        code, out = self.run_here("bash", "-c", f"{start} dies exit '{place}'")
        self.assertEqual(code, 0, out)
        self.assertIn("sum 79800\n", out)
        self.assertIn("2 ranks on 1 node", out)
        self.assertEqual(self.hosts(), ["on far", "on near"])
        code, out = self.run_here("bash", "-c", f"{start} throw -")
        self.assertEqual((code, out.count("the body has had enough")), (1, 1), out)
        self.assertEqual([name for name in os.listdir(place) if "weft" in name], [])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])
