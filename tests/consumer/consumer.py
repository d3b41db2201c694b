#!/usr/bin/env python3
"""Uses an installed weft as a stranger would: find_package, then pkg-config, from a prefix that was moved.

usage: consumer.py --prefix DIR --work DIR --version TEXT [--cxx COMPILER] [--hidden DIR ...] [--launcher PROGRAM]

--hidden names folders (source and build tree) that no installed text file may mention: what does not know them works
when they are gone.
"""
import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent / "program"


def call(*command, **more):
    print("+", *command, flush=True)
    return subprocess.run([str(word) for word in command], check=True, text=True, **more)


def output(*command, **more):
    return call(*command, stdout=subprocess.PIPE, **more).stdout.strip()


def expect(condition, text):
    if not condition:
        sys.exit(f"consumer: {text}")


def check_no_mention(prefix, hidden):
    for path in prefix.rglob("*"):
        if path.suffix in (".cmake", ".pc", ".hpp", ".def") and path.is_file():
            text = path.read_text(encoding="utf-8")
            for folder in hidden:
                expect(folder not in text, f"{path} mentions {folder}, which a user does not have")


def check_find_package(arguments, prefix, work):
    build = work / "find_package"
    configure = ["cmake", "-S", PROGRAM, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release",
                 f"-DCMAKE_CXX_COMPILER={arguments.cxx}"]
    if arguments.launcher:
        configure.append(f"-DCMAKE_CXX_COMPILER_LAUNCHER={arguments.launcher}")
    call(*configure)
    call("cmake", "--build", build)
    expect(output(build / "core_only") == f"core {arguments.version}", "core_only printed something else")
    expect(output(build / "everything") == f"everything {arguments.version}", "everything printed something else")


def check_pkg_config(arguments, prefix, work):
    if not shutil.which("pkg-config"):
        print("consumer: pkg-config was not found; its half is skipped")
        return
    files = [path.parent for path in prefix.rglob("weft.pc")]
    expect(len(files) == 1, f"{len(files)} files weft.pc in {prefix}")
    environment = {**os.environ, "PKG_CONFIG_PATH": f"{files[0]}:{os.environ.get('PKG_CONFIG_PATH', '')}"}
    expect(output("pkg-config", "--modversion", "weft", env=environment) == arguments.version, "another version")
    flags = output("pkg-config", "--cflags", "--libs", "weft", env=environment).split()
    program = work / "by_pkg_config"
    call(arguments.cxx, "-std=c++20", "-O2", PROGRAM / "everything.cpp", "-o", program, *flags)
    expect(output(program) == f"everything {arguments.version}", "the pkg-config program printed something else")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--prefix", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--cxx", default="c++")
    parser.add_argument("--launcher", default="")
    parser.add_argument("--hidden", action="append", default=[])
    arguments = parser.parse_args()

    shutil.rmtree(arguments.work, ignore_errors=True)
    arguments.work.mkdir(parents=True)
    moved = arguments.work / "moved prefix"
    shutil.copytree(arguments.prefix, moved)
    check_no_mention(moved, arguments.hidden)
    check_find_package(arguments, moved, arguments.work)
    spaceless = arguments.work / "moved"
    moved.rename(spaceless)  # pkg-config users split its output at spaces
    check_pkg_config(arguments, spaceless, arguments.work)
    command = spaceless / "bin" / "weft"
    if command.is_file():
        expect(output(command, "--version").splitlines()[0] == f"weft {arguments.version}", "weft --version differs")
    print("consumer: all of it works from a moved prefix")


if __name__ == "__main__":
    main()
