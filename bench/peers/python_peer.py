"""Measures one of Python's systems: `python_peer.py CASE --system NAME [--key value ...]`, the JSON of weft_bench.

Systems: dask-threads, dask-distributed, dask-distributed-tuned, ray.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import threading
import time

import python_kernel as kernel


class DaskThreads:
    """A graph as a dictionary, one entry a task, on the threaded scheduler: Dask's cheapest form."""

    name = "dask-threads"

    def __init__(self, threads):
        import dask
        import dask.threaded

        self.version = dask.__version__
        self._get = lambda graph, keys: dask.threaded.get(graph, keys, num_workers=threads)

    def run_shape(self, inputs, finished):
        graph = {}
        for index, taken in enumerate(inputs):
            if not taken:
                graph["task", index] = (kernel.source, index)
            elif len(taken) == 1:
                graph["task", index] = (kernel.extend, ("task", taken[0]))
            else:
                graph["task", index] = (kernel.combine, ("task", taken[0]), ("task", taken[1]))
        values = self._get(graph, list(graph))
        finished()
        return values

    def run_pattern(self, grid, iterations):
        graph = {}
        for step, row in enumerate(grid):
            for point, taken in enumerate(row):
                graph["task", step, point] = (kernel.run_point, step, point, iterations, taken,
                                              *(("task", step - 1, i) for i in taken))
        return self._get(graph, list(graph))

    def roundtrip(self, value):
        return self._get({"task": (kernel.extend, value)}, "task")

    def close(self):
        pass


class DaskDistributed:
    """Client.submit on a LocalCluster of one-thread processes; tuned or as it comes."""

    def __init__(self, threads, tuned):
        import dask
        import distributed

        self.name = "dask-distributed-tuned" if tuned else "dask-distributed"
        self.version = distributed.__version__
        dask.config.set({"logging.distributed": "error"})
        if tuned:
            dask.config.set({"distributed.scheduler.worker-saturation": float("inf")})
        self._cluster = distributed.LocalCluster(
            n_workers=threads, threads_per_worker=1, processes=True, dashboard_address=None)
        self._client = distributed.Client(self._cluster)
        self._client.wait_for_workers(threads)
        if tuned:
            self._shorten_batching(1e-4)

    def _shorten_batching(self, seconds):
        # There is no option for these four timers (2 ms, 2 ms, 5 ms, 10 ms as it comes).
        def shorten_worker(dask_worker):
            dask_worker.batched_stream.interval = seconds

        self._client.run(shorten_worker)
        scheduler = self._cluster.scheduler
        for stream in [*scheduler.stream_comms.values(), *scheduler.client_comms.values()]:
            stream.interval = seconds
        self._client.scheduler_comm.interval = seconds

    def run_shape(self, inputs, finished):
        submit = self._client.submit
        futures = []
        for index, taken in enumerate(inputs):
            if not taken:
                futures.append(submit(kernel.source, index, pure=False))
            elif len(taken) == 1:
                futures.append(submit(kernel.extend, futures[taken[0]], pure=False))
            else:
                futures.append(submit(kernel.combine, futures[taken[0]], futures[taken[1]], pure=False))
        values = self._client.gather(futures)
        finished()
        return values

    def run_pattern(self, grid, iterations):
        submit = self._client.submit
        previous, every = [], []
        for step, row in enumerate(grid):
            current = [submit(kernel.run_point, step, point, iterations, taken, *(previous[i] for i in taken), pure=False)
                       for point, taken in enumerate(row)]
            every += current
            previous = current
        return self._client.gather(every)

    def roundtrip(self, value):
        return self._client.submit(kernel.extend, value, pure=False).result()

    def close(self):
        self._client.close()
        self._cluster.close()


