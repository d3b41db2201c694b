#!/usr/bin/env python3
"""Enforces which room may include which, the third parties of each, and that tests/ mirrors the tree.

usage: rooms.py ROOT

Reads include lines only; nothing is compiled. Prints one line a violation and exits 1 if there was one. Lines that
begin with "warning:" (a file that grew past its usual length) do not fail.
"""
import re
import sys
from pathlib import Path

# What a room may include besides itself.
ROOMS = {
    "core": set(),
    "comm": {"core"},
    "gpu": {"core"},
    "io": {"core"},
    "arrays": {"core", "io", "gpu"},
    "frames": {"core", "io", "arrays", "gpu"},
    "dashboard": {"core"},
    "mpi_launch": {"core", "comm", "gpu", "io", "arrays", "frames", "dashboard"},
}
EVERYTHING = set(ROOMS)
# May include every room; no room may include them. bench and examples see public headers only.
OUTER = {"tests": EVERYTHING | {"tests", "bench"}, "bench": EVERYTHING | {"bench"}, "examples": EVERYTHING}
PUBLIC_ONLY = {"bench", "examples"}

# Third parties, by the beginning of the include path.
THIRD_PARTY = {
    "fmt": ("fmt/",),
    "libbacktrace": ("backtrace.h",),
    "OpenSSL": ("openssl/",),
    "UCX": ("ucp/", "ucs/", "uct/", "ucm/"),
    "CUDA": ("cuda", "nvml", "nvtx3/", "cub/", "cublas", "cusolver", "cufft"),
    "Thrust": ("thrust/",),
    "HDF5": ("hdf5", "H5"),
    "Arrow": ("arrow/", "parquet/"),
    "codecs": ("zstd", "lz4", "libdeflate", "blosc", "zlib", "szlib", "jpeglib"),
    "libcurl": ("curl/",),
    "ecCodes": ("eccodes",),
    "JSON": ("nlohmann/", "simdjson"),
    "Kokkos": ("Kokkos_", "KokkosKernels"),
    "BLAS": ("cblas", "lapacke", "openblas"),
    "Eigen": ("Eigen/",),
    "FFT": ("pocketfft", "fftw3"),
    "cpp-httplib": ("httplib",),
    "MPI": ("mpi.h", "mpi-ext.h"),
    "hwloc": ("hwloc",),
    "CLI11": ("CLI/",),
    "GoogleTest": ("gtest/", "gmock/"),
    "Google Benchmark": ("benchmark/",),
    "Taskflow": ("taskflow/",),
    "oneTBB": ("tbb/", "oneapi/"),
    "StarPU": ("starpu",),
    "OpenMP": ("omp.h",),
}
ALLOWED = {
    "core": {"fmt", "libbacktrace"},
    "comm": {"fmt", "UCX", "OpenSSL", "codecs"},
    "gpu": {"fmt", "CUDA", "Thrust"},
    "io": {"fmt", "HDF5", "Arrow", "codecs", "ecCodes", "libcurl", "JSON"},
    "arrays": {"fmt", "Kokkos", "BLAS", "FFT", "Eigen"},
    "frames": {"fmt", "Kokkos", "Arrow"},
    "dashboard": {"fmt", "cpp-httplib"},
    "mpi_launch": {"fmt", "MPI", "hwloc", "CLI11"},
    "tests": set(THIRD_PARTY),
    "bench": set(THIRD_PARTY),
    "examples": set(),
}
# Public headers that nobody includes but who uses the third party.
LIBRARY_OF = {"arrays/include/weft/kokkos.hpp": "Kokkos", "arrays/include/weft/eigen.hpp": "Eigen"}
# Headers of the operating system: POSIX and Linux, by name or folder.
SYSTEM = re.compile(
    r"^(sys|linux|arpa|netinet|asm|net|sanitizer)/|^(unistd|unwind|fcntl|pthread|sched|signal|poll|dlfcn|spawn|errno|time|termios|dirent|"
    r"execinfo|cxxabi|elf|link|ucontext|netdb|semaphore|mntent|pwd|[a-z0-9]*intrin|arm_acle|stdlib|"
    r"stdint|stddef|stdio|string|math|limits|malloc|ftw|glob|getopt|numa|features|alloca|strings|ifaddrs)\.h$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# Public headers that a program includes by itself, because they cost a library or much time.
OPT_IN = {"weft/cluster.hpp", "weft/gpu.hpp", "weft/storage.hpp", "weft/measure.hpp", "weft/measure_transfer.hpp", "weft/simulate.hpp"}
# Files of arrays, and arrays with labels.
OPT_IN |= {"weft/array_advice.hpp", "weft/stored_array.hpp", "weft/labelled.hpp", "weft/file_groups.hpp", "weft/staggered.hpp", "weft/members.hpp", "weft/storage_writer.hpp", "weft/zarr_writer.hpp",
           "weft/open_files.hpp", "weft/tiff_writer.hpp", "weft/ops/neighbours.hpp", "weft/ops/special.hpp",
           "weft/fits_writer.hpp", "weft/ops/fits.hpp",
           "weft/remote.hpp"}
# Bags of files and addresses.
OPT_IN |= {"weft/avro.hpp", "weft/from_url.hpp"}
OPT_IN |= {"weft/kokkos.hpp", "weft/eigen.hpp", "weft/mdspan.hpp"}
# Frames.
OPT_IN |= {"weft/column_expression.hpp", "weft/column_methods.hpp", "weft/dataframe.hpp", "weft/frame_arrays.hpp", "weft/frame_options.hpp", "weft/series.hpp",
           "weft/table.hpp"}
SOURCES = (".hpp", ".cpp", ".cu", ".cuh", ".h", ".cc", ".def", ".in")
HEADER_LINES, SOURCE_LINES, TEST_LINES = 300, 600, 800


class Tree:
    """The files of a repository, and what was found wrong in them."""

    def __init__(self, root):
        self.root = Path(root)
        self.violations = []
        self.warnings = []
        self.public = {}  # <weft/x.hpp> -> room
        for room in ROOMS:
            include = self.root / room / "include"
            headers = [path for path in include.rglob("*") if path.suffix in (".hpp", ".def")] if include.is_dir() else []
            for header in headers:
                self.public[header.relative_to(include).as_posix()] = room
            for header in (self.root / room).glob("*.hpp.in"):
                self.public["weft/" + header.name[: -len(".in")]] = room

    def files(self, top):
        folder = self.root / top
        if folder.is_dir():
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path.suffix in SOURCES and "build" not in path.relative_to(self.root).parts:
                    yield path

    def wrong(self, path, line, text):
        self.violations.append(f"{path.relative_to(self.root)}:{line}: {text}")

    def check_includes(self, top, path, lines):
        public = path.relative_to(self.root).as_posix().startswith(f"{top}/include/")
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if match:
                self.check_include(top, path, number, match.group(1), match.group(2), public)

    def check_include(self, top, path, number, mark, target, public):
        may = OUTER.get(top, ROOMS.get(top, set()) | {top})
        first = target.split("/")[0]
        if target.startswith("weft/"):
            owner = self.public.get(target)
            if owner is None:
                self.wrong(path, number, f"<{target}> is no public header of any room")
            elif owner not in may:
                self.wrong(path, number, f"{top} may not include {owner}: <{target}>")
            return
        if mark == '"':
            self.check_internal(top, path, number, first, target, may, public)
            return
        party = next((name for name, begins in THIRD_PARTY.items() if target.startswith(begins)), None)
        if party is not None:
            if party not in ALLOWED[top]:
                self.wrong(path, number, f"{top} may not use {party}: <{target}>")
            elif public and LIBRARY_OF.get(str(path.relative_to(self.root))) != party:
                self.wrong(path, number, f"a public header includes no third party: <{target}>")
        elif "/" not in target and "." not in target:
            return  # The standard library.
        elif not SYSTEM.search(target) and top not in ("tests", "bench"):
            self.wrong(path, number, f"<{target}> is neither the standard library, the system, weft, nor a third party "
                                     "that this check knows (add it to tests/rooms/rooms.py)")

    def check_internal(self, top, path, number, first, target, may, public):
        if first not in ROOMS and first not in OUTER:
            self.wrong(path, number, f'"{target}" does not begin with a room; include by the path from the root')
        elif public:
            self.wrong(path, number, f'a public header includes public headers only: "{target}"')
        elif first in OUTER and first not in may:
            self.wrong(path, number, f'{top} may not include {first}: "{target}"')
        elif first in ROOMS and first not in may:
            self.wrong(path, number, f'{top} may not include {first}: "{target}"')
        elif top in PUBLIC_ONLY and first in ROOMS:
            self.wrong(path, number, f'{top} includes public headers only: "{target}"')
        elif "/include/weft/" in target:
            self.wrong(path, number, f'public headers are included as <weft/...>: "{target}"')
        elif not (self.root / target).is_file() and not (self.root / (target + ".in")).is_file():
            self.wrong(path, number, f'"{target}" does not exist')

    def check_length(self, top, path, lines):
        most = HEADER_LINES if path.suffix in (".hpp", ".cuh", ".h") else SOURCE_LINES
        if top in ("tests", "bench"):
            most = TEST_LINES
        if len(lines) > most:
            self.warnings.append(f"warning: {path.relative_to(self.root)} has {len(lines)} lines (usual: {most})")

    def check_mirror(self):
        """tests/<room>/<path>_test.cpp tests <room>/<path>.* or the public header of that name.

        One source may have several (scheduler_random_test.cpp tests scheduler.*, too), and a folder one for all of its
        files (policies/policies_test.cpp).
        """
        for path in self.files("tests"):
            relative = path.relative_to(self.root / "tests")
            room = relative.parts[0]
            if not path.name.endswith("_test.cpp") or room not in ROOMS:
                continue
            folder = self.root / room / Path(*relative.parts[1:-1])
            words = path.name[: -len("_test.cpp")].split("_")
            nouns = ["_".join(words[:count]) for count in range(len(words), 0, -1)]
            beside = [folder / (noun + end) for noun in nouns for end in (".hpp", ".cpp", ".cu", ".cuh", ".hpp.in")]
            headers = [self.root / room / "include" / "weft" / (noun + ".hpp") for noun in nouns]
            of_folder = nouns[0] == folder.name and folder.is_dir()
            if not of_folder and not any(candidate.is_file() for candidate in beside + headers):
                self.wrong(path, 1, f"mirrors nothing: neither {folder.relative_to(self.root)}/{nouns[0]}.* nor "
                                    f"<weft/{nouns[0]}.hpp> exists")

    def check_umbrella(self):
        """<weft/weft.hpp>, or a header that is opt-in, reaches every public header."""
        include = {name: self.root / room / "include" / name for name, room in self.public.items()}
        if "weft/weft.hpp" not in include:
            return
        reached, ahead = set(), ["weft/weft.hpp", *OPT_IN]
        while ahead:
            name = ahead.pop()
            if name in reached or not include.get(name, Path()).is_file():
                continue
            reached.add(name)
            lines = include[name].read_text(encoding="utf-8").splitlines()
            ahead += [match.group(2) for match in map(INCLUDE.match, lines) if match]
        for name, path in sorted(include.items()):
            if path.suffix == ".hpp" and path.is_file() and name not in reached and name not in OPT_IN:
                self.wrong(path, 1, "<weft/weft.hpp> does not reach it, and it is not opt-in")

    def check(self):
        for top in list(ROOMS) + list(OUTER):
            for path in self.files(top):
                lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
                self.check_includes(top, path, lines)
                self.check_length(top, path, lines)
        for path in sorted(self.root.iterdir()):
            known = set(ROOMS) | set(OUTER) | {"cmake", "docs", "tools"}
            if path.is_dir() and not path.name.startswith((".", "build")) and path.name not in known:
                if any(file.suffix in SOURCES for file in path.rglob("*")):
                    self.violations.append(f"{path.name}/: no room of this name")
        self.check_mirror()
        self.check_umbrella()
        return not self.violations


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    tree = Tree(sys.argv[1])
    good = tree.check()
    for line in tree.warnings + tree.violations:
        print(line)
    print(f"rooms: {len(tree.violations)} violations, {len(tree.warnings)} warnings")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
