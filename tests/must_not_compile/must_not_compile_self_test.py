#!/usr/bin/env python3
"""Shows that the check of must_not_compile.py can fail."""

import unittest

from must_not_compile import judge

NOTE = "x.cpp:3:1:   required from here\n"
SENTENCE = "x.cpp:4:2: error: static assertion failed: weft: no\n"


class JudgeTest(unittest.TestCase):
    def test_the_sentence_in_time_is_accepted(self):
        self.assertIsNone(judge("weft: no", 1, NOTE * 14 + SENTENCE))

    def test_a_program_that_compiles_is_wrong(self):
        self.assertIn("compiles", judge("weft: no", 0, SENTENCE))

    def test_a_late_sentence_is_wrong(self):
        self.assertIn("line 16", judge("weft: no", 1, NOTE * 15 + SENTENCE))

    def test_another_error_in_front_is_wrong(self):
        self.assertIn("does not match", judge("weft: no", 1, "x.cpp:1:1: error: tour\n" + SENTENCE))

    def test_a_crash_without_an_error_is_wrong(self):
        self.assertIn("without an error", judge("weft: no", 1, NOTE))


if __name__ == "__main__":
    unittest.main()
