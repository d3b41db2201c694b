#!/usr/bin/env python3
"""Tests `weft each`: a farm of subprocesses. usage: each_test.py WEFT [MPIEXEC]"""
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import unittest

WEFT = os.path.abspath(sys.argv[1])
MPIEXEC = sys.argv[2] if len(sys.argv) > 2 else ""
RANKS = [MPIEXEC, "-n", "3", "--oversubscribe", "--allow-run-as-root"]


def environment(**variables):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    kept.update(variables)
    return kept


def until(holds, seconds=30):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def runs(command):
    """Whether any process has this command line."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if file.read().decode(errors="replace").split("\0")[:-1] == command.split():
                    return True
        except OSError:
            pass
    return False


class EachTest(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.folder = self.place.name

    def tearDown(self):
        self.place.cleanup()

    def each(self, *words, stdin="", launcher=(), **variables):
        return subprocess.run([*launcher, WEFT, "each", *words], capture_output=True, text=True, input=stdin, timeout=120,
                              cwd=self.folder, env=environment(**variables))

    def lines(self, name):
        with open(os.path.join(self.folder, name)) as file:
            return file.read().splitlines()

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_places_are_filled_as_gnu_parallel_does(self):
        item = "a dir/b.c.nc"
        done = self.each("echo {} {.} {/} {//} {/.} {#}", item)
        self.assertEqual(done.stdout, "a dir/b.c.nc a dir/b.c b.c.nc a dir b.c 1\n")
        for given, wanted in (("plain", "plain plain plain . plain"), ("/x", "/x /x x / x"), ("d.e/f", "d.e/f d.e/f f d.e f")):
            self.assertEqual(self.each("echo {} {.} {/} {//} {/.}", given).stdout, wanted + "\n")
        self.assertEqual(self.each("echo", ":::", "a", "b", "--keep-order").stdout, "a\nb\n")
        self.assertEqual(self.each("echo {x} {", "a").stdout, "{x} { a\n")

    def test_items_are_one_word_whatever_they_hold(self):
        nasty = ["a b", "$(touch pwned)", "it's", '"', "*", ";ls", "`id`", "-n x", "\\", "ü", "a\tb", "~", "#x"]
        done = self.each("printf '%s\\n' {}", "--keep-order", stdin="\n".join(nasty) + "\n\n")
        self.assertEqual(done.stdout.splitlines(), nasty, done.stderr)
        self.assertFalse(os.path.exists(self.path("pwned")))
        done = self.each("printf %s {} | wc -l", "--null", stdin="two\nlines\0")
        self.assertEqual(done.stdout.strip(), "1")

    def test_every_item_runs_once_and_outputs_stay_whole(self):
        items = [str(i) for i in range(300)]
        done = self.each("echo {} begins; echo {} ends; echo {} >> ran", "--jobs", "8", stdin="\n".join(items))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(self.lines("ran")), sorted(items))
        out = done.stdout.splitlines()
        self.assertEqual(sorted(out[::2]), sorted(f"{i} begins" for i in items))
        self.assertEqual([line.split()[0] for line in out[::2]], [line.split()[0] for line in out[1::2]])
        self.assertIn("300 of 300 done", done.stderr)

    def test_outputs_keep_the_order_of_items_and_carry_them_when_asked(self):
        done = self.each("sleep 0.$((3 - {#})); echo x; echo y", "a", "b", "c", "--keep-order", "--tag", "--jobs", "3")
        self.assertEqual(done.stdout, "".join(f"{item}\t{word}\n" for item in "abc" for word in "xy"))
        done = self.each("echo oops >&2; printf unended", "a", "--quiet")
        self.assertEqual((done.stdout, done.stderr), ("unended\n", "[a] oops\n"))

    def test_no_more_run_at_once_than_asked_for(self):
        count = "mkdir {}.run; ls -d *.run | wc -l; sleep 0.2; rmdir {}.run"
        for words, most in ((["--jobs", "3"], 3), (["--jobs", "4", "--cores", "2"], 2), (["--weft-scheduler=sync"], 1)):
            done = self.each(count, *"abcdefgh", *words)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(max(int(line) for line in done.stdout.splitlines()), most, words)

    def test_failures_are_named_with_their_last_words_and_end_with_1(self):
        done = self.each("echo a word about {} >&2; test {} != bad || exit 3", "good", "bad", "fine")
        self.assertEqual(done.returncode, 1)
        self.assertIn("2 of 3 done, 1 failed", done.stderr)
        self.assertIn("  bad: exit 3: a word about bad", done.stderr)
        self.assertIn("signal 9", self.each("kill -9 $$; :", "x").stderr)
        self.assertIn("exit 127", self.each("no_such_program", "x", "--quiet").stderr)

    def test_what_fails_is_tried_again_as_often_as_asked(self):
        once = "echo {} >> tries; test $(grep -c {} tries) -gt 1"
        done = self.each(once, "a", "b", "--retries", "1", "--retry-delay", "100ms")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(self.lines("tries")), ["a", "a", "b", "b"])
        self.assertIn("2 failures tried again", done.stderr)
        done = self.each("false", "a", "--retries", "2")
        self.assertIn("a: exit 1 in each of 3 tries", done.stderr)

    def test_what_takes_too_long_is_ended_with_what_it_started(self):
        begin = time.monotonic()
        done = self.each("(sleep 77; :) & sleep 78; :", "a", "--timeout", "300ms")
        self.assertLess(time.monotonic() - begin, 20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("longer than the timeout", done.stderr)
        self.assertFalse(runs("sleep 77") or runs("sleep 78"))

    def test_a_daemon_does_not_hold_its_item_up(self):
        begin = time.monotonic()
        done = self.each("sleep 5 & echo started {}", "a")
        self.assertEqual(done.stdout, "started a\n")
        self.assertLess(time.monotonic() - begin, 4)

    def test_a_journal_leaves_out_what_is_done(self):
        words = ["echo {} >> ran; test ! -e block -o {} != b", "--journal", "done.jsonl"]
        open(self.path("block"), "w").close()
        self.assertEqual(self.each(*words, "a", "b", "c").returncode, 1)
        with open(self.path("done.jsonl"), "a") as file:
            file.write('{"item":"torn')  # as a crash leaves it
        os.remove(self.path("block"))
        plan = self.each(*words, "a", "b", "c", "--dry-run")
        self.assertEqual(len(plan.stdout.splitlines()), 1)
        done = self.each(*words, "a", "b", "c")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 were done before", done.stderr)
        self.assertEqual(sorted(self.lines("ran")), ["a", "b", "b", "c"])
        # The same line twice is two items.
        self.each(*words, "a", "a", "b", "c")
        self.assertEqual(sorted(self.lines("ran")), ["a", "a", "b", "b", "c"])
        records = [json.loads(line) for line in self.lines("done.jsonl")]
        self.assertEqual([one["exit"] for one in records if one["item"] == "b"], [1, 0])

    def test_a_file_that_is_no_journal_is_left_alone(self):
        with open(self.path("list"), "w") as file:
            file.write("a\nb")
        done = self.each("true", "a", "--journal", "list")
        self.assertEqual(done.returncode, 1)
        self.assertIn("'list' is no journal", done.stderr)
        self.assertEqual(self.lines("list"), ["a", "b"])

    def test_a_run_that_was_killed_goes_on_where_it_was(self):
        words = [WEFT, "each", "echo {} >> ran; sleep 0.05", "--journal", "j", "--jobs", "2", *map(str, range(60))]
        for how in (signal.SIGKILL, signal.SIGTERM):
            job = subprocess.Popen(words, cwd=self.folder, env=environment(), stderr=subprocess.DEVNULL)
            before = len(self.lines("j")) if os.path.exists(self.path("j")) else 0
            until(lambda: os.path.exists(self.path("j")) and len(self.lines("j")) >= before + 10)
            job.send_signal(how)
            self.assertEqual(job.wait(30), -how)
        done = subprocess.run(words, cwd=self.folder, env=environment(), capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        ran = self.lines("ran")
        self.assertEqual(set(ran), {str(i) for i in range(60)})
        self.assertLess(len(ran), 60 + 12)  # what ran at the two ends, and no more

    def test_ending_the_run_ends_what_it_started(self):
        job = subprocess.Popen([WEFT, "each", "sleep 88; :", "a"], cwd=self.folder, env=environment(), stderr=subprocess.DEVNULL)
        until(lambda: runs("sleep 88"))
        job.terminate()
        self.assertEqual(job.wait(30), -signal.SIGTERM)
        until(lambda: not runs("sleep 88"))

    def test_the_end_of_the_time_means_75_and_to_be_continued(self):
        words = ["echo {} >> ran; sleep 0.2", *map(str, range(40)), "--jobs", "2", "--journal", "j"]
        done = self.each(*words, "--weft-walltime=2s", "--weft-walltime-margin=1s")
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertIn("run it again", done.stderr)
        ended = len(self.lines("j"))
        self.assertTrue(0 < ended < 40)
        done = self.each(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{ended} were done before", done.stderr)
        self.assertEqual(set(self.lines("ran")), {str(i) for i in range(40)})

    def test_too_many_failures_stop_the_rest(self):
        begin = time.monotonic()
        done = self.each("test {} -ge 2 && sleep 30; exit 1", *map(str, range(200)), "--halt", "2", "--jobs", "3")
        self.assertLess(time.monotonic() - begin, 15)
        self.assertEqual(done.returncode, 1)
        self.assertIn("2 failed, 198 not run", done.stderr)

    def test_json_has_a_line_for_each_item(self):
        done = self.each("printf 'out\\377'; echo err >&2; exit {}", "0", "5", "--json", "--keep-order")
        good, bad = (json.loads(line) for line in done.stdout.splitlines())
        self.assertEqual((good["item"], good["number"], good["exit"], good["out"], good["err"]), ("0", 1, 0, "out\ufffd", "err\n"))
        self.assertEqual((bad["exit"], bad["tries"]), (5, 1))
        self.assertEqual(done.returncode, 1)

    def test_results_go_to_a_folder_when_asked(self):
        done = self.each("echo out {}; echo err {} >&2; test {} = a", "a", "b", "--results", "all")
        self.assertEqual((done.stdout, done.returncode), ("", 1))
        self.assertEqual((self.lines("all/1.out"), self.lines("all/2.err")), (["out a"], ["err b"]))
        self.assertIn("b: exit 1: err b", done.stderr)

    def test_output_without_end_is_refused(self):
        done = self.each("cat /dev/zero", "a")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--results", done.stderr)

    def test_wrong_words_end_with_2_and_say_what_is_meant(self):
        for words, part in ((["true", "a", "--retrys", "1"], "--retries"), (["true", "a", "--jobs", "0"], "from 1 on"),
                            (["true", "a", "--retries", "x"], "is no number"), ([], "takes COMMAND"),
                            (["true", "a", "--timeout", "soon"], "soon")):
            done = self.each(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn(part, done.stderr)
        self.assertIn("no such list", self.each("true", "--list", "nowhere").stderr)
        self.assertIn("no worker", self.each("true", "a", "--jobs", "1", "--cores", "7").stderr)

    def test_a_list_is_run_again_at_an_interval(self):
        begin = time.monotonic()
        done = self.each("date +%s.%N >> ran; echo {}", "a", "--every", "500ms", "--times", "3")
        self.assertEqual((done.returncode, done.stdout), (0, "a\n" * 3), done.stderr)
        self.assertGreaterEqual(time.monotonic() - begin, 1)
        first, second, third = map(float, self.lines("ran"))
        # From the first start on, not from the end of the pass before.
        self.assertAlmostEqual(second - first, 0.5, delta=0.2)
        self.assertAlmostEqual(third - first, 1, delta=0.2)
        self.assertIn("weft each: pass 3: 1 of 1 done", done.stderr)
        self.assertRegex(done.stderr, "the next pass begins at [0-9]+:[0-9]+:[0-9]+\n")
        done = self.each("echo {}", "a", "--every", "10ms", "--times", "2", "--quiet", "--json", "--weft-scheduler=sync")
        self.assertEqual(([json.loads(line)["pass"] for line in done.stdout.splitlines()], done.stderr), ([1, 2], ""))

    def test_passes_never_overlap_and_starts_are_left_out_and_said(self):
        done = self.each(": {}; mkdir busy && sleep 0.5; rmdir busy", "a", "--every", "200ms", "--times", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, "pass 1 took longer than --every 200ms: [2-9] starts left out; the next")

    def test_a_pass_that_fails_does_not_keep_the_next_from_running(self):
        done = self.each("echo {} >> ran; test -e now || { touch now; exit 3; }", "a", "--every", "50ms", "--times", "3")
        self.assertEqual((done.returncode, self.lines("ran")), (1, ["a"] * 3))
        self.assertIn("pass 1: 0 of 1 done, 1 failed", done.stderr)
        self.assertIn("pass 3: 1 of 1 done", done.stderr)
        self.assertNotIn("--journal", done.stderr)  # it is run again by itself
        begin = time.monotonic()
        done = self.each("false", "a", "--every", "1h", "--halt", "1")
        self.assertLess(time.monotonic() - begin, 30)
        self.assertEqual(done.returncode, 1)

    def test_with_a_journal_later_passes_run_what_is_new_or_failed(self):
        with open(self.path("list"), "w") as file:
            file.write("a\nb\n")
        words = [WEFT, "each", "echo {} >> ran; test {} != b -o -e ok || { touch ok; exit 3; }",
                 "--list", "list", "--journal", "j", "--every", "100ms", "--results", "r"]
        job = subprocess.Popen(words, cwd=self.folder, env=environment(), stderr=subprocess.PIPE, text=True)
        until(lambda: os.path.exists(self.path("ran")) and len(self.lines("ran")) == 3)
        os.rename(self.path("list"), self.path("hidden"))  # said, and no end
        said = ""
        while "no such list" not in said:
            said = job.stderr.readline()
            self.assertTrue(said)
        with open(self.path("hidden"), "a") as file:
            file.write("c\n")
        os.rename(self.path("hidden"), self.path("list"))
        until(lambda: len(self.lines("ran")) == 4)
        self.assertIn("in use by another weft each", self.each("true", "--list", "list", "--journal", "j").stderr)
        while "0 of 3 done, 3 were done before" not in said:
            said = job.stderr.readline()
            self.assertTrue(said)
        job.send_signal(signal.SIGINT)  # between two passes, most likely
        job.communicate(timeout=30)
        self.assertEqual(job.returncode, -signal.SIGINT)
        self.assertEqual([sorted(self.lines("ran")[:2]), self.lines("ran")[2:]], [["a", "b"], ["b", "c"]])
        # No pass writes over the results of another, and one with nothing to do leaves no folder.
        folders = sorted(os.listdir(self.path("r")))
        self.assertEqual(sorted(len(os.listdir(self.path("r/" + one))) for one in folders), [2, 2, 4])

    def test_a_pause_ends_with_the_run_or_with_its_time(self):
        job = subprocess.Popen([WEFT, "each", "echo {} >> ran", "a", "--every", "1h"], cwd=self.folder, env=environment(),
                               stderr=subprocess.PIPE, text=True)
        self.assertIn("pass 1", job.stderr.readline())
        self.assertIn("the next pass begins", job.stderr.readline())
        begin = time.monotonic()
        job.send_signal(signal.SIGINT)
        job.communicate(timeout=30)
        self.assertEqual(job.returncode, -signal.SIGINT)
        done = self.each("echo {} >> ran", "a", "--every", "1h", "--weft-walltime=2s", "--weft-walltime-margin=1s")
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertLess(time.monotonic() - begin, 30)
        self.assertEqual(self.lines("ran"), ["a", "a"])

    def test_wrong_intervals_are_refused_and_a_dry_run_says_the_interval(self):
        for words, part in ((["--every", "0"], "30s, 10min or 1d"), (["--every", "soon"], "'soon' is not a time"),
                            (["--times", "3"], "give both"), (["--every", "1s", "--times", "0"], "from 1 on")):
            done = self.each("true", "a", *words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn(part, done.stderr)
        done = self.each("echo", "a", "--every", "1h", "--dry-run")
        self.assertEqual((done.returncode, done.stdout), (0, "echo a\n"))
        self.assertIn("1 command would run, again every 1h", done.stderr)

    def test_the_examples_of_its_help_run(self):
        with open(self.path("model"), "w") as file:
            file.write("#!/bin/sh\necho model $1\n")
        os.chmod(self.path("model"), 0o755)
        with open(self.path("ncks"), "w") as file:
            file.write("#!/bin/sh\necho \"$@\" > \"$4\"\n")
        os.chmod(self.path("ncks"), 0o755)
        with open(self.path("a.nc"), "w") as file:
            file.write("data")
        with open(self.path("list.txt"), "w") as file:
            file.write("a.nc\n")
        examples = [line.split("#")[0].strip() for line in self.each("--help").stdout.splitlines()[:3]]
        for line in examples:
            done = subprocess.run(line.replace("weft ", shlex.quote(WEFT) + " ", 1), shell=True, cwd=self.folder, timeout=60,
                                  capture_output=True, text=True, env=environment(PATH=f"{self.folder}:{os.environ['PATH']}"))
            self.assertEqual(done.returncode, 0, (line, done.stderr))
        self.assertTrue(os.path.exists(self.path("a.nc.gz")) and os.path.exists(self.path("a_tas.nc")))

    @unittest.skipUnless(MPIEXEC, "no mpirun here")
    def test_ranks_share_the_items_and_a_child_may_be_a_program_of_weft(self):
        done = self.each(f": {{}}; echo $PPID; {WEFT} doctor | grep -c none:; env | grep -c OMPI_COMM",
                         stdin="\n".join(map(str, range(30))), launcher=RANKS)
        self.assertEqual(done.stdout.splitlines()[1::3], ["1"] * 30, done.stderr)
        self.assertEqual(done.stdout.splitlines()[2::3], ["0"] * 30, done.stderr)
        self.assertIn("30 failed", done.stderr)  # the last word is that of grep -c, which found none
        self.assertGreater(len(set(done.stdout.splitlines()[::3])), 1)

    @unittest.skipUnless(MPIEXEC, "no mpirun here")
    def test_a_killed_worker_costs_a_rerun_of_what_it_ran(self):
        # The first try of one item kills the worker that runs it.
        command = "echo {} >> ran; test {} != 20 -o -e killed || { touch killed; kill -9 $PPID; sleep 60.25; }; echo did {}"
        done = self.each(command, "--tag", stdin="\n".join(map(str, range(40))), launcher=RANKS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(done.stdout.splitlines()), sorted(f"{i}\tdid {i}" for i in range(40)))
        ran = self.lines("ran")
        self.assertEqual(ran.count("20"), 2)
        self.assertLess(len(ran), 44)
        self.assertFalse(runs("sleep 60.25"))

    @unittest.skipUnless(MPIEXEC, "no mpirun here")
    def test_a_worker_that_is_killed_between_passes_is_not_missed(self):
        # What the first pass leaves behind kills the worker that ran it, while nothing is under way.
        command = ("echo {} >> ran; test -e killed || { touch killed; "
                   "setsid sh -c \"sleep 0.5; kill -9 $PPID\" > /dev/null 2>&1 & }; :")
        done = self.each(command, "a", "b", "c", "d", "--every", "2s", "--times", "2", launcher=RANKS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("killed by signal 9", done.stderr)
        self.assertEqual(sorted(self.lines("ran")), sorted("abcd" * 2))


if __name__ == "__main__":
    sys.argv[1:] = sys.argv[3:]
    unittest.main(verbosity=1)
