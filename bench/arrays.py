"""tools/bench arrays: weft's array cases beside Dask (threads), NumPy in memory, numba and JAX, in one table.

    tools/bench arrays                   all rows
    tools/bench arrays --case expression this one only (may be repeated)
    tools/bench arrays --small           a quarter of each extent
    tools/bench arrays --rounds 1        processes of weft for each row; a peer has one, which repeats within itself
    tools/bench arrays --tenth           weft alone, with a tenth of each row's data as its memory, and the most it held
    tools/bench arrays --list            the rows' names
    tools/bench arrays --json FILE       also every line measured

The peers need their packages in the Python that is found (WEFT_BENCH_PYTHON, .venv of the tree, or this one); those that are
missing are named. The last column is the rate of the bytes that must move, as a fraction of the machine's own (array-stream).
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ("dask", "numpy", "numba", "jax")

# name, case, n, chunk, (option and its value), input, the machine's rate it is compared with, what must be reached beside Dask
ROWS = [
    ("expression, random", "expression", 16000, 1000, None, "random", None, 4),
    ("expression, persisted", "expression", 16000, 1000, None, "persisted", "sum", 5),
    ("std(0), random", "std", 16000, 1000, None, "random", None, 3),
    ("std(0), persisted", "std", 16000, 1000, None, "persisted", "sum", 3),
    ("philox", "philox", 16000, 1000, None, "random", None, None),
    ("matmul", "matmul", 4000, 1000, None, None, None, None),
    ("rechunk, kept", "rechunk", 8000, 100, ("then", "keep"), None, "copy", None),
    ("rechunk and sum", "rechunk", 8000, 100, ("then", "sum"), None, None, 5),
    ("tiny-chunks", "tiny-chunks", 1000, 4, None, None, None, 200),
    ("double-diff, persisted", "double-diff", 8000, 1600, None, "persisted", "triad", None),
    ("vorticity, persisted", "vorticity", 1000, 1, ("steps", 40), "persisted", None, None),
    ("anomaly-mean, persisted", "anomaly-mean", 5000, 100, ("years", 100), "persisted", "sum", None),
    ("climatic-mean, persisted", "climatic-mean", 90, 90, ("members", 10), "persisted", "sum", None),
    ("quadratic-mean, persisted", "quadratic-mean", 500, 10, ("steps", 200), "persisted", "sum", None),
    ("overlap, 5 points, periodic", "overlap", 16000, 1000, None, "random", None, 5),
    ("tsqr, singular values", "tsqr", 200000, 5000, None, None, None, 2),
    ("svd-compressed", "svd-compressed", 4000, 1000, None, None, None, None),
    ("fft along rows", "fft", 4000, 500, ("axis", 1), None, None, None),
    ("fft along the chunked axis", "fft", 4000, 500, ("axis", 0), None, None, None),
    ("sort", "sort", 5000000, 1000000, None, None, None, None),
    ("quantile", "quantile", 4000, 1000, None, None, None, None),
]

# What must be reached of the machine's own rate, or of one call to the library.
SHARES = {
    "expression, persisted": 0.85, "std(0), persisted": 0.85, "matmul": 0.95, "rechunk, kept": 0.5, "double-diff, persisted": 0.85,
    "anomaly-mean, persisted": 0.85, "climatic-mean, persisted": 0.85, "quadratic-mean, persisted": 0.85,
}
# Generated numbers may take so many times the generator's own time and one pass over them.
FLOOR_ROW, FLOOR_TIMES = "expression, random", 1.3
# Arrays of n x n doubles that a case reads. Not matmul, whose case also multiplies in one call (ctest mpi_array_modes runs it
# with a tenth), nor those where one chunk is more than a tenth of the data.
SQUARES = {"expression": 1, "std": 1, "rechunk": 1, "double-diff": 2, "overlap": 1}
MIB = 1 << 20


def python_of(module):
    for python in (os.environ.get("WEFT_BENCH_PYTHON"), str(ROOT / ".venv" / "bin" / "python"), sys.executable):
        if python and shutil.which(python):
            probe = f"import importlib.util as u; raise SystemExit(not u.find_spec('{module}'))"
            if subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode == 0:
                return python
    return None


def last_json(words, timeout, variables=None):
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False, env={**os.environ, **(variables or {})})
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no word"])[-1][:120])
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def weft_words(weft, row, options, scale):
    _, case, n, chunk, extra, kind, _, _ = row
    n, chunk = sized(row, scale)
    words = [str(weft), case, "--n", str(n), "--chunk", str(chunk), "--threads", str(options.threads), "--json",
             "--repeat", str(options.reps), "--scheduler", options.scheduler]
    if extra:
        words += [f"--{extra[0]}", str(extra[1])]
    if kind and case != "philox":
        words += ["--input", kind]
    return words


def sized(row, scale):
    n, chunk = row[2], row[3]
    return (max(chunk, n // scale), chunk) if row[1] != "tiny-chunks" else (n // scale, chunk)


def peer_words(python, peer, row, options, scale):
    _, case, _, _, extra, kind, _, _ = row
    n, chunk = sized(row, scale)
    words = [python, str(ROOT / "bench" / "peers" / "arrays_peer.py"), peer, case, str(n), str(chunk), "--threads",
             str(options.threads), "--reps", str(options.reps), "--seconds", str(0 if time.monotonic() > options.late else options.peer_seconds)]
    if extra and isinstance(extra[1], int):
        words += ["--extra", str(extra[1])]
    elif extra:
        words += [f"--{extra[0]}", extra[1]]
    return words + (["--input", kind] if kind else [])


class Best:
    """The least time of each row and system, and the line it came from."""

    def __init__(self):
        self.lines = {}
        self.failures = {}
        self.all = []
        self.stopped = False

    def add(self, row, system, line):
        self.all.append({"row": row, "system": system, **line})
        key = (row, system)
        if key not in self.lines or line["seconds_min"] < self.lines[key]["seconds_min"]:
            self.lines[key] = line

    def seconds(self, row, system):
        line = self.lines.get((row, system))
        return line["seconds_min"] if line else None


def measure(rows, peers, weft, options, scale):
    best = Best()
    known = {line.split(":")[0] for line in subprocess.run([str(weft), "list"], capture_output=True, text=True,
                                                          check=True).stdout.splitlines() if not line.startswith(" ")}
    try:
        for row in rows:
            for turn in range(options.rounds):
                late = time.monotonic() > options.late
                for system in ("weft", *peers):
                    if turn > 0 and (system != "weft" or late):
                        continue
                    if (row[0], system) in best.failures or system == "weft" and row[1] not in known:
                        continue
                    print(f"  {row[0]}: {system}", file=sys.stderr, flush=True)
                    words = weft_words(weft, row, options, scale) if system == "weft" else peer_words(peers[system], system, row, options, scale)
                    try:
                        for line in last_json(words, options.timeout):
                            if line.get("missing"):
                                best.failures[row[0], system] = "-"
                            else:
                                best.add(row[0], system, line)
                    except (RuntimeError, subprocess.TimeoutExpired) as error:
                        best.failures[row[0], system] = str(error)
    except KeyboardInterrupt:
        print("stopped: what was measured until here follows", file=sys.stderr)
        best.stopped = True
    return best


def figure(value):
    return "-" if value is None else f"{value:.3g}"


def verdict(share, goal):
    return "" if goal is None else f" (>= {goal:.0%} {'met' if share >= goal else 'MISSED'})"


def share_of(row, line, best, rates):
    """Returns what a row reached of what the machine can, and whether that is enough."""
    goal = SHARES.get(row[0])
    if line.get("of_one_call"):
        return f"{line['of_one_call']:.0%} of one call" + verdict(line["of_one_call"], goal)
    if row[6] and line.get("gb_per_s") and rates.get(row[6]):
        share = line["gb_per_s"] / rates[row[6]]
        return f"{share:.0%} of {row[6]}" + verdict(share, goal)
    made = best.seconds("philox", "weft")
    if row[0] == FLOOR_ROW and made and line and rates.get("sum"):
        times = line["seconds_min"] / (made + line["params"]["n"] ** 2 * 8e-9 / rates["sum"])
        return f"{times:.2f} x philox and a pass (<= {FLOOR_TIMES} {'met' if times <= FLOOR_TIMES else 'MISSED'})"
    return ""


def petabyte_plan(weft, timeout):
    """Returns the lines of the row that has no peers."""
    line = last_json([str(weft), "petabyte-plan", "--json"], timeout)[-1]
    wall, peak = line["wall_of_foretold"], line["peak_of_foretold"]

    def told(met):
        return "met" if met else "MISSED"

    return [f"petabyte-plan: planned in {line['seconds_min']:.3g} s (< 1 {told(line['seconds_min'] < 1)}) with "
            f"{line['plan_bytes'] / 1e6:.0f} MB (< 200 {told(line['plan_bytes'] < 200e6)})",
            f"  a job of {line['times_the_sample']} times its sample took {line['job_seconds']:.3g} s, {wall:.2f} of what was foretold "
            f"(within 25% {told(abs(wall - 1) <= 0.25)}), and held {line['job_peak_bytes'] / 1e6:.0f} MB, {peak:.2f} of what was foretold "
            f"(within 20% {told(abs(peak - 1) <= 0.2)})"]


def tenth(rows, weft, options, scale):
    """Runs rows with a tenth of their data as memory; returns whether all kept to it."""
    good = True
    for row in rows:
        words = weft_words(weft, row, options, scale)
        n = sized(row, scale)[0]
        if row[1] in SQUARES:
            data = SQUARES[row[1]] * n * n * 8
        elif row[1] in ("anomaly-mean", "climatic-mean", "quadratic-mean"):
            data = last_json(words, options.timeout)[-1]["gigabytes"] * 1e9
        elif row[1] == "vorticity":
            data = 2 * n * n * row[4][1] * 8
        elif row[1] == "tsqr":
            data = n * 100 * 8
        else:
            continue
        budget = int(data / 10)
        with tempfile.TemporaryDirectory() as folder:
            try:
                line = last_json(words, options.timeout, {"WEFT_MEMORY": str(budget), "WEFT_SPILL_DIR": folder})[-1]
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                good = False
                print(f"{row[0]}: failed: {error}", flush=True)
                continue
        kept = line["peak_rss_bytes"] <= budget + 64 * MIB
        good = good and kept
        print(f"{row[0]:28} {data / 1e6:6.0f} MB, memory {budget / MIB:4.0f} MiB: {line['seconds_min']:.3g} s, held "
              f"{line['peak_rss_bytes'] / MIB:.0f} MiB (<= memory and 64 MiB {'met' if kept else 'MISSED'})", flush=True)
    return good


def table(rows, best, peers, rates, markdown):
    head = ["workload", "weft, s", *[f"{peer}, s" for peer in peers], "x Dask", "goal", "of stream"]
    body = []
    for row in rows:
        mine, dask = best.seconds(row[0], "weft"), best.seconds(row[0], "dask")
        ratio = dask / mine if mine and dask else None
        goal = "" if row[7] is None else f">= {row[7]}"
        if goal and ratio:
            goal += " met" if ratio >= row[7] else " MISSED"
        share = share_of(row, best.lines.get((row[0], "weft"), {}), best, rates)
        body.append([row[0], figure(mine), *[figure(best.seconds(row[0], peer)) for peer in peers], figure(ratio), goal, share])
    if markdown:
        return ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)] + ["| " + " | ".join(line) + " |" for line in body]
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in [head, *body]]


def main(arguments, weft):
    parser = argparse.ArgumentParser(prog="tools/bench arrays", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", help="rows whose name begins so (may be repeated)")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--peer-seconds", type=float, default=5, help="a peer repeats no more once it has run so long")
    parser.add_argument("--minutes", type=float, default=8,
                        help="once five eighths of these have gone, weft has one process a row, and peers repeat once")
    parser.add_argument("--tenth", action="store_true", help="only weft, with a tenth of each row's data as its memory")
    parser.add_argument("--list", action="store_true", help="only say what the rows are called")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--scheduler", default="threads")
    parser.add_argument("--timeout", type=int, default=300)
    parser.add_argument("--skip", action="append", default=[], choices=PEERS, metavar="PEER")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--weft", type=pathlib.Path, default=weft)
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(row[0] for row in ROWS))
        return 0
    began = time.monotonic()
    options.late = began + 60 * options.minutes * 5 / 8
    rows = [row for row in ROWS if not options.case or any(row[0].startswith(case) for case in options.case)]
    if not rows:
        parser.error("no row begins so; known: " + ", ".join(row[0] for row in ROWS))
    if options.tenth:
        return 0 if tenth(rows, options.weft, options, 4 if options.small else 1) else 1
    peers = {}
    for peer in PEERS:
        python = None if peer in options.skip else python_of(peer)
        if python:
            peers[peer] = python
        elif peer not in options.skip:
            print(f"{peer}: not installed: pip install {peer}", file=sys.stderr)
    cores = sorted(os.sched_getaffinity(0))[:options.threads]
    os.sched_setaffinity(0, cores)
    rates = {line["params"]["kernel"]: line["gb_per_s"]
             for line in last_json([str(options.weft), "array-stream", "--threads", str(options.threads), "--json"], options.timeout)}
    best = measure(rows, peers, options.weft, options, 4 if options.small else 1)
    print("\n".join(table(rows, best, peers, rates, options.markdown)))
    if not best.stopped and (not options.case or "petabyte-plan" in options.case):
        print("\n" + "\n".join(petabyte_plan(options.weft, options.timeout)))
    print("\nleast of all runs, warm; machine: " + ", ".join(f"{name} {rate:.1f} GB/s" for name, rate in rates.items())
          + f"; all of it took {time.monotonic() - began:.0f} s")
    for (row, system), reason in best.failures.items():
        if reason != "-":
            print(f"{row}: {system}: failed: {reason}")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"rates": rates, "lines": best.all}, indent=1) + "\n", encoding="utf-8")
    return 1 if any(system == "weft" for _, system in best.failures) else 0
