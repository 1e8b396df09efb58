"""What the store costs: with a million accounts, and shared by four processes. Each measurement gives (ours, the peer's)."""

import atexit
import json
import multiprocessing
import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
import time

import accounts
from harness import Postern, client, operator, read_lines, request

MANY = 1_000_000
FEW = 1_000
LOOKUPS = 100_000
PROCESSES = 4
WRITES_EACH = 1_000
# With this, a read says that nothing has changed.
LATEST = 10**9


class Stores:
    """Directories that are made once and used by several measurements."""

    def __init__(self):
        self.paths = {}

    def of(self, binary, count):
        """The path of a store with so many operators, all in its base."""
        if count not in self.paths:
            folder = tempfile.mkdtemp(dir=os.environ.get("BENCH_DIR", "."))
            atexit.register(shutil.rmtree, folder, True)
            path = os.path.join(folder, "store")
            export = os.path.join(folder, "accounts.jsonl")
            with open(export, "w") as file:
                file.writelines(line + "\n" for line in accounts.lines(count))
            subprocess.run([binary, "import", "--data", path, export], check=True, stdout=subprocess.DEVNULL)
            os.unlink(export)
            self.paths[count] = path
        return self.paths[count]


stores = Stores()


def serve(binary, path):
    return Postern(binary, "--data", path, "--no-email-confirmation")


def read(number):
    session = {"user_id": number, "session_id": accounts.token(number)}
    return request("operators.clients.get", {**session, "provision": LATEST})


def opening(binary, folder):
    """Milliseconds from spawn to the first reply of a session read."""

    def milliseconds(count):
        path = stores.of(binary, count)
        begun = time.perf_counter()
        postern = serve(binary, path)
        postern.send(read(count))
        read_lines(postern.process.stdout, 1)
        elapsed = time.perf_counter() - begun
        postern.close()
        return elapsed * 1_000

    milliseconds(MANY)
    return milliseconds(MANY), milliseconds(FEW)


def memory(binary, folder):
    """Resident megabytes after the first reply."""

    def megabytes(count):
        postern = serve(binary, stores.of(binary, count))
        postern.send(read(count))
        read_lines(postern.process.stdout, 1)
        with open(f"/proc/{postern.process.pid}/status") as status:
            resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        postern.close()
        return resident / 1_024

    return megabytes(MANY), megabytes(FEW)


def lookups(binary, folder):
    """Microseconds of a session read of an operator picked at random, pipelined, warm."""

    def microseconds(count):
        postern = serve(binary, stores.of(binary, count))
        lines = b"".join(read(random.randint(1, count)) for _ in range(LOOKUPS))
        postern.time_of(lines, LOOKUPS)
        elapsed = postern.time_of(lines, LOOKUPS)
        postern.close()
        return elapsed / LOOKUPS * 1e6

    return microseconds(MANY), microseconds(FEW)


def merging(binary, folder):
    """Milliseconds of the longest reply, nine reads to a write, while another process merges; and while none does."""
    path = stores.of(binary, MANY)
    postern = serve(binary, path)
    number = random.randint(1, MANY)
    session = {"user_id": number, "session_id": accounts.token(number)}
    nothing_new = read(number)

    def longest(until):
        slowest, turn = 0, 0
        while not until():
            turn += 1
            email = f"{time.time_ns()}@example.com"
            person = {"first_name": "Michael", "last_name": "Sorenson", "email": email}
            made = {**session, "client": {"user": person, "address": "14 Barnesdale Rd."}}
            line = request("operators.client.create", made) if turn % 10 == 0 else nothing_new
            begun = time.perf_counter()
            postern.send(line)
            read_lines(postern.process.stdout, 1)
            slowest = max(slowest, time.perf_counter() - begun)
        return slowest * 1_000

    merge = subprocess.Popen([binary, "merge", "--data", path])
    begun = time.perf_counter()
    beside = longest(lambda: merge.poll() is not None)
    elapsed = time.perf_counter() - begun
    assert merge.returncode == 0
    begun = time.perf_counter()
    alone = longest(lambda: time.perf_counter() - begun > elapsed)
    postern.close()
    return beside, alone


# Four processes on one store: each of them waits for one write to be durable before it makes the next.


