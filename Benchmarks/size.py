"""The cost of a store of a million accounts, compared with one of a thousand."""

import os
import random
import signal
import subprocess
import time

import accounts
import orjson
from harness import create, first_reply, read, request, result
from rows import Row

MANY = 1_000_000
FEW = 1_000
LOOKUPS = 200_000
STARTS = 11
# The approximate size of a client in a journal.
ROW_BYTES = 1_000
MERGE_SECONDS_MAX = 300
LONGEST_SECONDS_MIN = 0.5
# The length of a journal at which it is compacted.
COMPACTED_BYTES = 4 << 20
# The memory of a compacted journal is freed in steps, between requests.
FREEING_SECONDS = 2


def many_of(bench):
    return bench.count(MANY, least=50 * FEW)


def opened(bench, count, path=None):
    """Milliseconds from spawn to the first reply, which reads an account, and resident megabytes after it."""
    path = path or bench.copy(count)
    line = bench.lines([read(random.randint(1, count))])
    milliseconds = first_reply(line, STARTS, bench.binary, "--data", path)
    with bench.postern(path) as postern:
        postern.drive(line, 1)
        return milliseconds, postern.status("VmRSS")


def opening(bench):
    count = many_of(bench)
    many, few = opened(bench, count), opened(bench, FEW)
    path = bench.copy(count)
    with bench.postern(path) as postern:
        MergingItself(bench, postern, path)
    return {
        "time": many[0],
        "memory": many[1],
        "few time": few[0],
        "few memory": few[1],
        "worst": opened(bench, count, path)[0],
    }


def importing(bench):
    """Seconds and megabytes of an import, and the seconds of a Python loop that parses its lines."""
    export = bench.export(bench.path("export.jsonl"), many_of(bench))
    command = [bench.binary, "import", "--data", bench.path("imported"), export]
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    assert status == 0, "the import failed"
    with open(export, "rb") as file:
        begun = time.perf_counter()
        for line in file:
            orjson.loads(line)
        loop = time.perf_counter() - begun
    # Linux counts in kilobytes.
    memory = usage.ru_maxrss / 1_024
    return {"seconds": seconds, "memory": memory, "loop": loop, "size": os.path.getsize(export) / (1 << 20)}


def microseconds(bench, count, lines, refusal=None):
    """Average elapsed microseconds of a pipelined request, after all requests were sent once before."""
    with bench.postern(bench.copy(count)) as postern:
        number = bench.count(LOOKUPS)
        file = bench.lines(lines(count, id) for id in range(number))
        postern.drive(file, number, window=0, refusal=refusal)
        return postern.drive(file, number, window=0, refusal=refusal)["seconds"] / number * 1e6


def random_read(count, id):
    return read(random.randint(1, count), id=id)


# The refusal of `random_email`: the account is found as a sign-in finds it; nothing is hashed or written.
TAKEN = "operator_exists"


def random_email(count, id):
    user = {"first_name": "Ada", "last_name": "Li", "email": accounts.email(random.randint(1, count))}
    return request("operators.register", {"user": user, "password": "correct horse"}, id)


def lookups(bench):
    many = many_of(bench)
    return {
        "read": microseconds(bench, many, random_read),
        "few read": microseconds(bench, FEW, random_read),
        "email": microseconds(bench, many, random_email, TAKEN),
        "few email": microseconds(bench, FEW, random_email, TAKEN),
    }


class Longest:
    """The longest reply time in milliseconds of a client that sends nine reads to a write, one at a time, until `end`."""

    def __init__(self, bench, postern):
        lines = (create(number) if number % 10 == 0 else read(1) for number in range(200_000))
        self.driver = postern.driver("send", bench.lines(lines), 0, 1)
        self.begun = time.perf_counter()

    def end(self):
        # The driver must have started, and a short compaction may be over before.
        time.sleep(max(0, LONGEST_SECONDS_MIN - (time.perf_counter() - self.begun)))
        self.seconds = time.perf_counter() - self.begun
        self.driver.send_signal(signal.SIGTERM)
        return result(self.driver)["max"] / 1_000


def beside_and_alone(bench, postern, merge):
    longest = Longest(bench, postern)
    merge()
    beside = longest.end()
    alone = Longest(bench, postern)
    time.sleep(longest.seconds)
    return {"beside": beside, "alone": alone.end()}


def merging(bench):
    """The longest reply time while another process runs compaction, and while none does."""
    path = bench.copy(many_of(bench))
    command = [bench.binary, "compact", "--data", path]
    with bench.postern(path) as postern:
        return beside_and_alone(bench, postern, lambda: subprocess.run(command, check=True, stdout=subprocess.PIPE))


