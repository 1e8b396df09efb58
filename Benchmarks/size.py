"""What a store of a million accounts costs, beside one of a thousand."""

import random
import signal
import subprocess
import time

import accounts
from harness import create, read, request, result
from rows import Row

MANY = 1_000_000
FEW = 1_000
LOOKUPS = 200_000


def opened(bench, count):
    """Milliseconds from spawn to the first reply, which needs an account, and resident megabytes after it."""
    path = bench.store(bench.count(count, least=10 * FEW) if count == MANY else count)
    line = bench.lines([read(random.randint(1, FEW))])
    begun = time.perf_counter()
    with bench.postern(path) as postern:
        postern.drive(line, 1)
        elapsed = time.perf_counter() - begun
        return elapsed * 1_000, postern.status("VmRSS")


def opening(bench):
    opened(bench, MANY)
    opened(bench, FEW)
    many, few = opened(bench, MANY), opened(bench, FEW)
    return {"time": many[0], "memory": many[1], "few time": few[0], "few memory": few[1]}


def microseconds(bench, count, lines):
    """Of processor and waiting together, for a request of these, pipelined, once all of them came before."""
    with bench.postern(bench.store(count)) as postern:
        number = bench.count(LOOKUPS)
        file = bench.lines(lines(count, id) for id in range(number))
        postern.drive(file, number, window=0)
        return postern.drive(file, number, window=0)["seconds"] / number * 1e6


def random_read(count, id):
    return read(random.randint(1, count), id=id)


def random_email(count, id):
    # It looks up the account as a sign-in does, finds that it needs no confirmation, and does no more.
    return request("operators.resend_confirmation", {"email": accounts.email(random.randint(1, count))}, id)


def lookups(bench):
    many = bench.count(MANY, least=10 * FEW)
    return {
        "read": microseconds(bench, many, random_read),
        "few read": microseconds(bench, FEW, random_read),
        "email": microseconds(bench, many, random_email),
        "few email": microseconds(bench, FEW, random_email),
    }


def merging(bench):
    """Milliseconds of the longest reply, nine reads to a write, while another process merges; and while none does."""
    path = bench.store(bench.count(MANY, least=10 * FEW))
    mark, operator = time.time_ns(), random.randint(1, FEW)
    lines = bench.lines(
        create(f"{mark}-{number}", operator) if number % 10 == 0 else read(operator) for number in range(200_000)
    )
    with bench.postern(path) as postern:
        driver = postern.driver("send", lines, 0, 1)
        begun = time.perf_counter()
        subprocess.run([bench.binary, "merge", "--data", path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        elapsed = time.perf_counter() - begun
        driver.send_signal(signal.SIGTERM)
        beside = result(driver)["max"] / 1_000
        driver = postern.driver("send", lines, 0, 1)
        time.sleep(elapsed)
        driver.send_signal(signal.SIGTERM)
        return {"beside": beside, "alone": result(driver)["max"] / 1_000}


PEER = "1,000 accounts"
ROWS = [
    Row(
        "open", "open, 1,000,000 accounts", "ms", opening, "time", "few time", PEER,
        "From spawn to the reply of a session read, the files being in memory.",
        limit=30,
    ),
    Row(
        "open-memory", "memory after the first reply, 1,000,000 accounts", "MB", opening, "memory", "few memory", PEER,
        "Resident after that reply.",
        limit=64,
    ),
    Row(
        "lookup-session", "random session read, 1,000,000 accounts", "µs", lookups, "read", "few read", PEER,
        "200,000 of accounts picked at random, pipelined, for the second time.",
    ),
    Row(
        "lookup-email", "random account by its email, 1,000,000 accounts", "µs", lookups, "email", "few email", PEER,
        "`operators.resend_confirmation` of confirmed accounts, which finds an account as a sign-in does, and hashes nothing.",
    ),
    Row(
        "merge", "longest reply while 1,000,000 accounts are merged", "ms", merging, "beside", "alone", "while nothing is",
        "To a client that sends nine reads to a write, one at a time, while `postern merge` goes through all of the store.",
        limit=50,
    ),
]  # fmt: skip
