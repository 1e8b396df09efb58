"""Durable writes: `operators.client.create`, whose reply is sent after the write is on disk."""

import os

from harness import Program, create, native, run_native
from rows import Row

ALONE = 3_000
PIPELINED = 30_000
IN_FLIGHT = 100


def journal(path):
    """The path of the current journal: the one with the greatest number."""
    names = [name for name in os.listdir(path) if name.startswith("journal-")]
    return os.path.join(path, max(names, key=lambda name: int(name[8:-6])))


def alone(bench):
    """Writes a second, each sent after the reply to the previous one."""
    count = bench.count(ALONE)
    path = bench.copy(10)
    lines = bench.lines(create(number) for number in range(count))

    def rate(program):
        with program:
            return count / program.drive(lines, count)["seconds"]

    ours = rate(bench.postern(path))
    sqlite = run_native("sqlite", bench.path("peer.sqlite"), count, "")
    return {
        "ours": ours,
        "sqlite": count / sqlite["seconds"],
        "ours again": rate(bench.postern(bench.copy(10))),
        "sqlite behind pipes": rate(Program(native("sqlite"), bench.path("other.sqlite"), "serve")),
        "ours once more": rate(bench.postern(bench.copy(10))),
        "limit": rate(Program(native("durable"), journal(path), bench.path("synced"))),
    }


def together(bench):
    """Writes a second with a hundred in flight."""
    count = bench.count(PIPELINED)
    path = bench.copy(10)
    lines = bench.lines(create(number, id=number) for number in range(count))

    def seconds(path):
        with bench.postern(path) as postern:
            return postern.drive(lines, count, IN_FLIGHT)["seconds"]

    ours = seconds(path)
    rows = bench.count(ALONE)
    sqlite = run_native("sqlite", bench.path("peer.sqlite"), rows, "")
    again = seconds(bench.copy(10))
    raw = run_native("append", journal(path), bench.path("raw"), count, IN_FLIGHT)
    return {
        "ours": count / ours,
        "sqlite": rows / sqlite["seconds"],
        "ours again": count / again,
        "raw": count / raw["seconds"],
    }


def disk_of(folder):
    return sum(entry.stat().st_blocks * 512 for entry in os.scandir(folder))


def written(path):
    """The bytes written so far to the disk of a path, including metadata of the file system."""
    device = os.stat(path).st_dev
    with open(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat") as counts:
        # The seventh number counts written sectors of always 512 bytes (Linux, Documentation/block/stat.rst).
        return int(counts.read().split()[6]) * 512


def space(bench):
    """Bytes written to the disk for each client, one write at a time, and bytes that each client occupies afterwards."""
    count = bench.count(1_000, least=500)
    path = bench.copy(10)
    disk_before = disk_of(path)
    with bench.postern(path) as postern:
        lines = bench.lines(create(number) for number in range(count))
        before = written(path)
        postern.drive(lines, count)
        ours = written(path) - before
    os.mkdir(bench.path("peer"))
    before = written(path)
    run_native("sqlite", bench.path("peer/peer.sqlite"), count, "")
    sqlite = written(path) - before
    return {
        "written": ours / count,
        "kept": (disk_of(path) - disk_before) / count,
        "sqlite written": sqlite / count,
        "sqlite kept": disk_of(bench.path("peer")) / count,
    }


SQLITE = "SQLite"
ROWS = [
    Row(
        "write", "durable writes, one at a time", "a second", alone, "ours", "sqlite", SQLITE,
        "One client record each; the peer is SQLite through its C API, WAL, synchronous=FULL, one row a transaction, same disk.",
        more_is_better=True, is_quick=True,
    ),
    Row(
        "write-pipes", "durable writes, one at a time", "a second", alone, "ours again", "sqlite behind pipes", "SQLite behind pipes",
        "The same; the peer is the same SQLite in a C program that is called through the same pipes and parses nothing.",
        more_is_better=True, is_quick=True,
    ),
    Row(
        "write-limit", "durable writes, one at a time", "a second", alone, "ours once more", "limit", "C echo, append, sync",
        "The same; the peer is a C program that appends the same journal line and calls fdatasync before it echoes.",
        more_is_better=True, is_quick=True,
    ),
    Row(
        "write-100", "durable writes, 100 in flight", "a second", together, "ours", "sqlite", SQLITE,
        "A hundred in flight; the peer is the same SQLite, which executes one at a time.",
        more_is_better=True, is_quick=True,
    ),
    Row(
        "write-100-raw", "durable writes, 100 in flight", "a second", together, "ours again", "raw", "raw append",
        "A hundred in flight; the peer is a C program that appends the same journal lines, with one fdatasync for each hundred.",
        more_is_better=True, is_quick=True,
    ),
    Row(
        "written", "bytes written for a durable write", "bytes", space, "written", "sqlite written", SQLITE,
        "Bytes written to the disk, one write at a time, including metadata of the file system.",
    ),
    Row(
        "kept", "disk space of a client", "bytes", space, "kept", "sqlite kept", SQLITE,
        "The growth of the files for each client: record, index entries and journal line, all of them readable text.",
    ),
]  # fmt: skip