class Ray:
    """Remote functions on a local Ray."""

    name = "ray"

    def __init__(self, threads):
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_DEDUP_LOGS", "0")
        import ray

        self._ray = ray
        self.version = ray.__version__
        ray.init(num_cpus=threads, include_dashboard=False, log_to_driver=False, logging_level="ERROR",
                 object_store_memory=200 * 2**20)
        self._source = ray.remote(kernel.source)
        self._extend = ray.remote(kernel.extend)
        self._combine = ray.remote(kernel.combine)
        self._point = ray.remote(kernel.run_point)

    def run_shape(self, inputs, finished):
        tasks = []
        for index, taken in enumerate(inputs):
            if not taken:
                tasks.append(self._source.remote(index))
            elif len(taken) == 1:
                tasks.append(self._extend.remote(tasks[taken[0]]))
            else:
                tasks.append(self._combine.remote(tasks[taken[0]], tasks[taken[1]]))
        values = self._ray.get(tasks)
        finished()
        return values

    def run_pattern(self, grid, iterations):
        previous, every = [], []
        for step, row in enumerate(grid):
            current = [self._point.remote(step, point, iterations, taken, *(previous[i] for i in taken))
                       for point, taken in enumerate(row)]
            every += current
            previous = current
        return self._ray.get(every)

    def roundtrip(self, value):
        return self._ray.get(self._extend.remote(value))

    def close(self):
        self._ray.shutdown()


def make_system(name, threads):
    if name == "dask-threads":
        return DaskThreads(threads)
    if name in ("dask-distributed", "dask-distributed-tuned"):
        return DaskDistributed(threads, tuned=name.endswith("tuned"))
    if name == "ray":
        return Ray(threads)
    raise SystemExit(f"no system is named '{name}'; known: dask-threads dask-distributed dask-distributed-tuned ray")


def resident_bytes():
    """Returns the resident memory of this process and of all it started."""
    parents, resident = {}, {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry)] = int(fields[1])
        resident[int(entry)] = int(fields[21]) * os.sysconf("SC_PAGESIZE")
    total = 0
    for process in resident:
        ancestor = process
        while ancestor not in (0, os.getpid()):
            ancestor = parents.get(ancestor, 0)
        if ancestor == os.getpid():
            total += resident[process]
    return total


def emit(system, case, params, **fields):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"case": case, "peer": system.name, "version": system.version, "params": params,
                      **fields, "peak_rss_bytes": peak}), flush=True)


def measure_shape(system, options):
    inputs = kernel.shape_inputs(options.case, options.tasks)
    expected = kernel.shape_values(inputs)
    count = len(inputs)
    grown = []
    before = resident_bytes()
    seconds = []
    for repetition in range(options.reps + 1):
        start = time.perf_counter()
        values = system.run_shape(inputs, lambda: grown.append(resident_bytes()) if not grown else None)
        seconds.append(time.perf_counter() - start)
        if list(values) != expected:
            raise SystemExit(f"{system.name} computed wrong values for {options.case}")
    cold, warm = seconds[0], seconds[1:] or seconds
    emit(system, options.case, {"tasks": count, "threads": options.threads}, seconds_min=min(warm),
         seconds_median=statistics.median(warm), tasks=count, us_per_task=min(warm) * 1e6 / count,
         us_per_task_cold=cold * 1e6 / count, tasks_per_second=count / min(warm),
         bytes_per_task=(grown[0] - before) / count)


