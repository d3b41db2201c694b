"""tools/bench cluster: weft under mpirun beside Dask distributed and Ray on worker processes of this machine, in one table.

    tools/bench cluster                 2 workers each, all rows
    tools/bench cluster --quick         fewer tasks
    tools/bench cluster --ranks 4       another number of weft's ranks (each holds a worker)
    tools/bench cluster --json FILE     also every line measured

startup: from the start of the command to the first result, and from the last result to the end of the last process.
killed: the same work twice; in the second run one worker is killed (SIGKILL) when half of the tasks have run. "x recomputed": how many
tasks ran again, over those that the killed worker had run. Fast path: shared memory between the workers of this machine; safe path:
TCP (`--weft-transport=tcp`). The last column is what weft must reach.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = pathlib.Path(os.environ.get("WEFT_BENCH_PEERS") or ROOT / "build" / "peers")
SHAPES = ("independent", "tree", "chain")
PARTS = ("start", "tasks", "moving", "losing", "many", "transfers", "peers")

# What weft's rows must reach; those that are missing here have no number to reach.
GOALS = {
    "independent": ("<=", 0.2),
    "submit one by one": ("<=", 2),
    "roundtrip": ("<=", 3),
    "roundtrip, safe path": ("<=", 15),
    "metg stencil_1d": ("<=", 1.5),
    "metg stencil_1d, safe path": ("<=", 15),
    "bulk bytes through the scheduler": ("<=", 0),
    "startup 16": ("<=", 2),
    "end 16": ("<=", 2),
    "1 of 3 killed at half, independent": ("<=", 1.5),
    "1 of 3 killed at half, tree": ("<=", 1.5),
    "1 of 3 killed at half, move": ("<=", 1.5),
    "client's CPU, 24 ranks over 3": ("<=", 1.5),
    "idle for 60 s": ("<=", 1),
    "blocks of 1 MiB, of ucx_perftest's": (">=", 0.85),
    "blocks of 64 MiB, of ucx_perftest's": (">=", 0.85),
}


def goal_text(row, system, value):
    """Returns the goal of a row and whether it is met, or nothing."""
    if row not in GOALS or not system.startswith("weft"):
        return ""
    sign, number = GOALS[row]
    if value is None:
        return f"{sign} {number}"
    met = value <= number if sign == "<=" else value >= number
    return f"{sign} {number} {'met' if met else 'MISSED'}"


# Says when its first result is there, then ends: what weft's case `startup` does.
STARTUP = {
    "dask-distributed": """
from distributed import Client
if __name__ == "__main__":
    client = Client(n_workers={n}, threads_per_worker=1, dashboard_address=None)
    print(client.submit(lambda x: x + 1, 1).result(), flush=True)
    client.close(); client.cluster.close()
""",
    "ray": """
