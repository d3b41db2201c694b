#!/usr/bin/env python3
"""Runs ucx_perftest beside `weft_bench transfer`, on the same machine in the same minute, and prints their ratio.

    bench/peers/ucx_perftest.py WEFT_BENCH [--json]

Pairs, each measured one after the other: weft's shared memory with UCX's (copying twice, and with cma), weft's TCP with
UCX's. ucx_perftest uses one buffer on either side; so does `--window 1`.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

MIB = 1 << 20
LATENCY = ("ucp_am_lat", 8, 20000)
BLOCKS = (("ucp_am_bw", MIB, 1000), ("ucp_am_bw", 64 * MIB, 10))
# weft's path -> what UCX may use.
PAIRS = (("shm", "posix,sysv,self"), ("shm", "posix,sysv,cma,self"), ("tcp", "tcp,self"))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def perftest(transports, test, size, count, limit=60):
    """Returns (median latency in us, bandwidth in bytes a second) of ucx_perftest, or None if it says nothing."""
    words = ["ucx_perftest", "-p", str(free_port())]
    environment = dict(os.environ, UCX_TLS=transports)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, env=environment, **quiet) as server:
        try:
            for _ in range(50):  # until it listens
                time.sleep(0.1)
                done = subprocess.run(words + ["127.0.0.1", "-t", test, "-s", str(size), "-n", str(count), "-w", "20"],
                                      env=environment, capture_output=True, text=True, timeout=limit, check=False)
                found = re.search(r"Final:\s+(.*)", done.stdout)
                if found:
                    numbers = [float(word) for word in found.group(1).split()]
                    return numbers[1], numbers[5] * MIB
        except subprocess.TimeoutExpired:
            return None
        finally:
            server.kill()
    return None


def weft(program, *words):
    done = subprocess.run([program, "transfer", "--json", *words], capture_output=True, text=True, timeout=120, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(program):
    for path, transports in PAIRS:
        theirs = perftest(transports, *LATENCY)
        ours = weft(program, "--what", "latency", "--bytes", "8", "--count", str(LATENCY[2]), "--path", path)["us_median"]
        yield {"what": "latency us", "bytes": 8, "weft": path, "ucx": transports, "weft_value": ours,
               "ucx_value": theirs and theirs[0], "ratio": theirs and theirs[0] / ours}
        for test, size, count in BLOCKS:
            theirs = perftest(transports, test, size, count)
            ours = weft(program, "--bytes", str(size), "--count", str(max(count // 4, 4)), "--window", "1",
                        "--path", path)["gigabytes_per_second"]
            yield {"what": "blocks GB/s", "bytes": size, "weft": path, "ucx": transports, "weft_value": ours,
                   "ucx_value": theirs and theirs[1] / 1e9, "ratio": theirs and ours / (theirs[1] / 1e9)}


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    if shutil.which("ucx_perftest") is None:
        print("ucx_perftest was not found (ucx-utils)", file=sys.stderr)
        return 1
    for line in measure(sys.argv[1]):
        if "--json" in sys.argv:
            print(json.dumps(line), flush=True)
        else:
            shown = {key: f"{value:.3g}" if isinstance(value, float) else value for key, value in line.items()}
            print("{what:12} {bytes:>9}  weft {weft}: {weft_value:>6}  ucx {ucx}: {ucx_value}  ratio {ratio}".format(**shown),
                  flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
