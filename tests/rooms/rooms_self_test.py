#!/usr/bin/env python3
"""Shows that rooms.py sees what it is for: each case seeds one violation in a small tree and must be reported."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import rooms  # noqa: E402

GOOD = {
    "core/include/weft/graph.hpp": "#include <vector>\n#include <weft/version.hpp>\n",
    "core/version.hpp.in": "#pragma once\n",
    "core/graph/cut.hpp": "#include <weft/graph.hpp>\n",
    "core/graph/cut.cpp": '#include "core/graph/cut.hpp"\n#include <fmt/format.h>\n#include <sys/mman.h>\n',
    "io/formats/csv.cpp": '#include "core/graph/cut.hpp"\n',
    "mpi_launch/include/weft/weft.hpp": "#include <weft/graph.hpp>\n",
    "tests/core/graph/cut_test.cpp": '#include "core/graph/cut.hpp"\n#include <gtest/gtest.h>\n',
    "tests/core/graph/cut_random_test.cpp": "",
    "tests/core/graph/graph_test.cpp": "",
    "tests/core/graph_test.cpp": "#include <weft/graph.hpp>\n",
    "bench/main.cpp": '#include <weft/weft.hpp>\n#include "bench/case.hpp"\n',
    "bench/case.hpp": "#pragma once\n",
    "examples/hello/main.cpp": "#include <weft/weft.hpp>\n",
}

# A path, its text, and a piece of the line that must be reported.
SEEDED = [
    ("core/graph/up.cpp", '#include "io/formats/csv.hpp"\n', "core may not include io"),
    ("core/graph/up.cpp", "#include <weft/weft.hpp>\n", "core may not include mpi_launch"),
    ("io/up.cpp", '#include "arrays/array.hpp"\n', "io may not include arrays"),
    ("core/graph/test.cpp", '#include "tests/core/fake.hpp"\n', "core may not include tests"),
    ("core/graph/mpi.cpp", "#include <mpi.h>\n", "core may not use MPI"),
    ("core/graph/cli.cpp", "#  include <CLI/CLI.hpp>\n", "core may not use CLI11"),
    ("core/include/weft/graph.hpp", "#include <fmt/core.h>\n", "a public header includes no third party"),
    ("core/include/weft/graph.hpp", '#include "core/graph/cut.hpp"\n', "public headers only"),
    ("core/graph/near.cpp", '#include "cut.hpp"\n', "does not begin with a room"),
    ("core/graph/gone.cpp", '#include "core/graph/gone.hpp"\n', "does not exist"),
    ("core/graph/gone.cpp", "#include <weft/gone.hpp>\n", "no public header of any room"),
    ("core/graph/odd.cpp", "#include <boost/any.hpp>\n", "neither the standard library"),
    ("core/graph/long.cpp", '#include "core/include/weft/graph.hpp"\n', "included as <weft/...>"),
    ("bench/deep.cpp", '#include "core/graph/cut.hpp"\n', "bench includes public headers only"),
    ("core/include/weft/alone.hpp", "#include <vector>\n", "does not reach it"),
    ("tests/core/graph/lone_test.cpp", "", "mirrors nothing"),
    ("things/thing.cpp", "", "no room of this name"),
]


def report(extra=None):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**GOOD, **(extra or {})}.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        tree = rooms.Tree(folder)
        tree.check()
        return tree


class RoomsTest(unittest.TestCase):
    def test_a_clean_tree_passes(self):
        self.assertEqual(report().violations, [])

    def test_each_seeded_violation_is_reported_once(self):
        for path, text, expected in SEEDED:
            with self.subTest(path=path, text=text):
                violations = report({path: text}).violations
                self.assertEqual(len(violations), 1, violations)
                self.assertIn(expected, violations[0])

    def test_a_long_header_is_a_warning_only(self):
        tree = report({"core/graph/tall.hpp": "\n" * 301})
        self.assertEqual(tree.violations, [])
        self.assertEqual(len(tree.warnings), 1)


if __name__ == "__main__":
    unittest.main()