import ray
ray.init(num_cpus={n}, include_dashboard=False, logging_level="error")
@ray.remote
def f(x): return x + 1
print(ray.get(f.remote(1)), flush=True)
ray.shutdown()
""",
}


def mpirun(ranks):
    return ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none"]


def environment(peer=False):
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("WEFT_") or name.startswith("WEFT_BENCH")}
    kept.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    if peer:  # weft itself refuses variables of its name that it does not know
        kept["WEFT_PEER_KERNEL"] = os.environ.get("WEFT_PEER_KERNEL", str(PEERS / "libpeer_python.so"))
        kept["PYTHONPATH"] = str(ROOT / "bench" / "peers")  # their workers import the kernel by name
    return kept


def python_with(module):
    for python in (os.environ.get("WEFT_BENCH_PYTHON"), str(ROOT / ".venv" / "bin" / "python"), sys.executable):
        if python and shutil.which(python):
            probe = f"import importlib.util as u; raise SystemExit(not u.find_spec('{module}'))"
            if subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode == 0:
                return python
    return None


class Table:
    """The measured lines."""

    def __init__(self):
        self.rows = []
        self.lines = []

    def add(self, row, system, value, unit, note=""):
        self.rows.append((row, system, "-" if value is None else f"{value:,.4g}", unit, note, goal_text(row, system, value)))
        self.lines.append({"row": row, "system": system, "value": value, "unit": unit, "note": note})
        print(f"  {row}: {system}: {self.rows[-1][2]} {unit} {note}", file=sys.stderr, flush=True)

    def text(self):
        head = ("row", "system", "value", "unit", "note", "goal")
        widths = [max(len(line[i]) for line in [head, *self.rows]) for i in range(len(head))]
        lines, last = [], None
        for line in [head, *self.rows]:
            shown = ("" if line[0] == last else line[0], *line[1:])
            last = line[0]
            lines.append("  ".join(text.rjust(w) if i == 2 else text.ljust(w)
                                   for i, (text, w) in enumerate(zip(shown, widths))).rstrip())
        return "\n".join(lines)


def measure(command, timeout, peer=False):
    """Runs a command that prints JSON lines; returns them, or the reason there are none."""
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=environment(peer), start_new_session=True) as process:
        try:
            out, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            end_all(process)
            return [], f"more than {timeout} s"
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    if process.returncode != 0 or not lines:
        words = (errors.strip().splitlines() or ["no output"])[-1]
        return [], f"exit {process.returncode}: {words[:80]}"
    return lines, ""


def end_all(process):
    """Ends a command and all that it has started, also what has a session of its own."""
    for pid in [process.pid, *descendants(process.pid)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def descendants(pid):
    found, left = [], [pid]
    while left:
        try:
            with open(f"/proc/{left[0]}/task/{left[0]}/children", encoding="ascii") as file:
                more = [int(word) for word in file.read().split()]
        except OSError:
            more = []
        found += more
        left = left[1:] + more
    return found


def startup(command, timeout):
    """Returns (seconds to the first line, seconds from there to the end of the command and all it started), or a reason."""
    begin = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               env=environment())
    late = threading.Timer(timeout, end_all, [process])
    late.daemon = True
    late.start()
    line = process.stdout.readline()
    first = time.monotonic()
    pids = descendants(process.pid)
    process.stdout.read()
    code = process.wait(timeout=timeout)
    late.cancel()
    while any(os.path.exists(f"/proc/{pid}") for pid in pids) and time.monotonic() - first < timeout:
        time.sleep(0.005)
    if code != 0 or not line:
        return None, None, f"exit {code}"
    return first - begin, time.monotonic() - first, ""


def best(lines, key):
    return min((line[key] for line in lines if key in line), default=None)


def processor_seconds(pids):
    """Returns what the processes have used so far."""
    ticks = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        except OSError:
            pass
    return ticks / os.sysconf("SC_CLK_TCK")


def idle_share(command, seconds, timeout):
    """Returns the share of a core that an idle job uses, launcher included, or a reason."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               env=environment())
    for line in process.stdout:
        if line.startswith("idle"):
            break
    time.sleep(1)
    pids = [process.pid, *descendants(process.pid)]
    before, begin = processor_seconds(pids), time.monotonic()
    time.sleep(seconds)
    share = (processor_seconds(pids) - before) / (time.monotonic() - begin)
    process.stdout.read()
    code = process.wait(timeout=timeout)
    return (share, "") if code == 0 else (None, f"exit {code}")


