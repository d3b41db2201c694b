#!/usr/bin/env python3
"""Compiles and runs what documents show and what examples/ holds, against an installed weft.

usage: snippets.py --prefix DIR --work DIR [--cxx COMPILER] [--launcher PROGRAM] document FILE.md
       snippets.py --prefix DIR --work DIR [--cxx COMPILER] [--launcher PROGRAM] example FOLDER

document: each block fenced as ```cpp must compile and end with status 0. A block without `main` is the body of
weft::run, with `client` at hand. A block fenced as ```output right after it is what it must print; ```cpp-fragment is
left alone. example: the folder has main.cpp, its own CMakeLists.txt, and expected.txt, what it must print; where it has a script of
its own name, that is run with the program and the weft command, and must print script_expected.txt. In expected
text a line `...` stands for any lines, and <any> for anything within a line. Where the folder has a file `ranks` with a
number, and there is an mpirun, the program runs under that too, and prints the same.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

FENCE = re.compile(r"^(\s*)```(.*)$")
BODY = """#include <weft/weft.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <map>
#include <numeric>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

using namespace weft;

int main(int argc, char** argv) {{
  return run(argc, argv, []([[maybe_unused]] Client& client, Args) {{
#line {line} "{name}"
{text}
  }});
}}
"""
PROJECT = """cmake_minimum_required(VERSION 3.20)
project(snippets LANGUAGES CXX)
find_package(weft REQUIRED)
"""
RUN_SECONDS = 120


class Snippet:
    """One block of a document: its first line's number, its text, and what it must print (None: anything)."""

    def __init__(self, line, text):
        self.line, self.text, self.expected = line, text, None


def blocks(document):
    """Yields (kind, line number of the first line inside, text) of each fenced block."""
    kind, start, indent, held = None, 0, 0, []
    for number, line in enumerate(document.splitlines(), 1):
        match = FENCE.match(line)
        if match and kind is None:
            kind, start, indent, held = match.group(2).strip(), number + 1, len(match.group(1)), []
        elif match and not match.group(2).strip():
            yield kind, start, "\n".join(held) + "\n"
            kind = None
        elif kind is not None:
            held.append(line[indent:])


def snippets_of(document):
    found = []
    previous = None
    for kind, line, text in blocks(document):
        if kind == "cpp":
            found.append(Snippet(line, text))
        elif kind == "output" and previous == "cpp":
            found[-1].expected = text
        elif kind == "output":
            sys.exit(f"line {line}: an output block must follow the cpp block that prints it")
        previous = kind
    return found


def matches(expected, actual):
    """Compares line by line, with `...` and <any> as described above."""
    pattern = []
    for line in expected.rstrip("\n").splitlines():
        if line.strip() == "...":
            pattern.append(r"(?:.*\n)*?")
        else:
            pattern.append(".*".join(re.escape(piece.rstrip() if last else piece) for piece, last in pieces(line))
                           + r"[ \t]*\n")
    return re.fullmatch("".join(pattern), actual.rstrip("\n") + "\n") is not None


def pieces(line):
    parts = line.split("<any>")
    return [(part, index == len(parts) - 1) for index, part in enumerate(parts)]


def call(command, seconds=600):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=seconds)
    if done.returncode != 0:
        print(done.stdout)
        sys.exit(f"failed ({done.returncode}): {' '.join(map(str, command))}")


def build(arguments, source, folder):
    configure = ["cmake", "-S", source, "-B", folder, f"-DCMAKE_PREFIX_PATH={arguments.prefix}",
                 f"-DCMAKE_CXX_COMPILER={arguments.cxx}", "-DCMAKE_BUILD_TYPE=Debug"]
    if arguments.launcher:
        configure.append(f"-DCMAKE_CXX_COMPILER_LAUNCHER={arguments.launcher}")
    call(configure)
    call(["cmake", "--build", folder])


def run(program, name, expected, launch=(), arguments=()):
    """Runs one program; returns whether it ended well and printed what it must, in any order of its lines if it is a
    script, whose programs run side by side."""
    as_root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"} if launch else {}
    try:
        done = subprocess.run([*launch, str(program), *map(str, arguments)], env={**os.environ, **as_root}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=RUN_SECONDS, stdin=subprocess.DEVNULL, cwd=program.parent)
    except subprocess.TimeoutExpired:
        print(f"{name}: still running after {RUN_SECONDS} s")
        return False
    printed = done.stdout
    if arguments and expected is not None:
        printed, expected = ("".join(sorted(text.splitlines(keepends=True))) for text in (printed, expected))
    good = done.returncode == 0 and (expected is None or matches(expected, printed))
    if not good:
        print(f"{name}: status {done.returncode}\n--- printed\n{done.stdout}--- standard error\n{done.stderr}")
        if expected is not None:
            print(f"--- expected\n{expected}")
    return good


def check_document(arguments):
    document = arguments.what
    snippets = snippets_of(document.read_text(encoding="utf-8"))
    source = arguments.work / "source"
    source.mkdir(parents=True)
    project = PROJECT
    for snippet in snippets:
        target = f"line_{snippet.line}"
        if re.search(r"\bmain\s*\(", snippet.text):
            text = f'#line {snippet.line} "{document.name}"\n{snippet.text}'
        else:
            text = BODY.format(line=snippet.line, name=document.name, text=snippet.text)
        (source / f"{target}.cpp").write_text(text, encoding="utf-8")
        project += f"add_executable({target} {target}.cpp)\ntarget_link_libraries({target} PRIVATE weft::weft)\n"
    if snippets:
        (source / "CMakeLists.txt").write_text(project, encoding="utf-8")
        build(arguments, source, arguments.work / "build")
    good = [run(arguments.work / "build" / f"line_{snippet.line}", f"{document.name}:{snippet.line}", snippet.expected)
            for snippet in snippets]
    print(f"{document.name}: {good.count(True)} of {len(good)} blocks compile, run and print what they must")
    return all(good)


def check_example(arguments):
    folder = arguments.what
    expected = (folder / "expected.txt").read_text(encoding="utf-8")
    built = arguments.work / "build"
    build(arguments, folder, built)
    program = built / folder.name
    if not program.is_file():
        sys.exit(f"{folder}: its CMakeLists.txt must build a program called {folder.name}")
    good = run(program, folder.name, expected)
    ranks = folder / "ranks"
    if ranks.is_file() and shutil.which("mpirun"):
        launch = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", ranks.read_text(encoding="ascii").strip()]
        good = run(program, f"{folder.name} under mpirun", expected, launch) and good
    script = folder / f"{folder.name}.sh"
    command = arguments.prefix / "bin" / "weft"
    if script.is_file() and command.is_file():
        good = run(script, script.name, (folder / "script_expected.txt").read_text(encoding="utf-8"),
                   arguments=(program, command)) and good
    print(f"{folder.name}: {'compiles, runs and prints what it must' if good else 'failed'}")
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--prefix", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--cxx", default="c++")
    parser.add_argument("--launcher", default="")
    parser.add_argument("kind", choices=["document", "example"])
    parser.add_argument("what", type=Path)
    arguments = parser.parse_args()
    shutil.rmtree(arguments.work, ignore_errors=True)
    arguments.work.mkdir(parents=True)
    good = check_document(arguments) if arguments.kind == "document" else check_example(arguments)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
