"""Measures what an operation costs as a store grows, and an operator's list of clients.

Usage: growth.py BINARY [SIZE MAX]. It keeps the figures in growth.json and draws them in growth.svg.
"""

import os
import statistics
import sys

import plot
import results
import size
from harness import HERE, Bench, compile_native, create, read

RUNS = 5
ACCOUNTS = [1_000, 10_000, 100_000, 1_000_000]
CLIENTS = [10, 100, 1_000, 10_000, 100_000]
READS, WRITES, IN_FLIGHT = 50_000, 5_000, 100
CHANGED = 10


def timed(bench, path, lines, window=0, warm=True, refusal=None):
    """Microseconds of each of these requests; those that only read come once before."""
    lines = list(lines)
    file = bench.lines(lines)
    with bench.postern(path) as postern:
        if warm:
            postern.drive(file, len(lines), window, refusal)
        return postern.drive(file, len(lines), window, refusal)["seconds"] / len(lines) * 1e6


def writes(bench, path):
    lines = (create(number, id=number) for number in range(WRITES))
    return timed(bench, path, lines, IN_FLIGHT, warm=False)


def with_accounts(bench, count):
    milliseconds, megabytes = size.opened(bench, count)
    return {
        "session read, of any account": timed(bench, bench.store(count), (size.random_read(count, id) for id in range(READS))),
        "account by its email": timed(
            bench, bench.store(count), (size.random_email(count, id) for id in range(READS)), refusal=size.TAKEN
        ),
        "client created, 100 in flight": writes(bench, bench.copy(count)),
        "open, to the first reply": milliseconds * 1_000,
        "resident memory, MB": megabytes,
    }


def with_clients(bench, count):
    def listed(provision, number):
        return timed(bench, bench.store(10, count), (read(1, provision, id) for id in range(number)))

    return {
        "what has changed: nothing": listed(count + 1, READS),
        "what has changed: 10 clients": listed(count + 1 - CHANGED, READS // 10),
        "client created, 100 in flight": writes(bench, bench.copy(10, "clients", count)),
    }


def medians(bench, measure, sizes):
    """By operation and size. All sizes take their turn in a run, so that drift falls on each."""
    runs = {count: [] for count in sizes}
    for _ in range(RUNS):
        for count in sizes:
            bench.fresh()
            runs[count].append(measure(bench, count))
    return {
        name: {str(count): round(statistics.median(run[name] for run in runs[count]), 2) for count in sizes}
        for name in runs[sizes[0]][0]
    }


def main(binary, most=10**9):
    compile_native()
    bench = Bench(binary)
    try:
        panels = {
            "accounts": medians(bench, with_accounts, [count for count in ACCOUNTS if count <= int(most)]),
            "clients of the operator": medians(bench, with_clients, [count for count in CLIENTS if count <= int(most)]),
        }
    finally:
        bench.close()
    results.keep("growth.json", panels)
    plot.growth(os.path.join(HERE, "growth.svg"), panels)


if __name__ == "__main__":
    main(*sys.argv[1:])
