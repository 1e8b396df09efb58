"""The time to start, and the memory of an idle process."""

import os
import sys
import time

from harness import HERE, Program, first_reply, native, request
from rows import Row

STARTS = 51
IDLE_SECONDS = 0.5


def start(bench):
    """Milliseconds from spawn to the first reply."""
    line = bench.lines([request("system.info", {})])
    data = bench.copy(10)

    def milliseconds(*command):
        return first_reply(line, bench.count(STARTS), *command)

    return {
        "memory": milliseconds(bench.binary, "--data", ":memory:"),
        "echo": milliseconds(native("echo")),
        "store": milliseconds(bench.binary, "--data", data),
        "echo again": milliseconds(native("echo")),
    }


def idle(bench):
    """Resident megabytes half a second after the first reply."""
    line = bench.lines([request("operators.clients.get", {})])
    info = bench.lines([request("system.info", {})], "info")

    def megabytes(program, line):
        with program:
            program.drive(line, 1)
            time.sleep(IDLE_SECONDS)
            return program.status("VmRSS")

    peer = os.path.join(HERE, "peers", "loop.py")
    return {
        "ours": megabytes(bench.postern(bench.copy(10)), info),
        "loop": megabytes(Program(sys.executable, peer, "at once"), line),
    }


ROWS = [
    Row(
        "start", "start, empty store in memory", "ms", start, "memory", "echo", "C echo",
        "From spawn to the first reply with `--data :memory:`; the peer is a C program that echoes one line.",
        limit=5, is_quick=True,
    ),
    Row(
        "start-store", "start, 10 accounts", "ms", start, "store", "echo again", "C echo",
        "The same with a store of ten accounts.",
        limit=5, is_quick=True,
    ),
    Row(
        "idle-memory", "memory, idle after start", "MB", idle, "ours", "loop", "Python loop",
        "Resident memory half a second after the first reply; the peer is a Python loop with orjson.",
        limit=8, is_quick=True,
    ),
]  # fmt: skip
