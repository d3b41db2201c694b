#!/usr/bin/env python3
"""Unpacks what tools/pack makes somewhere else and runs it. usage: pack.py SOURCES BUILD"""
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

SOURCES, BUILD = Path(sys.argv[1]), sys.argv[2]


class PackTest(unittest.TestCase):
    def test_the_archive_runs_where_it_is_unpacked(self):
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "weft.tar.gz"
            done = subprocess.run([sys.executable, SOURCES / "tools/pack", "--build", BUILD, "--output", archive], capture_output=True,
                                  text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            there = Path(folder) / "some where"
            with tarfile.open(archive) as packed:
                packed.extractall(there, filter="data") if hasattr(tarfile, "data_filter") else packed.extractall(there)
            (root,) = there.iterdir()
            program = root / "bin/weft"
            told = subprocess.run([program, "--version"], env={}, capture_output=True, text=True, check=True).stdout
            self.assertRegex(told, r"^weft \d+\.\d+\.\d+")
            subprocess.run([program, "config"], env={}, capture_output=True, check=True)
            found = dict(re.findall(r"^\s*(\S+) => (/.*) \(0x", subprocess.run(["ldd", program], env={"PATH": "/usr/bin:/bin"}, text=True,
                                                                              capture_output=True, check=True).stdout, re.MULTILINE))
            brought = sorted(path.name for path in (root / "lib").rglob("weft/*.so*"))
            self.assertIn("libfmt.so", "".join(brought))
            for name in brought:
                self.assertEqual(Path(found[name]).parent.resolve(), next(root.rglob(name)).parent.resolve())
            # What is the site's is named, and not brought.
            for name in found:
                if name.startswith(("libmpi", "libucp")):
                    self.assertIn(name, done.stdout)
                    self.assertNotIn(name, brought)
            self.assertTrue((root / "include/weft/weft.hpp").exists())
            self.assertTrue(list(root.rglob("weftConfig.cmake")))

    def test_a_folder_that_holds_no_build_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, SOURCES / "tools/pack", "--build", folder], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("is no build folder", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
