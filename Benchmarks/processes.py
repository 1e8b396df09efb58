"""Four processes that write to one store. Each waits until a write is durable before it sends the next."""

import contextlib
import os
import subprocess
import time

from harness import create, native, result, run_native
from rows import Row

PROCESSES = 4
WRITES_EACH = 2_000
WAITING = {"stdin": subprocess.PIPE, "env": {**os.environ, "BENCH_WAIT": "1"}}


def compared(workers):
    """Writes a second of all workers together, and the fastest worker's time divided by the slowest worker's."""
    time.sleep(0.2)
    for worker in workers:
        worker.stdin.write(b"\n")
        worker.stdin.flush()
    results = [result(worker) for worker in workers]
    span = max(each["ended"] for each in results) - min(each["begun"] for each in results)
    seconds = [each["seconds"] for each in results]
    return sum(each["count"] - each.get("refused", 0) for each in results) / span, min(seconds) / max(seconds)


def four(bench):
    count = bench.count(WRITES_EACH)
    path = bench.copy(10)
    with contextlib.ExitStack() as stack:
        workers = []
        for number in range(PROCESSES):
            postern = stack.enter_context(bench.postern(path))
            postern.call("system.info")
            lines = bench.lines((create(f"{number}-{turn}") for turn in range(count)), f"requests-{number}")
            workers.append(postern.driver("send", lines, count, 1, **WAITING))
        ours = compared(workers)
    peer = bench.path("peer.sqlite")
    run_native("sqlite", peer, 0, "")
    commands = [[native("sqlite"), peer, str(count), f"{number}-"] for number in range(PROCESSES)]
    sqlite = compared([subprocess.Popen(command, stdout=subprocess.PIPE, **WAITING) for command in commands])
    return {"ours": ours[0], "fairness": ours[1], "sqlite": sqlite[0], "sqlite fairness": sqlite[1]}


ROWS = [
    Row(
        "four", "durable writes, four processes", "a second", four, "ours", "sqlite", "SQLite",
        "The total of four processes on one directory; the peer is four processes that use SQLite as above on one database.",
        more_is_better=True, is_quick=True,
    ),
    Row(
        "four-fairness", "four processes: shortest time ÷ longest time", "", four, "fairness", "sqlite fairness", "SQLite",
        "1 if the four processes need the same time.",
        more_is_better=True, limit=0.5, is_quick=True,
    ),
]  # fmt: skip
