"""tools/bench cluster: weft under mpirun beside Dask distributed and Ray on worker processes of this machine, in one table.

    tools/bench cluster                 2 workers each, all rows
    tools/bench cluster --quick         fewer tasks
    tools/bench cluster --ranks 4       another number of weft's ranks (each holds a worker)
    tools/bench cluster --json FILE     also every line measured

startup: from the start of the command to the first result, and from the last result to the end of the last process.
recover: the same work twice; in the second run one worker is killed (SIGKILL) in the middle.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHAPES = ("independent", "tree", "chain")

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


def environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_") or name.startswith("WEFT_BENCH")}
    kept.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
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
        self.rows.append((row, system, "-" if value is None else f"{value:,.4g}", unit, note))
        self.lines.append({"row": row, "system": system, "value": value, "unit": unit, "note": note})
        print(f"  {row}: {system}: {self.rows[-1][2]} {unit} {note}", file=sys.stderr, flush=True)

    def text(self):
        head = ("row", "system", "value", "unit", "note")
        widths = [max(len(line[i]) for line in [head, *self.rows]) for i in range(5)]
        lines, last = [], None
        for line in [head, *self.rows]:
            shown = ("" if line[0] == last else line[0], *line[1:])
            last = line[0]
            lines.append("  ".join(text.rjust(w) if i == 2 else text.ljust(w)
                                   for i, (text, w) in enumerate(zip(shown, widths))).rstrip())
        return "\n".join(lines)


def measure(command, timeout):
    """Runs a command that prints JSON lines; returns them, or the reason there are none."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=timeout, env=environment(),
                              check=False)
    except subprocess.TimeoutExpired:
        return [], f"more than {timeout} s"
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        words = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return [], f"exit {done.returncode}: {words[:80]}"
    return lines, ""


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
    line = process.stdout.readline()
    first = time.monotonic()
    pids = descendants(process.pid)
    process.stdout.read()
    code = process.wait(timeout=timeout)
    while any(os.path.exists(f"/proc/{pid}") for pid in pids) and time.monotonic() - first < timeout:
        time.sleep(0.005)
    if code != 0 or not line:
        return None, None, f"exit {code}"
    return first - begin, time.monotonic() - first, ""


def weft_workers(pid):
    """Returns weft's worker processes below mpirun: those that no launcher's variable has reached."""
    found = []
    for child in descendants(pid):
        try:
            with open(f"/proc/{child}/environ", "rb") as file:
                if b"WEFT_INTERNAL_WORKER=" in file.read():
                    found.append(child)
        except OSError:
            pass
    return found


def recover(command, timeout):
    """Kills a worker in the middle of the second run; returns both runs' seconds, or a reason."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               env=environment())
    seconds = []
    for line in process.stdout:
        if line.startswith("begin 1"):
            time.sleep(seconds[0] / 2)
            workers = weft_workers(process.pid)
            if workers:
                os.kill(workers[-1], signal.SIGKILL)
        elif line.startswith("{"):
            seconds.append(json.loads(line)["seconds"])
    code = process.wait(timeout=timeout)
    return (seconds, "") if code == 0 and len(seconds) == 2 else (None, f"exit {code}")


def measure_weft(options, table):
    launch = mpirun(options.ranks)
    for _ in range(3):
        first, end, why = startup([*launch, options.weft, "startup", "--scheduler", "mpi", "--json"], options.timeout)
        table.add("startup", "weft", first, "s", why)
        table.add("end", "weft", end, "s", why)
    for shape in SHAPES:
        lines, why = measure([*launch, options.weft, shape, "--scheduler", "mpi", "--tasks", options.tasks, "--reps", 3, "--json"],
                             options.timeout)
        table.add(shape, "weft", min((line["us_per_task"] for line in lines), default=None), "us a task", why)
    for words in (["roundtrip"], ["submit"]):
        lines, why = measure([*launch, options.weft, *words, "--scheduler", "mpi", "--json"], options.timeout)
        for line in lines[:1]:
            table.add(words[0], "weft", line.get("us_median", line.get("us_per_task")), "us", f"idle {line['params'].get('idle_us', 0)} us")
        if why:
            table.add(words[0], "weft", None, "us", why)
    for shape in ("independent", "tree"):
        seconds, why = recover([*launch, options.weft, "recover", "--shape", shape, "--scheduler", "mpi", "--json"], options.timeout)
        table.add(f"recover {shape}", "weft", seconds[1] / seconds[0] if seconds else None, "x of the undisturbed run",
                  why or f"{seconds[0]:.2f} s, with a worker killed {seconds[1]:.2f} s")


def measure_python(name, module, options, table):
    python = python_with(module)
    if python is None:
        table.add("startup", name, None, "s", f"not installed: tools/setup --bench")
        return
    script = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"weft-bench-startup-{os.getpid()}.py"
    script.write_text(STARTUP[name].format(n=options.workers), encoding="utf-8")
    try:
        first, end, why = startup([python, script], options.timeout)
    finally:
        script.unlink()
    table.add("startup", name, first, "s", why)
    table.add("end", name, end, "s", why)
    peer = [python, ROOT / "bench" / "peers" / "python_peer.py", "--threads", options.workers]
    for system in [name] + (["dask-distributed-tuned"] if name.startswith("dask") else []):
        for shape in SHAPES:
            tasks = 300 if shape == "chain" else 2000
            lines, why = measure([*peer, shape, "--system", system, "--tasks", tasks, "--reps", 3, "--json"], options.timeout)
            table.add(shape, system, min((line["us_per_task"] for line in lines), default=None), "us a task", why)
        lines, why = measure([*peer, "roundtrip", "--system", system, "--count", 100, "--json"], options.timeout)
        table.add("roundtrip", system, lines[0]["us_median"] if lines else None, "us", why)


def main(arguments, weft):
    parser = argparse.ArgumentParser(prog="tools/bench cluster", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="100,000 tasks a graph")
    parser.add_argument("--ranks", type=int, default=2, help="weft's ranks; each holds a worker (2)")
    parser.add_argument("--workers", type=int, default=2, help="workers of the other systems (2)")
    parser.add_argument("--tasks", type=int, default=None, help="tasks of weft's graphs (1,000,000)")
    parser.add_argument("--skip", action="append", default=[], choices=["dask-distributed", "ray"])
    parser.add_argument("--timeout", type=int, default=600)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--weft", type=pathlib.Path, default=weft)
    options = parser.parse_args(arguments)
    options.tasks = options.tasks or (100_000 if options.quick else 1_000_000)
    if shutil.which("mpirun") is None:
        print("tools/bench cluster: there is no mpirun here (tools/setup installs one)", file=sys.stderr)
        return 1
    table = Table()
    measure_weft(options, table)
    for name, module in (("dask-distributed", "distributed"), ("ray", "ray")):
        if name not in options.skip:
            measure_python(name, module, options, table)
    print(table.text())
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(table.lines, indent=1) + "\n", encoding="utf-8")
    return 0
