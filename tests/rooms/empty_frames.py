#!/usr/bin/env python3
"""Refuses functions of size zero that share an address with the cold part of another one.

g++ may leave an empty ".cold" part behind. The unwinder finds functions by their address, takes the empty one for the
one that follows it, and ends the program with std::terminate where that one throws.

    empty_frames.py FILE...     libraries, objects or programs
"""
import re
import subprocess
import sys

SYMBOL = re.compile(r"^\s*\d+:\s+[0-9a-f]+\s+0\s+FUNC\s+\S+\s+\S+\s+\d+\s+(\S+\.cold(?:\.\d+)?)$")


def empty_functions(path):
    text = subprocess.run(["readelf", "-sW", path], capture_output=True, text=True, check=True).stdout
    found = set()
    for line in text.splitlines():
        match = SYMBOL.match(line)
        if match:
            found.add(match.group(1))
    return sorted(found)


def main():
    if len(sys.argv) < 2:
        sys.exit("empty_frames.py: which files?")
    bad = [(path, name) for path in sys.argv[1:] for name in empty_functions(path)]
    for path, name in bad:
        name = subprocess.run(["c++filt", name], capture_output=True, text=True, check=False).stdout.strip() or name
        print(f"{path}: empty cold part of {name}\n"
              "  compile that source with -fno-reorder-blocks-and-partition (see comm/CMakeLists.txt)")
    print(f"{len(sys.argv) - 1} files, {len(bad)} empty cold parts")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
