"""Sign-ins, each of which computes a password hash, and their effect on the requests of open sessions."""

import os

import accounts
from harness import Program, native, read, request, result, run_native
from rows import Row

SIGN_INS = 400
IN_FLIGHT = 8
READS = 3_000
STORM = 64
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


ROWS = [
    Row(
        "signin", "sign-ins, 8 in flight", "a second", rate, "ours", "hashes", "cores ÷ one Argon2id",
        "Ten accounts in turn, each sign-in opening a session; the peer is the rate of all cores that only hash.",
        more_is_better=True, is_quick=True,
    ),
    Row(
        "storm", "session read during 64 concurrent sign-ins, 99th percentile", "ms", storm, "ours", "echo", "C echo",
        "With --replies as-completed and 64 sign-ins always in flight; the peer runs while one thread for each core hashes.",
        limit=5, is_quick=True,
    ),
]  # fmt: skip
