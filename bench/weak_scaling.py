"""Weak scaling of reading and reducing, simulated: `tools/bench weak`.

The production machines in virtual time (`weft_bench simulate`): the data grows with the nodes, and each node reads its share in
chunks, whose partial results are joined pairwise. Nothing is read: sizes are numbers. Each task, joins too, is charged with the time
that a chunk takes to be read, so the run is twice as long as the reading alone: the chart shows what is lost to scheduling, moving and
waiting, not what a file system gives.
"""
import argparse
import json
import pathlib
import subprocess
import sys

CORES = 32
GIB = 1 << 30
TB = 10 ** 12


def simulate(program, nodes, terabytes, chunk_gib, gb_per_second):
    chunks = max(1, round(terabytes * TB / (chunk_gib * GIB)))
    seconds = chunk_gib * GIB / (gb_per_second * 1e9 / CORES)
    done = subprocess.run([str(program), "simulate", "--cores", str(nodes * CORES), "--slots", str(CORES), "--tasks", str(2 * chunks - 1),
                           "--task-seconds", f"{seconds:.6g}", "--shape", "tree", "--json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"tools/bench weak: {done.stderr.strip()}")
    line = json.loads(done.stdout)
    took = line["virtual_seconds"]
    return {"nodes": nodes, "terabytes": terabytes, "tasks": line["tasks"], "seconds": took,
            "efficiency": line["work_seconds"] / (nodes * CORES) / took, "ideal_over_makespan": line["ideal_over_makespan"],
            "scheduler_load": line["scheduler_load"], "machine_us_per_task": line["machine_us_per_task"]}


def table(rows, per_node):
    text = (f"## {per_node:g} TB a node\n\n| nodes | data TB | tasks | virtual s | efficiency | greedy / makespan | scheduler busy |\n"
            "| --- | --- | --- | --- | --- | --- | --- |\n")
    for row in rows:
        text += (f"| {row['nodes']} | {row['terabytes']:g} | {row['tasks']:,} | {row['seconds']:.0f} | {row['efficiency']:.3f} | "
                 f"{row['ideal_over_makespan']:.3f} | {row['scheduler_load'] * 100:.4f}% |\n")
    return text


def chart(series, nodes):
    """An SVG of efficiency over nodes, a line a series."""
    left, top, width, height = 60, 20, 560, 260
    first, last = min(nodes), max(nodes)

    def place(x, y):
        return left + (x - first) / max(1, last - first) * width, top + (1 - y) * height

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 150} {top + height + 50}" font-family="sans-serif" font-size="12">',
           f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="#f7f7f7"/>']
    for step in range(0, 11, 2):
        y = place(first, step / 10)[1]
        out.append(f'<line x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>'
                   f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{step / 10:g}</text>')
    for count in nodes:
        out.append(f'<text x="{place(count, 0)[0]:.1f}" y="{top + height + 18}" text-anchor="middle">{count}</text>')
    for (per_node, rows), colour in zip(series.items(), ("#2c5d8f", "#b5654a", "#4f8f63", "#8a6fae")):
        points = [place(row["nodes"], row["efficiency"]) for row in rows]
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        out.append(f'<text x="{points[-1][0] + 10:.1f}" y="{points[-1][1] + 4:.1f}" fill="{colour}">{per_node:g} TB a node</text>')
    out.append(f'<text x="{left + width / 2}" y="{top + height + 40}" text-anchor="middle">nodes of {CORES} cores; the data grows with them</text>')
    return "\n".join(out) + "\n</svg>\n"


def main(arguments, program):
    parser = argparse.ArgumentParser(prog="tools/bench weak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weft", type=pathlib.Path, default=program, help="the weft_bench to run")
    parser.add_argument("--nodes", type=int, nargs="+", default=[10, 20, 30, 40, 50])
    parser.add_argument("--per-node", type=float, nargs="+", default=[0.1, 2.0], help="terabytes a node, a series each (0.1 and 2)")
    parser.add_argument("--chunk", type=float, default=0.25, help="GiB of a chunk (0.25)")
    parser.add_argument("--rate", type=float, default=2.0, help="GB/s that a node reads (2)")
    parser.add_argument("--svg", type=pathlib.Path, help="write the chart there")
    options = parser.parse_args(arguments)
    if min(options.nodes) < 1 or min(options.per_node) <= 0 or options.chunk <= 0 or options.rate <= 0:
        parser.error("nodes, terabytes, chunk and rate are above 0")
    nodes = sorted(set(options.nodes))
    series = {}
    print(f"# Weak scaling, simulated: chunks of {options.chunk:g} GiB, {options.rate:g} GB/s a node\n")
    for per_node in options.per_node:
        series[per_node] = [simulate(options.weft, count, count * per_node, options.chunk, options.rate) for count in nodes]
        print(table(series[per_node], per_node), flush=True)
    if options.svg:
        options.svg.write_text(chart(series, nodes))
    return 0
