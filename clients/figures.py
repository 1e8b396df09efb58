"""Measures the cost of a call through each client, and prints the tables of README.md.

Usage: figures.py BINARY [RUNS | opening]. Each client has a program that calls through a bare pipe in the client's
language and through the client, in alternating batches. This runs the programs RUNS times (5 by default) and prints
medians. All run on one processor, because otherwise the scheduler's placement of the two processes outweighs the cost
of a call. With `opening`, it measures the cost of opening, with and without the wait for a first reply.
"""

import collections
import json
import os
import pathlib
import statistics
import subprocess
import sys

CLIENTS = pathlib.Path(__file__).resolve().parent

SWIFT = str(CLIENTS.parent / ".build/release/PosternClientTrials")
PROGRAMS = [
    (["/usr/bin/python3", "bench.py"], "python", {"PYTHONPATH": "src"}),
    (["node", "bench.js"], "node", {}),
    (["go", "run", "./bench"], "go", {}),
    ([SWIFT, "bench"], "swift", {}),
]
MEASURES = ["raw_us", "client_us", "overhead_us", "concurrent_calls_per_second"]


def run(command, folder, variables, binary):
    """The objects that a client's program prints, one for each of its clients."""
    output = subprocess.run(
        ["taskset", "-c", "1", *command],
        cwd=CLIENTS / folder,
        env={**os.environ, **variables, "POSTERN_BIN": binary},
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    ).stdout
    return [json.loads(line) for line in output.splitlines()]


def measure(binary, runs):
    """The medians of each client, by client name and measure."""
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    for _ in range(runs):
        for command, folder, variables in PROGRAMS:
            for figures in run(command, folder, variables, binary):
                for name in MEASURES:
                    found[figures["client"]][name].append(figures[name])
    return {client: {name: statistics.median(found[client][name]) for name in MEASURES} for client in found}


def main(binary, runs):
    print("| client | a bare pipe | the client | more | 50 tasks, calls a second |\n| --- | --- | --- | --- | --- |")
    for client, figures in measure(binary, runs).items():
        raw, ours, more = (f"{figures[name]:,.1f} µs" for name in MEASURES[:3])
        print(f"| {client} | {raw} | {ours} | {more} | {figures[MEASURES[3]]:,.0f} |", flush=True)


def main_opening(binary):
    print("| client | opening | without the wait |\n| --- | --- | --- |")
    for command, folder, variables in PROGRAMS:
        words = [SWIFT, "opening"] if command[0] == SWIFT else [*command, "opening"]
        for figures in run(words, folder, variables, binary):
            print(f"| {figures['client']} | {figures['open_ms']:.1f} ms | {figures['unready_ms']:.1f} ms |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if sys.argv[2:] == ["opening"]:
        main_opening(os.path.abspath(sys.argv[1]))
    else:
        main(os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else 5)