class Weft:
    """weft_bench under mpirun."""

    def __init__(self, options, table):
        self.options, self.table = options, table

    def command(self, words, ranks=None, safe=False):
        variables = ["-x", "WEFT_TRANSPORT=tcp"] if safe else []
        return [*mpirun(ranks or self.options.ranks), *variables, self.options.weft, *words, "--scheduler", "mpi", "--json"]

    def lines(self, *words, ranks=None, safe=False):
        return measure(self.command(words, ranks, safe), self.options.timeout)

    def start_and_end(self):
        for ranks in (self.options.ranks, 16):
            for _ in range(3):
                first, end, why = startup(self.command(["startup"], ranks), self.options.timeout)
                self.table.add(f"startup {ranks}", "weft", first, "s", why)
                self.table.add(f"end {ranks}", "weft", end, "s", why)

    def tasks(self):
        for shape in SHAPES:
            lines, why = self.lines(shape, "--tasks", self.options.tasks, "--repeat", 5)
            self.table.add(shape, "weft", best(lines, "us_per_task"), "us a task", why)
        lines, why = self.lines("submit", "--tasks", self.options.tasks, "--repeat", 3)
        self.table.add("submit one by one", "weft", best(lines, "us_per_task"), "us a task", why)
        lines, why = self.lines("nested", "--n", 22)
        self.table.add("nested fib(22)", "weft", best(lines, "us_per_task"), "us a task", why)
        for path in ("", ", safe path"):
            lines, why = self.lines("metg", "--pattern", "stencil_1d", safe=path != "")
            self.table.add(f"metg stencil_1d{path}", "weft", best(lines, "metg_us"), "core-us", why)
            lines, why = self.lines("roundtrip", safe=path != "")
            for line in lines:
                idle = line["params"]["idle_us"]
                self.table.add(f"roundtrip{path}" if idle == 0 else f"roundtrip idle {idle}{path}", "weft", line["us_median"], "us",
                               f"least {line['seconds_min'] * 1e6:.3g} us")
            if why:
                self.table.add(f"roundtrip{path}", "weft", None, "us", why)

    def moving(self):
        lines, why = self.lines("move")
        bulk = max((line["bulk_bytes_through_client"] for line in lines), default=None)
        self.table.add("move 256 MiB", "weft", max((line["gigabytes_per_second"] for line in lines), default=None), "GB/s", why)
        self.table.add("bulk bytes through the scheduler", "weft", bulk, "bytes", why)

    def losing(self):
        for words in (["independent"], ["tree"], ["move"], ["nested", "--n", 25]):
            lines, why = self.lines("recover", "--shape", *words, ranks=3)
            row = f"1 of 3 killed at half, {words[0]}"
            if len(lines) != 2:
                self.table.add(row, "weft", None, "x", why or "two lines were expected")
                continue
            calm, killed = lines
            times = f"{calm['seconds']:.2f} s, with the kill {killed['seconds']:.2f} s"
            if words[0] == "nested":
                threads = f"most threads of a worker {calm['most_threads_of_a_worker']}, {killed['most_threads_of_a_worker']}"
                self.table.add(row, "weft", killed["seconds"] / calm["seconds"], "x the time", f"{times}; {threads}")
                continue
            note = f"{killed['recomputed_tasks']:,} of {killed['lost_tasks']:,}; {times}"
            self.table.add(row, "weft", killed["recomputed_per_lost"] if killed["killed"] else None, "x recomputed",
                           note if killed["killed"] else "nothing was killed")

    def many(self):
        spent = []
        for ranks in (3, 24):
            lines, why = self.lines("crowd", "--threads", 1, ranks=ranks)
            spent.append(best(lines, "client_cpu_us_per_task"))
            self.table.add(f"client's CPU, {ranks} ranks", "weft", spent[-1], "us a task",
                           why or f"wall {best(lines, 'us_per_task'):.3g} us a task")
        if all(spent):
            self.table.add("client's CPU, 24 ranks over 3", "weft", spent[1] / spent[0], "x")
        seconds = 10 if self.options.quick else 60
        share, why = idle_share(self.command(["idle", "--seconds", seconds + 3]), seconds, self.options.timeout)
        self.table.add(f"idle for {seconds} s", "weft", None if share is None else share * 100, "% of a core", why)

    def part(self, name):
        {"start": self.start_and_end, "tasks": self.tasks, "moving": self.moving, "losing": self.losing, "many": self.many}[name]()


