"""Measures what the README's table shows, each beside a peer that does the same work in the same run.

Usage: bench.py BINARY [PART OF A ROW'S NAME]. It needs Python's standard library alone, and uses orjson where that is
installed. BENCH_DIR names the folder to work in; it takes some two gigabytes.
"""

import ctypes
import ctypes.util
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import store
from harness import Postern, client, operator, read_lines, request

RUNS = 5
READS = 500_000
WRITES_ALONE = 2_000
WRITES_PIPELINED = 20_000
IN_FLIGHT = 100
SIGN_INS = 200


# What a host would write by hand: parse, look up, answer, and ask nobody who they are.
LOOP = """
import sys
try:
    import orjson
    loads, dumps = orjson.loads, orjson.dumps
except ImportError:
    import json
    loads, dumps = json.loads, lambda value: json.dumps(value).encode()
results = {"operators.clients.get": {"clients": [], "provision": 1}}
write = sys.stdout.buffer.write
for line in sys.stdin.buffer:
    message = loads(line)
    write(dumps({"jsonrpc": "2.0", "id": message["id"], "result": results[message["method"]]}) + b"\\n")
"""

# Each of these gives (ours, the peer's), in the unit of its row.


def start(binary, folder):
    def seconds(command):
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(request("system.info", {}))
        process.stdin.flush()
        process.stdout.readline()
        elapsed = time.perf_counter() - begun
        process.stdin.close()
        process.wait()
        return elapsed * 1_000

    ours = statistics.median(seconds([binary, "--data", ":memory:"]) for _ in range(21))
    return ours, statistics.median(seconds(["head", "-n", "1"]) for _ in range(21))


def reads(binary, folder):
    postern = Postern(binary, "--data", ":memory:", "--no-email-confirmation")
    line = request("operators.clients.get", {**operator(postern), "provision": 1})
    ours = READS / postern.time_of(line * READS, READS)
    postern.close()

    peer = Postern(sys.executable, "-c", LOOP)
    theirs = READS / peer.time_of(line * READS, READS)
    peer.close()
    return ours, theirs


def writes(binary, folder, in_flight):
    count = WRITES_ALONE if in_flight == 1 else WRITES_PIPELINED
    postern = Postern(binary, "--data", os.path.join(folder, "store"), "--no-email-confirmation")
    session = operator(postern)
    lines = [request("operators.client.create", {**session, "client": client(number)}) for number in range(count)]
    begun = time.perf_counter()
    for first in range(0, count, in_flight):
        batch = lines[first : first + in_flight]
        postern.send(b"".join(batch))
        read_lines(postern.process.stdout, len(batch))
    ours = count / (time.perf_counter() - begun)
    postern.close()
    shutil.rmtree(os.path.join(folder, "store"))

    database = store.begin_theirs(os.path.join(folder, "peer.sqlite"))
    begun = time.perf_counter()
    for number in range(WRITES_ALONE):
        row = client(number)
        database.execute(
            "insert into client (operator, email, body) values (1, ?, ?)", (row["user"]["email"], json.dumps(row))
        )
    theirs = WRITES_ALONE / (time.perf_counter() - begun)
    database.close()
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    return ours, theirs


def sign_ins(binary, folder):
    postern = Postern(binary, "--data", ":memory:", "--no-email-confirmation")
    operator(postern)
    lines = [request("operators.signin", {"email": "a@b.co", "password": "password"}, n) for n in range(SIGN_INS)]
    begun = time.perf_counter()
    postern.send(b"".join(lines[:8]))
    for number in range(SIGN_INS):
        postern.process.stdout.readline()
        postern.send(b"".join(lines[number + 8 : number + 9]))
    ours = SIGN_INS / (time.perf_counter() - begun)
    postern.close()

    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    sodium.sodium_init()
    memory = ctypes.c_size_t(19_456 * 1_024)
    hashed = ctypes.create_string_buffer(128)
    sodium.crypto_pwhash_str(hashed, b"password", ctypes.c_ulonglong(8), ctypes.c_ulonglong(2), memory)
    begun = time.perf_counter()
    for _ in range(50):
        sodium.crypto_pwhash_str_verify(hashed, b"password", ctypes.c_ulonglong(8))
    return ours, len(os.sched_getaffinity(0)) * 50 / (time.perf_counter() - begun)


ROWS = [
    ("start, spawn to first reply", "ms", "head -n 1", start),
    ("session reads, pipelined", "a second", f"Python loop with {'orjson' if importlib.util.find_spec('orjson') else 'json'} and no authentication", reads),
    ("durable writes, one at a time", "a second", "SQLite, WAL, synchronous=FULL", lambda *a: writes(*a, in_flight=1)),
    ("durable writes, 100 in flight", "a second", "the same SQLite", lambda *a: writes(*a, in_flight=IN_FLIGHT)),
    ("sign-ins, 8 in flight", "a second", "cores ÷ time of one Argon2id", sign_ins),
]


def main(binary, only):
    print("| what | ours | beside it | ratio |\n| --- | --- | --- | --- |")
    for name, unit, peer, measure in ROWS + store.ROWS:
        if only not in name:
            continue
        pairs = []
        for _ in range(RUNS):
            with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR", ".")) as folder:
                pairs.append(measure(binary, folder))
        ours, theirs = (statistics.median(values) for values in zip(*pairs))
        ratios = sorted(our / their for our, their in pairs)
        show = lambda value: f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 1 else f"{value:.2f}"
        print(
            f"| {name} | {f'{show(ours)} {unit}'.strip()} | {peer}: {show(theirs)} | "
            f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |",
            flush=True,
        )


main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
