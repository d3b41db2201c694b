#!/usr/bin/env python3
"""Tests the `weft` command as people use it. usage: command_test.py WEFT VERSION SOURCE_DIR"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

WEFT, VERSION, SOURCE = sys.argv[1], sys.argv[2], Path(sys.argv[3])


def weft(*words, **variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    with tempfile.TemporaryDirectory() as folder:
        environment.update(variables, XDG_CONFIG_HOME=folder)
        return subprocess.run([WEFT, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                              cwd=folder, env=environment)


def row(table, name):
    return next(line for line in table.splitlines() if name in line.split() or f"--weft-{name}" in line.split())


class WeftCommandTest(unittest.TestCase):
    def test_version_names_the_version_then_back_ends_and_libraries(self):
        done = weft("--version")
        lines = done.stdout.splitlines()
        self.assertEqual((done.returncode, lines[0]), (0, f"weft {VERSION}"))
        names = [line.split()[0] for line in lines[1:]]
        for name in ("compiler", "schedulers", "rooms", "fmt", "CLI11"):
            self.assertIn(name, names)

    def test_graph_refuses_what_is_no_graph_file(self):
        done = weft("graph", str(SOURCE / "README.md"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("is no graph file", done.stderr)

    def test_the_scripts_among_the_examples_are_what_submit_writes(self):
        for scheduler in ("slurm", "pbs"):
            done = weft("submit", "--scheduler", scheduler, "--nodes", "2", "--ranks", "2", "--cores", "8", "--time", "2h", "--resume",
                        "--", "./program")
            self.assertEqual(done.stdout, (SOURCE / "examples" / "cluster" / f"{scheduler}.sh").read_text())

    def test_help_names_every_subcommand_and_ends_well(self):
        done = weft("--help")
        self.assertEqual(done.returncode, 0)
        for name in ("config", "replay", "graph"):
            self.assertIn(name, done.stdout)

    def test_help_is_there_at_once(self):
        # The bound is on a release build; sanitizers and debug builds start more slowly.
        bound = 0.020 if "Release" in weft("--version").stdout else 1.0
        best = 10.0
        end = time.monotonic() + 30  # what runs beside it may hold the processor for long
        while best >= bound and time.monotonic() < end:
            begin = time.perf_counter()
            weft("--help")
            best = min(best, time.perf_counter() - begin)
        self.assertLess(best, bound)

    def test_without_a_subcommand_it_says_what_to_do_and_fails(self):
        done = weft()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("--help", done.stdout + done.stderr)

    def test_an_unknown_subcommand_fails(self):
        self.assertNotEqual(weft("konfig").returncode, 0)

    def test_a_misspelt_word_is_answered_with_the_nearest_and_2(self):
        for words, part in ((["konfig"], "did you mean config?"), (["redcue"], "did you mean reduce?"),
                            (["submit", "--schedular", "slurm", "--", "x"], "did you mean --scheduler?"), ([], "--help"),
                            (["replay"], "required"), (["submit", "--nodes", "many", "--scheduler", "slurm", "--", "x"], "--nodes")):
            done = weft(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn(part, done.stderr)

    def test_helps_begin_with_three_examples_and_these_run(self):
        for name in ("config", "demo", "doctor", "submit", "replay", "graph", "scheduler", "worker", "journal", "dump"):
            lines = [line.split("  #")[0].strip() for line in weft(name, "--help").stdout.splitlines()[:3]]
            self.assertTrue(all("weft " in line for line in lines), (name, lines))
            # The last five need a saved graph, a journal, or a program that goes on.
            if name in ("graph", "scheduler", "worker", "journal", "dump"):
                continue
            for line in lines:
                if line.startswith("mpirun") and not shutil.which("mpirun"):
                    continue
                with tempfile.TemporaryDirectory() as folder:
                    os.symlink(os.path.abspath(WEFT), f"{folder}/weft")
                    kept = {key: value for key, value in os.environ.items() if not key.startswith("WEFT_")}
                    kept.update(PATH=f"{folder}:{kept['PATH']}", XDG_CONFIG_HOME=folder, OMPI_ALLOW_RUN_AS_ROOT="1",
                                OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1")
                    if line.endswith("weft demo"):
                        line += " --limit 1000000"  # a test need not count far
                    if name == "replay":
                        line = " && ".join(dict.fromkeys([lines[0], line]))
                    done = subprocess.run(line, shell=True, cwd=folder, env=kept, capture_output=True, text=True, timeout=60,
                                          check=False)
                    self.assertEqual(done.returncode, 0, (line, done.stderr))

    def verbs(self):
        """The names that --help lists."""
        lines = weft("--help").stdout.split("Subcommands:")[1].splitlines()
        return [line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("   ")]

    def test_each_verb_has_a_manual_page_completions_and_a_name_for_misspelt_options(self):
        names = self.verbs()
        self.assertLess({"config", "demo", "doctor", "graph", "replay", "scheduler", "submit", "worker"}, {*names, "reduce"})
        completions = {shell: weft("completions", shell).stdout for shell in ("bash", "zsh", "fish")}
        for name in names:
            text = weft(name, "--help").stdout
            self.assertEqual(weft("help", name).stdout, text)
            self.assertEqual(weft(name, "-h").stdout, text)
            examples = text.splitlines()[:3]
            self.assertTrue(all("weft " in line and " # " in line for line in examples), (name, examples))
            options = [line.split()[0] for line in text.splitlines() if line.startswith("  --")]
            self.assertIn("--man", options)
            manual = weft(name, "--man")
            self.assertEqual((manual.returncode, manual.stderr), (0, ""), name)
            for part in (f".TH WEFT-{name} 1", ".SH SYNOPSIS", ".SH EXAMPLES", ".SH OPTIONS", ".SH EXIT STATUS"):
                self.assertIn(part, manual.stdout)
            for option in options:
                self.assertIn(option.replace("-", "\\-"), manual.stdout, name)
                for shell in ("bash", "zsh"):
                    self.assertIn(f"{option} ", completions[shell], name)
                self.assertIn(f"__fish_seen_subcommand_from {name}' -l {option[2:]} ", completions["fish"])
            wrong = options[0][:-1] + "x"
            done = weft(name, wrong, "a", "b", "c")
            self.assertEqual(done.returncode, 2, (name, done.stderr))
            self.assertIn("did you mean --", done.stderr, (name, wrong))
        self.assertEqual(weft("completions", "tcsh").returncode, 2)
        self.assertEqual(weft("help", "redcue").returncode, 2)
        self.assertIn("did you mean reduce?", weft("help", "redcue").stderr)

    def test_the_verbs_of_the_issue_take_the_same_options(self):
        for name in self.verbs():
            if name in ("scheduler", "worker"):
                continue  # they become a part of somebody's program
            text = weft(name, "--help").stdout
            for option in ("--json", "--quiet", "--dry-run", "--memory"):
                self.assertIn(f"  {option}", text, name)

    def test_completions_are_understood_by_their_shells(self):
        for shell in ("bash", "zsh", "fish"):
            if shutil.which(shell):
                done = subprocess.run([shell, "-n"], input=weft("completions", shell).stdout, text=True, capture_output=True,
                                      check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""), shell)
        if shutil.which("bash"):
            script = weft("completions", "bash").stdout + "\nCOMP_WORDS=(weft doctor --j); COMP_CWORD=2; _weft; echo ${COMPREPLY[@]}\n"
            done = subprocess.run(["bash"], input=script, text=True, capture_output=True, check=False)
            self.assertEqual(done.stdout.strip(), "--json")

    def test_what_programs_read_is_json(self):
        config = json.loads(weft("config", "--json", "--weft-threads=3").stdout)
        self.assertEqual(config["threads"], {"value": "3", "from": "--weft-threads"})
        self.assertEqual(json.loads(weft("config", "--json", "--memory", "1GiB").stdout)["memory"]["from"], "--weft-memory")
        self.assertIn("cores", json.loads(weft("doctor", "--json").stdout)["this host"])
        script = json.loads(weft("submit", "--json", "--scheduler", "slurm", "--", "./program").stdout)
        self.assertEqual(script["script"], weft("submit", "--scheduler", "slurm", "--", "./program").stdout)
        self.assertEqual((script["written"], script["submitted"]), (False, False))
        primes = json.loads(weft("demo", "--limit", "1000000", "--json").stdout)
        self.assertEqual((primes["primes"], sum(primes["tasks_of_processes"].values())), (78498, 1000))
        self.assertEqual(weft("demo", "--limit", "1000000", "--quiet", "--memory", "200MB").stdout, "78498\n")

    def test_a_dry_run_says_and_does_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/job.sh"
            done = weft("submit", "--scheduler", "slurm", "--file", file, "--now", "--dry-run", "--", "./program")
            self.assertEqual((done.returncode, done.stdout[:2]), (0, "#!"))
            self.assertFalse(os.path.exists(file))
            recording = f"{folder}/run.rec"
            self.assertEqual(weft("demo", "--limit", "1000000", f"--weft-record={recording}").returncode, 0)
            size = os.path.getsize(recording)
            self.assertEqual(json.loads(weft("replay", recording, "--dry-run", "--json").stdout), {"stored_bytes": size})
            self.assertTrue(json.loads(weft("replay", recording, "--json").stdout)["same"])
            self.assertEqual(weft("replay", recording, "--quiet").stdout, "")
        self.assertIn("1000000", weft("demo", "--limit", "1000000", "--dry-run").stdout)
        self.assertEqual(weft("doctor", "--dry-run").returncode, 0)
        self.assertEqual(weft("doctor", "--memory", "many").returncode, 2)

    def test_config_shows_where_a_value_came_from(self):
        self.assertIn("default", row(weft("config").stdout, "threads"))
        self.assertIn("WEFT_THREADS", row(weft("config", WEFT_THREADS="3").stdout, "threads"))
        given = row(weft("config", "--weft-threads=5", WEFT_THREADS="3").stdout, "threads")
        self.assertIn("5", given)
        self.assertIn("--weft-threads", given)

    def test_an_unknown_option_fails_with_the_nearest_name(self):
        done = weft("config", "--weft-threds=3")
        self.assertEqual(done.returncode, 2)
        self.assertIn("threads", done.stderr)

    def test_replay_of_what_is_no_recording_fails_with_its_name(self):
        for file in ("/no/such/file", str(SOURCE / "README.md")):
            done = weft("replay", file)
            self.assertEqual(done.returncode, 1)
            self.assertIn(file, done.stderr)

    def test_the_reference_page_is_the_one_the_program_prints(self):
        page = (SOURCE / "docs" / "configuration.md").read_text(encoding="utf-8")
        self.assertEqual(weft("config", "--markdown").stdout, page,
                         "run: weft config --markdown > docs/configuration.md")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
