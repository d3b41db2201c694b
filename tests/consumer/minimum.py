#!/usr/bin/env python3
"""Builds and installs the least there is: core, with nothing but a compiler, CMake and fmt.

usage: minimum.py --source DIR --work DIR [--cxx COMPILER] [--launcher PROGRAM] [--generator NAME]

Every other library is hidden from CMake, then a program is linked against the result.
"""
import argparse
import shutil
import subprocess
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent / "program"
HIDDEN = ["CLI11", "GTest", "benchmark", "MPI", "hwloc", "Python3", "TBB"]


def call(*command):
    print("+", *command, flush=True)
    subprocess.run([str(word) for word in command], check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--cxx", default="c++")
    parser.add_argument("--launcher", default="")
    parser.add_argument("--generator", default="Unix Makefiles")
    arguments = parser.parse_args()
    shared = ["-G", arguments.generator, "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_CXX_COMPILER={arguments.cxx}"]
    if arguments.launcher:
        shared.append(f"-DCMAKE_CXX_COMPILER_LAUNCHER={arguments.launcher}")

    shutil.rmtree(arguments.work, ignore_errors=True)
    build, prefix, user = (arguments.work / name for name in ("build", "prefix", "user"))
    # What is asked is whether it builds: without optimisation that takes half the time.
    call("cmake", "-S", arguments.source, "-B", build, *shared, "-DCMAKE_CXX_FLAGS_RELEASE=-O0", f"-DCMAKE_INSTALL_PREFIX={prefix}",
         "-DWEFT_BUILD_TESTS=OFF", "-DWEFT_BUILD_BENCH=OFF", "-DWEFT_BUILD_EXAMPLES=OFF", "-DWEFT_BUILD_COMMAND=OFF",
         *(f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in HIDDEN))
    call("cmake", "--build", build, "--target", "install")
    call("cmake", "-S", PROGRAM, "-B", user, *shared, f"-DCMAKE_PREFIX_PATH={prefix}")
    call("cmake", "--build", user)
    call(user / "everything")
    print("minimum: core alone builds, installs and is used")


if __name__ == "__main__":
    main()