def transfers(options, table):
    """Blocks of weft beside ucx_perftest, in turns."""
    if shutil.which("ucx_perftest") is None:
        table.add("transfer", "ucx", None, "", "not installed: ucx-utils")
        return
    peer = [sys.executable, ROOT / "bench" / "peers" / "ucx_perftest.py", options.weft, "--json"]
    done = subprocess.run([str(word) for word in peer], capture_output=True, text=True, timeout=options.timeout, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            one = json.loads(line)
            what, unit = one["what"].split()
            row = f"transfer {what} of {one['bytes']:,} bytes"
            table.add(row, f"weft {one['weft']}", one["weft_value"], unit, f"{one['ratio'] or 0:.2f} of ucx {one['ucx']}")
            table.add(row, f"ucx {one['ucx']}", one["ucx_value"], unit)


def measure_python(name, module, options, table):
    python = python_with(module)
    if python is None:
        table.add(f"startup {options.workers}", name, None, "s", f"not installed: tools/setup --bench")
        return
    script = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"weft-bench-startup-{os.getpid()}.py"
    script.write_text(STARTUP[name].format(n=options.workers), encoding="utf-8")
    try:
        first, end, why = startup([python, script], options.peer_timeout)
    finally:
        script.unlink()
    table.add(f"startup {options.workers}", name, first, "s", why)
    table.add(f"end {options.workers}", name, end, "s", why)
    peer = [python, ROOT / "bench" / "peers" / "python_peer.py", "--threads", options.workers]
    for system in [name] + (["dask-distributed-tuned"] if name.startswith("dask") else []):
        for shape in SHAPES:
            tasks = 300 if shape == "chain" else 2000
            lines, why = measure([*peer, shape, "--system", system, "--tasks", tasks, "--reps", 3, "--json"], options.peer_timeout, peer=True)
            table.add(shape, system, min((line["us_per_task"] for line in lines), default=None), "us a task", why)
        lines, why = measure([*peer, "roundtrip", "--system", system, "--count", 100, "--json"], options.peer_timeout, peer=True)
        table.add("roundtrip", system, lines[0]["us_median"] if lines else None, "us", why)
        lines, why = measure([*peer, "metg", "--system", system, "--pattern", "stencil_1d", "--steps", 25, "--reps", 3, "--json"],
                             options.peer_timeout, peer=True)
        table.add("metg stencil_1d", system, best(lines, "metg_us"), "core-us", why)


def main(arguments, weft):
    parser = argparse.ArgumentParser(prog="tools/bench cluster", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="100,000 tasks a graph")
    parser.add_argument("--ranks", type=int, default=2, help="weft's ranks; each holds a worker (2)")
    parser.add_argument("--workers", type=int, default=2, help="workers of the other systems (2)")
    parser.add_argument("--tasks", type=int, default=None, help="tasks of weft's graphs (1,000,000)")
    parser.add_argument("--skip", action="append", default=[], choices=["dask-distributed", "ray"])
    parser.add_argument("--part", action="append", choices=PARTS, help="these rows only (may be repeated)")
    parser.add_argument("--timeout", type=int, default=600, help="seconds for a row of weft's (600)")
    parser.add_argument("--peer-timeout", type=int, default=120, help="seconds for a row of the others' (120)")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--weft", type=pathlib.Path, default=weft)
    options = parser.parse_args(arguments)
    options.tasks = options.tasks or (100_000 if options.quick else 1_000_000)
    if shutil.which("mpirun") is None:
        print("tools/bench cluster: there is no mpirun here (tools/setup installs one)", file=sys.stderr)
        return 1
    table = Table()
    try:
        for part in options.part or PARTS:
            if part == "transfers":
                transfers(options, table)
            elif part != "peers":
                Weft(options, table).part(part)
        for name, module in (("dask-distributed", "distributed"), ("ray", "ray")):
            if name not in options.skip and "peers" in (options.part or PARTS):
                measure_python(name, module, options, table)
    except KeyboardInterrupt:
        print("stopped: what was measured until here follows", file=sys.stderr)
    print(table.text())
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(table.lines, indent=1) + "\n", encoding="utf-8")
    return 0
