"""Session reads: `operators.clients.get` with nothing changed, fully authenticated, from a store of ten accounts."""

import os
import sys

from harness import HERE, Program, native, read
from rows import Row

READS = 500_000
# More than can be under way at once, so that no id stands for two.
IDS = 20_000
TURNS = 50_000


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


def one_at_a_time(bench):
    """Microseconds from a request to its reply."""
    lines = bench.lines([read(1)])

    def times(program):
        with program:
            program.drive(lines, bench.count(TURNS // 10))
            return program.drive(lines, bench.count(TURNS))

    ours, echo = times(bench.postern(bench.copy(10))), times(Program(native("echo")))
    return {"p50": ours["p50"], "p99": ours["p99"], "echo p50": echo["p50"], "echo p99": echo["p99"]}


ROWS = [
    Row(
        "reads", "session reads, pipelined", "a second", pipelined, "ours", "python", "Python loop",
        "500,000 through one pipe; a bare loop of orjson.loads, dict lookup and orjson.dumps that asks nobody who they are.",
        more_is_better=True, is_quick=True,
    ),
    Row(
        "reads-node", "the same", "a second", pipelined, "ours again", "node", "Node loop",
        "500,000 through one pipe; the like in Node, which answers a chunk at once.",
        more_is_better=True, is_quick=True,
    ),
    Row(
        "turn", "session read, one at a time", "µs", one_at_a_time, "p50", "echo p50", "C echo",
        "From a request to its reply, the median; a C program that gives back the line, behind the same two pipes.",
        is_quick=True,
    ),
    Row(
        "turn-p99", "the same, 99 of 100 within", "µs", one_at_a_time, "p99", "echo p99", "C echo",
        "The 99th percentile of the same.",
    ),
]  # fmt: skip
