#!/usr/bin/env python3
"""Compiles programs that must be refused, and looks at what the user is shown.

Each case is a C++ file whose first line is `// expect: REGEX`. The compiler must refuse it; the first error must match
the expression, and it must appear within the first 15 lines that the compiler prints.
"""

import argparse
import pathlib
import re
import shlex
import subprocess
import sys

MOST_LINES = 15
EXPECT = re.compile(r"// expect: (.+)$")
ERROR = re.compile(r"\berror: ")


def judge(expect, returncode, output):
    """Returns what is wrong with the compiler's answer, or None."""
    if returncode == 0:
        return "it compiles"
    lines = output.splitlines()
    for number, line in enumerate(lines, 1):
        if not ERROR.search(line):
            continue
        if not re.search(expect, line):
            return f"the first error does not match `{expect}`:\n{line}"
        if number > MOST_LINES:
            return f"the sentence is on line {number} of the compiler's output; at most {MOST_LINES} are allowed"
        return None
    return "it is refused without an error line"


def check(command, path):
    first = path.read_text().splitlines()[0]
    match = EXPECT.match(first)
    if not match:
        return "its first line is not `// expect: REGEX`"
    result = subprocess.run(command + [str(path)], capture_output=True, text=True)
    wrong = judge(match.group(1), result.returncode, result.stderr)
    if wrong:
        shown = "\n".join(result.stderr.splitlines()[:30])
        return f"{wrong}\n--- the compiler's first lines ---\n{shown}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cxx", required=True)
    parser.add_argument("--flags", default="")
    parser.add_argument("--include", action="append", default=[])
    parser.add_argument("cases", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    command = [options.cxx, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", *shlex.split(options.flags)]
    command += [f"-I{folder}" for folder in options.include]
    failed = 0
    for path in options.cases:
        wrong = check(command, path)
        print(f"{'FAIL' if wrong else 'ok'}   {path.name}" + (f": {wrong}" if wrong else ""))
        failed += wrong is not None
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
