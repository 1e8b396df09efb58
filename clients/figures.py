"""Measures what a call costs through each client, and prints the table of README.md.

Usage: figures.py BINARY [RUNS]. Each client's program calls by turns through a bare pipe in its own language and through
itself; here these run several times, all on one processor, for where a scheduler puts two processes is worth more than
what they do. Medians.
"""

import collections
import json
import os
import pathlib
import statistics
import subprocess
import sys

CLIENTS = pathlib.Path(__file__).resolve().parent

PROGRAMS = [
    (["/usr/bin/python3", "bench.py"], "python", {"PYTHONPATH": "src"}),
    (["node", "bench.js"], "node", {}),
    (["go", "run", "./bench"], "go", {}),
    ([str(CLIENTS.parent / ".build/release/PosternClientTrials"), "bench"], "swift", {}),
    (["bash", "bench.bash"], "bash", {}),
]
MEASURES = ["raw_us", "client_us", "overhead_us", "concurrent_calls_per_second"]


def measure(binary, runs):
    """The figures of each client, by its name."""
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    for _ in range(runs):
        for command, folder, variables in PROGRAMS:
            output = subprocess.run(
                ["taskset", "-c", "1", *command],
                cwd=CLIENTS / folder,
                env={**os.environ, **variables, "POSTERN_BIN": binary},
                stdout=subprocess.PIPE,
                check=True,
                timeout=300,
            ).stdout
            for line in output.splitlines():
                figures = json.loads(line)
                for name in MEASURES:
                    found[figures["client"]][name].append(figures[name])
    return {client: {name: statistics.median(found[client][name]) for name in MEASURES} for client in found}


def main(binary, runs):
    print("| client | a bare pipe | the client | more | 50 tasks, calls a second |\n| --- | --- | --- | --- | --- |")
    for client, figures in measure(binary, runs).items():
        raw, ours, more = (f"{figures[name]:,.1f} µs" for name in MEASURES[:3])
        print(f"| {client} | {raw} | {ours} | {more} | {figures[MEASURES[3]]:,.0f} |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else 5)
