"""Sign-ins, each of which computes a password hash, and their effect on the requests of open sessions."""

import itertools
import os
import select
import statistics
import time

import accounts
import orjson
from harness import Program, native, read, request, result, run_native
from rows import Row

SIGN_INS = 400
IN_FLIGHT = 8
READS = 3_000
STORM = 64
PAUSE_SECONDS = 0.002
CORES = len(os.sched_getaffinity(0))


def sign_in(number, id):
    return request("operators.signin", {"email": accounts.email(number), "password": "password"}, id)


def rate(bench):
    """Sign-ins a second with eight in flight."""
    count = bench.count(SIGN_INS, least=100)
    lines = bench.lines(sign_in(number, number) for number in range(1, 11))
    with bench.postern(bench.copy(10)) as postern:
        ours = postern.drive(lines, count, IN_FLIGHT)["seconds"]
    hashes = max(20, count // CORES)
    return {"ours": count / ours, "hashes": CORES * hashes / run_native("hash", hashes)["seconds"]}


def storm(bench):
    """The 99th percentile of a session read in milliseconds, while 64 sign-ins of other accounts are always in flight."""
    count = bench.count(READS, least=500)
    lines = bench.lines([read(1)])
    others = bench.lines((sign_in(2 + id % STORM, id) for id in range(2, 100 * STORM)), "others")
    with bench.postern(bench.copy(100), "--replies", "as-completed") as postern:
        ours = result(postern.driver("storm", lines, count, STORM, others))
    with Program(native("hash"), "0", str(CORES)) as load, Program(native("echo")) as echo:
        load.process.stdout.readline()
        theirs = result(echo.driver("storm", lines, count, 0, others))
        load.process.kill()
    return {"ours": ours["p99"] / 1_000, "echo": theirs["p99"] / 1_000}


def storm_from_python(bench):
    """The same in a Python program with one thread, which parses each reply."""
    count = bench.count(READS, least=500)
    with bench.postern(bench.copy(100), "--replies", "as-completed") as postern:
        return {"ours": python_p99(postern.process, count) * 1_000, "driver in C": storm(bench)["ours"]}


def python_p99(process, count):
    """The 99th percentile in seconds of reads that are sent every two milliseconds beside 64 sign-ins."""
    to, back = process.stdin.fileno(), process.stdout.fileno()
    line, times, rest = read(1), [], b""
    sent = next_read = None
    ids = itertools.count(2)
    os.write(to, b"".join(sign_in(2 + id % STORM, id) for id in itertools.islice(ids, STORM)))
    while len(times) < count:
        now = time.perf_counter()
        # Reads start once sign-ins are answered.
        if sent is None and next_read is not None and now >= next_read:
            sent, next_read = now, max(now, next_read + PAUSE_SECONDS)
            os.write(to, line)
        wait = 1 if sent is not None or next_read is None else max(0, next_read - now)
        if not select.select([back], [], [], wait)[0]:
            continue
        *replies, rest = (rest + os.read(back, 1 << 16)).split(b"\n")
        for reply in replies:
            reply = orjson.loads(reply)
            assert "error" not in reply, reply
            if reply["id"] == 1:
                times.append(time.perf_counter() - sent)
                sent = None
                continue
            next_read = next_read or time.perf_counter()
            id = next(ids)
            os.write(to, sign_in(2 + id % STORM, id))
    return statistics.quantiles(times, n=100)[98]


ROWS = [
    Row(
        "signin", "sign-ins, 8 in flight", "a second", rate, "ours", "hashes", "cores ÷ one Argon2id",
        "Ten accounts in turn, each sign-in opening a session; the peer is the rate of all cores that only hash.",
        more_is_better=True, is_quick=True,
    ),
    Row(
        "storm", "session read during 64 concurrent sign-ins, 99th percentile", "ms", storm, "ours", "echo", "C echo",
        "With --replies as-completed and 64 sign-ins always in flight; the peer runs while one thread for each core hashes.",
        limit=2, is_quick=True,
    ),
    Row(
        "storm-python", "the same with a driver in Python", "ms", storm_from_python, "ours", "driver in C", "driver in C",
        "The driver is a Python program with one thread that parses the replies with orjson; the peer is the row above.",
        limit=5,
    ),
]  # fmt: skip