def bases(path):
    return [entry for entry in os.scandir(path) if entry.name.startswith("base-")]


def size_of(path, kind):
    return max(entry.stat().st_size for entry in os.scandir(path) if entry.name.startswith(kind))


class MergingItself:
    """A server about to start compaction, which it does when its journal reaches COMPACTED_BYTES."""

    def __init__(self, bench, postern, path):
        self.bench, self.postern, self.path, self.written = bench, postern, path, 0
        due = COMPACTED_BYTES * 0.97
        while (journal := size_of(path, "journal-")) < due:
            self.write(max(50, int((due - journal) / ROW_BYTES)))
        self.manifest = os.path.join(path, "manifest.json")
        self.before = os.stat(self.manifest).st_ino

    def write(self, count):
        numbers = range(self.written, self.written + count)
        lines = (create(f"-{each}", operator=2, id=each) for each in numbers)
        self.postern.drive(self.bench.lines(lines), count, window=100)
        self.written += count

    def start(self):
        """Writes until the server compacts. The journal's size in the file system includes room that is not used yet, and the
        server does not count what the journal began with."""
        latest = time.perf_counter() + MERGE_SECONDS_MAX
        while len(bases(self.path)) < 2 and os.stat(self.manifest).st_ino == self.before:
            assert time.perf_counter() < latest, "compaction did not start in time"
            self.write(50)
            time.sleep(0.005)

    def wait(self):
        latest = time.perf_counter() + MERGE_SECONDS_MAX
        while os.stat(self.manifest).st_ino == self.before:
            assert time.perf_counter() < latest, "compaction did not end in time"
            time.sleep(0.02)


def merging_itself(bench):
    path = bench.copy(many_of(bench))
    with bench.postern(path) as postern:
        merging = MergingItself(bench, postern, path)
        return beside_and_alone(bench, postern, merging.wait)


def memory_of_merging(bench):
    """Resident megabytes before and after compaction. No requests run during it, because their writes would use memory that it
    does not free. One request after it lets the process switch to the new files."""
    path = bench.copy(many_of(bench))
    with bench.postern(path) as postern:
        merging = MergingItself(bench, postern, path)
        before = postern.status("VmRSS")
        merging.start()
        merging.wait()
        postern.drive(bench.lines([read(1)]), 1)
        time.sleep(FREEING_SECONDS)
        return {"after": postern.status("VmRSS"), "before": before}


PEER = "1,000 accounts"
ROWS = [
    Row(
        "open", "open, 1,000,000 accounts", "ms", opening, "time", "few time", PEER,
        "From spawn to the reply of a session read, with the files in the page cache.",
        limit=10,
    ),
    Row(
        "open-worst", "open, 1,000,000 accounts, just before compaction", "ms", opening, "worst", "time", "after compaction",
        "The same, with a journal of almost 4 MiB.",
        limit=100,
    ),
    Row(
        "open-memory", "memory after the first reply, 1,000,000 accounts", "MB", opening, "memory", "few memory", PEER,
        "Resident memory after that reply.",
        limit=24,
    ),
    Row(
        "lookup-session", "random session read, 1,000,000 accounts", "µs", lookups, "read", "few read", PEER,
        "200,000 reads of random accounts, pipelined; the second pass is measured.",
    ),
    Row(
        "lookup-email", "random account by its email, 1,000,000 accounts", "µs", lookups, "email", "few email", PEER,
        "`operators.register` with the email of an account: finds it as a sign-in does, and hashes and writes nothing.",
    ),
    Row(
        "merge", "longest reply time during compaction of 1,000,000 accounts", "ms", merging, "beside", "alone", "without compaction",
        "Of a client that sends nine reads to a write, one at a time, while `postern compact` compacts the store.",
        limit=25,
    ),
    Row(
        "merge-own", "longest reply time while the server itself compacts 1,000,000 accounts", "ms", merging_itself, "beside", "alone",
        "without compaction",
        "Of the same client, while a thread of the server compacts, because the journal has grown to 4 MiB.",
        limit=25,
    ),
    Row(
        "merge-memory", "memory of the server after compacting 1,000,000 accounts", "MB", memory_of_merging, "after", "before",
        "before",
        "Resident memory two seconds after the first request that follows a compaction during which no request ran.",
        limit=64,
    ),
    Row(
        "import", "import, 1,000,000 accounts", "s", importing, "seconds", "loop", "Python loop",
        "From a file with an account and a session each; the peer is a Python loop that parses the lines with orjson.",
        limit=20,
    ),
    Row(
        "import-memory", "memory of an import, 1,000,000 accounts", "MB", importing, "memory", "size", "size of the file",
        "The greatest resident memory; the peer is the size of the file.",
        limit=300,
    ),
]  # fmt: skip
