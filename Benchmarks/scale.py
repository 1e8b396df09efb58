"""A store of 3,500,000 records while it is busy: two processes that write and one that reads, each one request at a time."""

import os
import random
import signal
import subprocess
import time

from harness import Program, create, first_reply, native, read, result, run_native
from rows import Row
from writes import journal, written

ACCOUNTS, CLIENTS, CLIENTS_EACH = 1_000_000, 500_000, 1
LINES = 100_000
SECONDS = 10
STARTS = 11
IN_FLIGHT = 100


def store(bench):
    """A copy of a store with that many accounts, sessions and clients."""
    return bench.copy(bench.count(ACCOUNTS, least=10_000), bench.count(CLIENTS, least=5_000), CLIENTS_EACH)


def longest(bench, programs, during):
    """The longest reply time in milliseconds of three programs, the first two of which write, until `during` returns."""
    count = bench.count(ACCOUNTS, least=10_000)
    reads = bench.lines((read(random.randint(1, count)) for _ in range(LINES)), "reads")
    writes = [
        bench.lines((create(f"{time.time_ns()}-{turn}", operator=number) for turn in range(LINES)), f"writes-{number}")
        for number in (1, 2)
    ]
    drivers = [program.driver("send", lines, 0, 1) for program, lines in zip(programs, [*writes, reads])]
    during()
    for driver in drivers:
        driver.send_signal(signal.SIGTERM)
    return max(result(driver)["max"] for driver in drivers) / 1_000


def wait():
    time.sleep(SECONDS)


def busy(bench):
    path = store(bench)
    compact = [bench.binary, "compact", "--data", path]
    with bench.postern(path) as first, bench.postern(path) as second, bench.postern(path) as reader:
        programs = first, second, reader
        writing = longest(bench, programs, wait)
        merging = longest(bench, programs, lambda: subprocess.run(compact, check=True, stdout=subprocess.DEVNULL))
        memory = max(program.status("RssAnon") for program in programs)
    line = bench.lines([read(1)])
    lines = journal(path)
    with (
        Program(native("durable"), lines, bench.path("first")) as first,
        Program(native("durable"), lines, bench.path("second")) as second,
        Program(native("echo")) as echo,
    ):
        limit = longest(bench, [first, second, echo], wait)
    return {
        "writing": writing,
        "merging": merging,
        "limit": limit,
        "memory": memory,
        "memory of bases": sum(entry.stat().st_size for entry in os.scandir(path)) / (1 << 20),
        "open": first_reply(line, STARTS, bench.binary, "--data", path),
        "echo": first_reply(line, STARTS, native("echo")),
    }


def amplification(bench):
    """Bytes written to the disk for each byte of the journal, with a hundred clients in flight, and the same of a log."""
    path, count = store(bench), bench.count(LINES)
    lines = bench.lines(create(number, id=number) for number in range(count))
    before = written(path)
    with bench.postern(path) as postern:
        postern.drive(lines, count, IN_FLIGHT)
    ours = written(path) - before
    before = written(path)
    log = run_native("append", journal(path), bench.path("log"), count, IN_FLIGHT)
    return {"ours": ours / log["bytes"], "log": (written(path) - before) / log["bytes"]}


def tools(bench):
    """Seconds and megabytes of `check` and of `backup`, and the seconds of `cp` of the same files."""
    path = store(bench)

    def run(*command):
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0, f"{command} failed"
        # Linux counts in kilobytes.
        return time.perf_counter() - begun, usage.ru_maxrss / 1_024

    cp = run("cp", "-r", path, bench.path("copy"))[0] + run("sync", "-f", bench.path("copy"))[0]
    check, check_memory = run(bench.binary, "check", "--data", path)
    backup, backup_memory = run(bench.binary, "backup", "--data", path, bench.path("backup"))
    return {
        "check": check,
        "backup": backup,
        "cp": cp,
        "memory": max(check_memory, backup_memory),
        "size": sum(entry.stat().st_size for entry in os.scandir(path)) / (1 << 20),
    }


LIMIT = "C echo, append, sync"
ROWS = [
    Row(
        "scale", "longest reply time, 3,500,000 records, two writers and a reader", "ms", busy, "writing", "limit", LIMIT,
        "Each sends one request at a time, for ten seconds; the peers are two C programs that append and sync, and one that echoes.",
        limit=25,
    ),
    Row(
        "scale-merge", "the same during `postern compact`", "ms", busy, "merging", "limit", LIMIT,
        "All bases are merged meanwhile.",
        limit=25,
    ),
    Row(
        "scale-open", "open, 3,500,000 records, after these writes", "ms", busy, "open", "echo", "C echo",
        "From spawn to the reply of a session read, with a journal as the writers have left it.",
        limit=100,
    ),
    Row(
        "scale-memory", "memory of each process, 3,500,000 records", "MB", busy, "memory", "memory of bases", "size of the files",
        "The largest of the three processes, without the pages of mapped files, which the system can drop at any time.",
        limit=64,
    ),
    Row(
        "scale-written", "bytes written for a byte of the journal, 3,500,000 records", "", amplification, "ours", "log", "raw append",
        "With 100 clients in flight: the journal, and the bases that compactions write; the peer appends the same lines.",
    ),
    Row(
        "scale-check", "check, 3,500,000 records", "s", tools, "check", "cp", "cp and sync",
        "`postern check`; the peer copies the files.",
        limit=60,
    ),
    Row(
        "scale-backup", "backup, 3,500,000 records", "s", tools, "backup", "cp", "cp and sync",
        "`postern backup`.",
        limit=60,
    ),
    Row(
        "scale-tools-memory", "memory of check and backup, 3,500,000 records", "MB", tools, "memory", "size", "size of the files",
        "The larger of the two.",
        limit=64,
    ),
]  # fmt: skip
