"""Session reads: `operators.clients.get` with nothing changed, fully authenticated, from a store of ten accounts."""

import functools
import os
import statistics
import sys

from harness import HERE, Program, native, on_core, read
from rows import Row

READS = 500_000
# More than can be under way at once, so that no id stands for two.
IDS = 20_000
TURNS = 50_000
SLICES = 10


def pipelined(bench):
    """Reads a second, as many under way as fit into the pipe."""
    count = bench.count(READS)
    lines = bench.lines(read(1, id=id) for id in range(IDS))

    def rate(program):
        with program:
            return count / program.drive(lines, count, window=0)["seconds"]

    return {
        "ours": rate(bench.postern(bench.copy(10))),
        "python": rate(Program(sys.executable, os.path.join(HERE, "peers", "loop.py"))),
        "ours again": rate(bench.postern(bench.copy(10, "again"))),
        "node": rate(Program("node", os.path.join(HERE, "peers", "loop.mjs"))),
    }


def one_at_a_time(core, bench):
    """Microseconds from a request to its reply, ours and the echo's by turns within a run as well.

    The driver keeps to the first core and the programs to `core`: left alone, the kernel has either pair share a core or
    not, by luck and for long, and to wake one that sleeps takes longer than all the rest.
    """
    lines = bench.lines([read(1)])
    data = bench.copy(10)
    with on_core(core):
        postern, echo = bench.postern(data), Program(native("echo"))
    with postern, echo, on_core(0):
        sides = {"": postern, "echo ": echo}
        times = {side + name: [] for side in sides for name in ("p50", "p99")}
        for _ in range(SLICES):
            for side, program in sides.items():
                measured = program.drive(lines, bench.count(TURNS) // SLICES)
                for name in ("p50", "p99"):
                    times[side + name].append(measured[name])
    return {name: statistics.median(values) for name, values in times.items()}


on_one_core = functools.partial(one_at_a_time, 0)
on_two_cores = functools.partial(one_at_a_time, 1)

ROWS = [
    Row(
        "reads", "session reads, pipelined", "a second", pipelined, "ours", "python", "Python loop",
        "500,000 through one pipe; a bare loop of orjson.loads, dict lookup and orjson.dumps that asks nobody who they are.",
        more_is_better=True, is_quick=True,
    ),
    Row(
        "reads-node", "session reads, pipelined", "a second", pipelined, "ours again", "node", "Node loop",
        "500,000 through one pipe; the like in Node, which answers a chunk at once.",
        more_is_better=True, is_quick=True,
    ),
    Row(
        "turn", "session read, one at a time", "µs", on_two_cores, "p50", "echo p50", "C echo",
        "From a request to its reply, the median, driver and program on a core each; a C program that gives back the line.",
        is_quick=True,
    ),
    Row(
        "turn-p99", "session read, one at a time, 99 of 100 within", "µs", on_two_cores, "p99", "echo p99", "C echo",
        "The 99th percentile of the same.",
    ),
    Row(
        "turn-core", "session read, one at a time, on one core", "µs", on_one_core, "p50", "echo p50", "C echo",
        "The median where driver and program share a core, so that none has to be woken: what the processor does alone.",
        is_quick=True,
    ),
]  # fmt: skip
