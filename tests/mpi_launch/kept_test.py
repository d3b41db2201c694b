#!/usr/bin/env python3
"""Tests what a client keeps at its workers when some of them are killed: uploaded files, forwarded lines of the log,
looks at memory. usage: kept_test.py MPIRUN KEPT_JOB"""
import os
import sys
import tempfile
import unittest

import job_test  # reads the first two words


class KeptTest(job_test.JobTest):
    __test__ = True

    def run_in_folder(self, what, *words):
        """Returns what a job of three ranks printed, what it wrote into the folder, and its errors."""
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as temporary:
            code, out, errors = self.run_job(3, what, folder, *words, variables={"TMPDIR": temporary})
            self.assertEqual(code, 0, errors)
            left = [name for name in os.listdir(temporary) if name.startswith("weft-files-")]
            self.assertEqual(left, [], "copies go with their client, also those of workers that were killed")
            written = {}
            for name in os.listdir(folder):
                if name.endswith(".csv") and what == "traces":
                    with open(os.path.join(folder, name)) as file:
                        written[name] = file.read().splitlines()
        return out.splitlines(), written, errors

    def test_uploaded_files_are_at_every_worker_whichever_was_lost(self):
        out, _, errors = self.run_in_folder("uploads")
        self.assertEqual(out, ["copies 3", "sum 4950", "bytes 100000", "copies after a death 3", "sum 79800",
                               "copies of another 3", "copies after a restart 3"], errors)
        self.assertIn("killed by signal 9", errors)
        self.assertNotIn("a task gets a copy", errors)
        self.assertNotIn("called exit", errors, "the restart was asked for")

    def test_lines_of_workers_are_forwarded_also_of_those_that_came_instead(self):
        for path in ("auto", "tcp"):
            with self.subTest(path=path):
                out, _, errors = self.run_in_folder("forwards", f"--weft-transport={path}")
                self.assertEqual(out, ["sum 44850", "last 1", "unheard 44850", "info 300", "debug 0", "last words 2",
                                       "from all 3"], errors)
                self.tearDown()
                self.job = None

    def test_memory_is_traced_through_the_loss_of_a_worker(self):
        out, written, errors = self.run_in_folder("traces")
        self.assertEqual(out, ["large 6", "one 1", "large 6", "small 12", "tasks of large 12", "tasks of deadly 1",
                               "tasks of small 12", "large is seen 1", "small shrank 0",
                               "whose process died with more 1"], errors)
        lines = written["memory.csv"]
        self.assertEqual(lines[0], "process,name,tasks,seconds,highest_bytes,growth_bytes")
        self.assertEqual(len([line for line in lines if line.split(",")[1] == '""']), 4, "three workers and the client")


for name in [name for name in vars(job_test.JobTest) if name.startswith("test_")]:
    setattr(KeptTest, name, None)  # those of the base are run by job_test.py

if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], defaultTest=None if len(sys.argv) > 3 else "KeptTest")
