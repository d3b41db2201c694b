#!/usr/bin/env python3
"""Holds the promise that a one-file program compiles quickly: at -O2, against the installed headers.

usage: compile_time.py --prefix DIR --seconds LIMIT [--cxx COMPILER] FILE...

Counts processor seconds of the compiler, the least of three, so that a busy machine does not matter.
"""
import argparse
import resource
import subprocess
import sys
from pathlib import Path


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--prefix", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--cxx", default="c++")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    good = True
    for file in arguments.files:
        least = float("inf")
        for _ in range(3):
            before = children_seconds()
            subprocess.run([arguments.cxx, "-std=c++20", "-O2", f"-I{arguments.prefix}/include", "-c", file, "-o",
                            "/dev/null"], check=True)
            least = min(least, children_seconds() - before)
            if least <= arguments.seconds:
                break
        good = good and least <= arguments.seconds
        print(f"{file}: {least:.2f} s of {arguments.seconds:g} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