def measure_roundtrip(system, options):
    for idle in (0.0, 100e-6):
        count = options.count if idle == 0 else max(options.count // 5, 10)
        seconds = []
        deadline = time.perf_counter() + options.max_seconds
        for index in range(-(count // 10), count):
            if seconds and time.perf_counter() > deadline:
                break
            start = time.perf_counter()
            until = start + idle
            while start < until:
                start = time.perf_counter()
            value = system.roundtrip(index % 2**32)
            end = time.perf_counter()
            if value != kernel.extend(index % 2**32):
                raise SystemExit(f"{system.name} returned a wrong value from a round trip")
            if index >= 0:
                seconds.append(end - start)
        seconds.sort()
        emit(system, "roundtrip", {"idle_us": round(idle * 1e6), "threads": options.threads},
             seconds_min=seconds[0], seconds_median=statistics.median(seconds),
             us_median=statistics.median(seconds) * 1e6, us_p99=seconds[int(0.99 * (len(seconds) - 1))] * 1e6)


def kernel_seconds_per_iteration(threads):
    """Returns the time of one iteration of the kernel when `threads` threads run it at once: the best of five rounds."""
    iterations = 10_000_000
    best = 1.0
    for _ in range(5):
        ready = threading.Barrier(threads)
        taken = []

        def body():
            ready.wait()
            start = time.perf_counter()
            kernel.compute_bound(iterations)
            taken.append(time.perf_counter() - start)

        pool = [threading.Thread(target=body) for _ in range(threads)]
        for thread in pool:
            thread.start()
        for thread in pool:
            thread.join()
        best = min(best, max(taken) / iterations)
    return best


def undisturbed_seconds_per_iteration():
    """Returns the time of one iteration in the best of many short moments: the machine's rate, however busy it is."""
    best = 1.0
    for _ in range(20):
        start = time.perf_counter()
        kernel.compute_bound(50_000)
        best = min(best, (time.perf_counter() - start) / 50_000)
    return best


def finish_metg(points, tasks, cores, seconds_per_iteration):
    """bench/metg.hpp's finish_metg: returns (metg_us, complete) and fills in the points' efficiency."""
    ideal = min([seconds_per_iteration * tasks / cores] +
                [point["seconds"] / point["iterations"] for point in points if point["iterations"]])
    above, metg, complete = None, 0.0, False
    for point in points:
        point["efficiency"] = ideal * point["iterations"] / point["seconds"]
        if point["efficiency"] >= 0.5:
            above, metg, complete = point, point["granularity_us"], False
        elif above is not None and not complete:
            part = (above["efficiency"] - 0.5) / (above["efficiency"] - point["efficiency"])
            metg = above["granularity_us"] + part * (point["granularity_us"] - above["granularity_us"])
            complete = True
    return metg, complete


def measure_metg(system, options):
    grid = kernel.pattern_dependencies(options.pattern, options.width, options.steps, options.radix)
    tasks = sum(len(row) for row in grid)
    edges = sum(len(taken) for row in grid for taken in row)
    per_iteration = kernel_seconds_per_iteration(options.threads)
    deadline = time.perf_counter() + options.max_seconds

    def run(iterations):
        start = time.perf_counter()
        payloads = system.run_pattern(grid, iterations)
        seconds = time.perf_counter() - start
        valid = sum(payload[2] for payload in payloads)
        if valid != edges:
            raise SystemExit(f"{system.name}: {valid} of {edges} inputs were right in {options.pattern}")
        return seconds

    def measure(iterations):
        seconds = run(iterations)
        for _ in range(options.reps - 1):
            if time.perf_counter() > deadline:
                break
            seconds = min(seconds, run(iterations))
        return {"iterations": iterations, "seconds": seconds, "granularity_us": seconds * 1e6 * options.threads / tasks}

    run(0)
    floor = measure(0)["granularity_us"]
    undisturbed = undisturbed_seconds_per_iteration()
    iterations = 1
    while iterations * undisturbed * 1e6 < 8 * floor:
        iterations *= 2
    points = [measure(iterations)]
    metg, complete = finish_metg(points, tasks, options.threads, per_iteration)
    larger = 0
    while points[0]["efficiency"] < 0.5 and larger < 6 and time.perf_counter() < deadline:
        larger += 1
        points.insert(0, measure(points[0]["iterations"] * 2))
        metg, complete = finish_metg(points, tasks, options.threads, per_iteration)
    below = 0
    iterations //= 2
    while iterations and below < 2 and time.perf_counter() < deadline:
        points.append(measure(iterations))
        metg, complete = finish_metg(points, tasks, options.threads, per_iteration)
        below = below + 1 if points[-1]["efficiency"] < 0.5 else 0
        iterations //= 2
    emit(system, "metg", {"pattern": options.pattern, "width": options.width, "radix": options.radix,
                          "steps": options.steps, "threads": options.threads},
         tasks=tasks, edges_validated=edges, us_per_task=floor, metg_us=metg, complete=complete,
         ns_per_iteration=per_iteration * 1e9)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=["version", "independent", "tree", "chain", "random-dag", "roundtrip", "metg"])
    parser.add_argument("--system", required=True)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--pattern", default="stencil_1d")
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--radix", type=int, default=5)
    parser.add_argument("--max-seconds", type=float, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    system = make_system(options.system, options.threads)
    try:
        if options.case == "version":
            print(system.name, system.version)
        elif options.case == "metg":
            measure_metg(system, options)
        elif options.case == "roundtrip":
            measure_roundtrip(system, options)
        else:
            measure_shape(system, options)
    finally:
        system.close()


if __name__ == "__main__":
    sys.exit(main())
