#!/usr/bin/env python3
"""Tests that a worker whose device fails is replaced, and its tasks run again. usage: device_test.py MPIRUN DEVICE_JOB"""
import sys
import tempfile
import unittest

import job_test  # reads the first two words


class DeviceTest(job_test.JobTest):
    __test__ = True

    def test_a_worker_whose_device_fails_is_replaced(self):
        with tempfile.TemporaryDirectory() as folder:
            code, out, errors = self.run_job(3, folder)
        self.assertEqual(code, 0, errors)
        self.assertEqual(out.splitlines(), [f"sum {sum(1000 * (first + 1) + 499500 for first in range(50))}",
                                            "works are in the ledger"], errors)
        self.assertRegex(errors, r"ended.*; device 0 \(.*\) failed: .*started again")


for name in [name for name in vars(job_test.JobTest) if name.startswith("test_")]:
    setattr(DeviceTest, name, None)  # those of the base are run by job_test.py

if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], defaultTest=None if len(sys.argv) > 3 else "DeviceTest")