def together(work, *arguments):
    """Writes a second of all together, and how the slowest compares with the fastest."""
    barrier, results = multiprocessing.Barrier(PROCESSES), multiprocessing.Queue()
    workers = [
        multiprocessing.Process(target=work, args=(number, *arguments, barrier, results))
        for number in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    times = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    span = max(end for _, end in times) - min(start for start, _ in times)
    each = [end - start for start, end in times]
    return PROCESSES * WRITES_EACH / span, min(each) / max(each)


def write_ours(number, binary, path, session, barrier, results):
    postern = serve(binary, path)
    lines = [
        request("operators.client.create", {**session, "client": client(f"{number}-{turn}")})
        for turn in range(WRITES_EACH)
    ]
    postern.call("system.info")
    barrier.wait()
    begun = time.time()
    for line in lines:
        postern.send(line)
        reply = postern.process.stdout.readline()
        assert b'"result"' in reply, reply
    results.put((begun, time.time()))
    postern.close()


def write_theirs(number, path, barrier, results):
    database = sqlite3.connect(path, isolation_level=None, timeout=60)
    database.execute("pragma synchronous=full")
    rows = [client(f"{number}-{turn}") for turn in range(WRITES_EACH)]
    barrier.wait()
    begun = time.time()
    for row in rows:
        database.execute(
            "insert into client (operator, email, body) values (1, ?, ?)", (row["user"]["email"], json.dumps(row))
        )
    results.put((begun, time.time()))
    database.close()


def begin_ours(binary, path):
    postern = serve(binary, path)
    session = operator(postern)
    postern.close()
    return session


def begin_theirs(path):
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("pragma journal_mode=wal")
    database.execute("pragma synchronous=full")
    database.execute("create table client (id integer primary key, operator int, email text, body text)")
    database.execute("create unique index byemail on client (operator, email)")
    return database


def four(binary, folder):
    path, peer = os.path.join(folder, "store"), os.path.join(folder, "peer.sqlite")
    ours = together(write_ours, binary, path, begin_ours(binary, path))
    begin_theirs(peer).close()
    return ours, together(write_theirs, peer)


def four_together(binary, folder):
    (ours, _), (theirs, _) = four(binary, folder)
    return ours, theirs


def four_fairness(binary, folder):
    (_, ours), (_, theirs) = four(binary, folder)
    return ours, theirs


# What is written: by one process that makes one row durable at a time.


def written_by(pid):
    with open(f"/proc/{pid}/io") as counts:
        return next(int(line.split()[1]) for line in counts if line.startswith("write_bytes"))


def disk_of(folder):
    return sum(entry.stat().st_blocks * 512 for entry in os.scandir(folder))


def space(binary, folder):
    """Bytes that are written for a row, and bytes on the disk for one afterwards: two pairs."""
    path, peer = os.path.join(folder, "store"), os.path.join(folder, "peer")
    session = begin_ours(binary, path)
    postern = serve(binary, path)
    postern.call("system.info")
    before = written_by(postern.process.pid)
    for turn in range(WRITES_EACH):
        postern.call("operators.client.create", **session, client=client(turn))
    written = written_by(postern.process.pid) - before
    postern.close()
    ours = written / WRITES_EACH, disk_of(path) / WRITES_EACH

    os.mkdir(peer)
    database = begin_theirs(os.path.join(peer, "peer.sqlite"))
    before = written_by("self")
    for turn in range(WRITES_EACH):
        row = client(turn)
        database.execute(
            "insert into client (operator, email, body) values (1, ?, ?)", (row["user"]["email"], json.dumps(row))
        )
    written = written_by("self") - before
    database.close()
    return ours, (written / WRITES_EACH, disk_of(peer) / WRITES_EACH)


def bytes_written(binary, folder):
    (ours, _), (theirs, _) = space(binary, folder)
    return ours, theirs


def bytes_kept(binary, folder):
    (_, ours), (_, theirs) = space(binary, folder)
    return ours, theirs


ROWS = [
    ("open, 1,000,000 accounts", "ms", "1,000 accounts", opening),
    ("memory after the first reply, 1,000,000 accounts", "MB", "1,000 accounts", memory),
    ("random session read, 1,000,000 accounts", "µs", "1,000 accounts", lookups),
    ("longest reply while 1,000,000 accounts are merged", "ms", "while nothing is", merging),
    ("durable writes, four processes", "a second", "SQLite with four", four_together),
    ("the same: time of the fastest by the slowest", "", "SQLite with four", four_fairness),
    ("written for a durable write", "bytes", "SQLite", bytes_written),
    ("on the disk for a client", "bytes", "SQLite", bytes_kept),
]
