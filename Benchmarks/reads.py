"""Session reads: `operators.clients.get` of an empty change feed, authenticated, from a store of ten accounts."""

import functools
import os
import statistics
import sys

from harness import HERE, Program, native, on_core, read
from rows import Row

READS = 500_000
# More than can be in flight at once, so that no two requests in flight have the same id.
IDS = 20_000
TURNS = 50_000
SLICES = 10


def pipelined(bench):
    """Reads a second, with as many in flight as fit into the pipe."""
    count = bench.count(READS)
    lines = bench.lines(read(1, id=id) for id in range(IDS))

    def rate(program):
        with program:
            return count / program.drive(lines, count, window=0)["seconds"]

    return {
        "ours": rate(bench.postern(bench.copy(10))),
        "python": rate(Program(sys.executable, os.path.join(HERE, "peers", "loop.py"))),
        "ours again": rate(bench.postern(bench.copy(10))),
        "node": rate(Program("node", os.path.join(HERE, "peers", "loop.mjs"))),
    }


def one_at_a_time(core, bench):
    """Microseconds from a request to its reply. Postern and the echo program take turns within a run.

    The driver is pinned to the first core and the programs to `core`. Without pinning, it is random whether a pair shares
    a core, and the pair keeps its cores for a long time; and waking a sleeping process takes longer than the rest of a turn.
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
        "500,000 through one pipe; the peer is a loop of orjson.loads, dict lookup and orjson.dumps, without authentication.",
        more_is_better=True, is_quick=True,
    ),
    Row(
        "reads-node", "session reads, pipelined", "a second", pipelined, "ours again", "node", "Node loop",
        "500,000 through one pipe; the peer is the same loop in Node, which answers all requests of a chunk with one write.",
        more_is_better=True, is_quick=True,
    ),
    Row(
        "turn", "session read, one at a time", "µs", on_two_cores, "p50", "echo p50", "C echo",
        "The median time from a request to its reply, with driver and program on separate cores; the peer returns the line.",
        is_quick=True,
    ),
    Row(
        "turn-p99", "session read, one at a time, 99th percentile", "µs", on_two_cores, "p99", "echo p99", "C echo",
        "The 99th percentile of the same times.",
    ),
    Row(
        "turn-core", "session read, one at a time, on one core", "µs", on_one_core, "p50", "echo p50", "C echo",
        "The median with driver and program on one core, so that no wake-up of another core is included: processor time only.",
        is_quick=True,
    ),
]  # fmt: skip
