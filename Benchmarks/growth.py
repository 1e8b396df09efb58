"""Measures the cost of operations as a store, or an operator's list of clients, grows.

Usage: growth.py BINARY [SIZE MAX]. It writes the figures to growth.json and plots them in growth.svg.
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
    """Average microseconds of a request; if `warm`, all requests are sent once before the measurement."""
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
        "session read of a random account": timed(
            bench, bench.copy(count), (size.random_read(count, id) for id in range(READS))
        ),
        "account found by its email": timed(
            bench, bench.copy(count), (size.random_email(count, id) for id in range(READS)), refusal=size.TAKEN
        ),
        "client created, 100 in flight": writes(bench, bench.copy(count)),
        "open, until the first reply": milliseconds * 1_000,
        "resident memory, MB": megabytes,
    }


def with_clients(bench, count):
    def listed(provision, number):
        return timed(bench, bench.copy(10, count), (read(1, provision, id) for id in range(number)))

    return {
        "change feed, empty": listed(count + 1, READS),
        "change feed, 10 clients": listed(count + 1 - CHANGED, READS // 10),
        "client created, 100 in flight": writes(bench, bench.copy(10, count)),
    }


def medians(bench, measure, sizes):
    """The median by operation and size. Each run measures all sizes, so that drift affects each size equally."""
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
