"""Measures the overhead of the clients over a bare loop on the pipes, and prints a line of JSON for each client."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

from postern_accounts import AsyncPostern, Postern
from postern_accounts._binary import find_binary
from postern_accounts.types import OperatorsPersonInput

CALLS = 5_000
BATCH = 250
CONCURRENT_CALLS = 10_000
TASKS = 50
OPENINGS = 50

PERSON: OperatorsPersonInput = {"first_name": "Luke", "last_name": "Sorenson", "email": "lasoren@bu.edu"}
FLAGS = ["--no-email-confirmation"]


class Bare:
    """A process with the same state. Its requests are prepared bytes, and its replies are not parsed."""

    def __init__(self) -> None:
        command = [find_binary(None), "--data", ":memory:", "--replies", "as-completed", "--framing", "line", *FLAGS]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        operator = json.loads(self._ask(self._line("operators.register", user=PERSON, password="password")))["result"]
        self._query = self._line(
            "operators.clients.get", user_id=operator["id"], session_id=operator["session_id"], provision=1
        )

    def measure(self) -> list[float]:
        """The seconds of each call of a batch."""
        return [_seconds(lambda: self._ask(self._query)) for _ in range(BATCH)]

    def close(self) -> None:
        self._process.communicate()

    def _ask(self, line: bytes) -> bytes:
        assert self._process.stdin is not None and self._process.stdout is not None
        os.write(self._process.stdin.fileno(), line)
        return self._process.stdout.readline()

    @staticmethod
    def _line(method: str, **params: Any) -> bytes:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return json.dumps(request, separators=(",", ":")).encode() + b"\n"


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


@contextmanager
def one_processor() -> Iterator[None]:
    """Runs this process and the processes that it starts on one processor.

    Otherwise the scheduler's choice of processors decides the figures: waking a process on another processor takes
    several times as long as a call.
    """
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, processors)


def measure_threads() -> None:
    """Measures `Postern` in batches that alternate with the bare loop, and then from threads."""

    def queries(postern: Postern) -> Callable[[int], list[float]]:
        operator = postern.operators.register(user=PERSON, password="password")
        get = postern.operators.clients.get

        def query() -> None:
            get(user_id=operator.id, session_id=operator.session_id, provision=1)

        return lambda count: [_seconds(query) for _ in range(count)]

    raw, ours = [], []
    with one_processor(), closing(Bare()) as bare, Postern(":memory:", arguments=FLAGS) as postern:
        ask = queries(postern)
        for _ in range(CALLS // BATCH):
            raw += bare.measure()
            ours += ask(BATCH)
    with Postern(":memory:", arguments=FLAGS) as postern, ThreadPoolExecutor(TASKS) as threads:
        ask = queries(postern)
        concurrent = _seconds(lambda: list(threads.map(ask, [CONCURRENT_CALLS // TASKS] * TASKS)))
    report("python-sync", raw, ours, concurrent)


async def measure_asyncio() -> None:
    """Measures `AsyncPostern` in batches that alternate with the bare loop, and then from tasks."""

    async def queries(postern: AsyncPostern) -> Callable[[int], Awaitable[list[float]]]:
        operator = await postern.operators.register(user=PERSON, password="password")
        get = postern.operators.clients.get

        async def ask(count: int) -> list[float]:
            return [
                await _seconds_later(get(user_id=operator.id, session_id=operator.session_id, provision=1))
                for _ in range(count)
            ]

        return ask

    raw, ours = [], []
    with one_processor(), closing(Bare()) as bare:
        async with AsyncPostern(":memory:", arguments=FLAGS) as postern:
            ask = await queries(postern)
            for _ in range(CALLS // BATCH):
                raw += bare.measure()
                ours += await ask(BATCH)
    async with AsyncPostern(":memory:", arguments=FLAGS) as postern:
        ask = await queries(postern)
        concurrent = await _seconds_later(asyncio.gather(*(ask(CONCURRENT_CALLS // TASKS) for _ in range(TASKS))))
    report("python-async", raw, ours, concurrent)


async def _seconds_later(action: Awaitable[object]) -> float:
    start = time.perf_counter()
    await action
    return time.perf_counter() - start


def report(client: str, raw: list[float], ours: list[float], concurrent: float) -> None:
    """Prints medians in microseconds, and calls a second."""
    raw_us, client_us = (statistics.median(seconds) * 1e6 for seconds in (raw, ours))
    figures = {
        "client": client,
        "raw_us": round(raw_us, 1),
        "client_us": round(client_us, 1),
        "overhead_us": round(client_us - raw_us, 1),
        "concurrent_calls_per_second": round(CONCURRENT_CALLS / concurrent),
    }
    print(json.dumps(figures))


def measure_opening() -> None:
    """Measures opening, with and without the wait for a first reply."""

    async def open_async(waits: bool) -> float:
        async def action() -> None:
            postern = AsyncPostern(":memory:")
            if waits:
                await postern.ready()
            opened.append(postern)

        opened: list[AsyncPostern] = []
        seconds = await _seconds_later(action())
        await opened[0].close()
        return seconds

    def open_sync(waits: bool) -> float:
        opened: list[Postern] = []
        seconds = _seconds(lambda: opened.append(Postern(":memory:", wait_until_ready=waits)))
        opened[0].close()
        return seconds

    opens: dict[str, Callable[[bool], float]] = {
        "python-sync": open_sync,
        "python-async": lambda waits: asyncio.run(open_async(waits)),
    }
    with one_processor():
        for client, measured in opens.items():
            times = [(measured(True) * 1e3, measured(False) * 1e3) for _ in range(OPENINGS)]
            open_ms, unready_ms = (round(statistics.median(column), 2) for column in zip(*times, strict=True))
            print(json.dumps({"client": client, "open_ms": open_ms, "unready_ms": unready_ms}))


if __name__ == "__main__":
    if sys.argv[1:] == ["opening"]:
        measure_opening()
    else:
        measure_threads()
        asyncio.run(measure_asyncio())
