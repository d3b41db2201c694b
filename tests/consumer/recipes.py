#!/usr/bin/env python3
"""Checks what can be checked of the recipes for containers and Spack without building them. usage: recipes.py SOURCES

Every option of the build that they name is one that there is, every package of the distribution is one that tools/setup names too,
and the Python of the Spack recipe compiles.
"""
import re
import sys
import unittest
from pathlib import Path

SOURCES = Path(sys.argv[1]).resolve()
CONTAINERS = [SOURCES / "cmake/container/Dockerfile", SOURCES / "cmake/container/weft.def"]
SPACK = SOURCES / "cmake/spack/packages/weft/package.py"


class RecipesTest(unittest.TestCase):
    def test_every_option_is_one_of_the_build(self):
        files = [*SOURCES.glob("cmake/*.cmake"), *SOURCES.glob("*/CMakeLists.txt")]
        known = {name for file in files for name in re.findall(r"option\((WEFT_\w+)", file.read_text())}
        for recipe in [*CONTAINERS, SPACK]:
            named = set(re.findall(r"(?:-D|\")(WEFT_\w+)", recipe.read_text()))
            self.assertTrue(named, recipe)
            self.assertEqual(named - known, set(), recipe)

    def test_every_package_is_one_that_the_setup_installs(self):
        known = set(re.split(r"[\s\"]+", (SOURCES / "tools/setup").read_text())) | {"ca-certificates"}
        packages = [set(re.findall(r"^(?:g\+\+|[a-z][a-z0-9.+-]*)$", "\n".join(words.replace("\\", " ").split()), re.MULTILINE))
                    for recipe in CONTAINERS
                    for words in re.findall(r"install -y --no-install-recommends(.*?)(?:&& rm|\n    cmake)", recipe.read_text(), re.DOTALL)]
        self.assertEqual(len(packages), 3)
        for named in packages:
            self.assertGreater(len(named), 10)
            self.assertEqual(named - known, set())

    def test_the_recipe_of_spack_is_python(self):
        compile(SPACK.read_text(), str(SPACK), "exec")

    def test_they_say_that_nobody_builds_them(self):
        for recipe in [*CONTAINERS, SPACK]:
            self.assertIn("built by nobody's tests", recipe.read_text().replace("\n# ", " "))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
