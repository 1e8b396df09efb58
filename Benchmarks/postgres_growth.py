"""The store in PostgreSQL with more connections, more processes and more accounts, and moves of whole stores."""

import contextlib
import os
import statistics
import subprocess

import size
from harness import create
from postgres_bench import BUSY, IN_FLIGHT_EACH, move
from postgres_rows import CONNECTIONS
from postgres_work import SCRIPT_CLIENTS, STRIDE
from processes import WAITING, compared

CONNECTION_COUNTS = [1, 2, 4, 8, 16, SCRIPT_CLIENTS]
PROCESS_COUNTS = [1, 2, 4]
ACCOUNTS = [1_000, 10_000, 100_000, 1_000_000]
QUICK_ACCOUNTS_MAX = 10_000
RUNS, QUICK_RUNS = 3, 1
# The requests of a run, as a share of those of a row.
SHARE = 0.5
READS, WRITES = 10_000, 2_500


def medians(bench, sizes, measure):
    """The median by operation and size. Each run measures all sizes, so that drift affects each size equally."""
    runs = {count: [] for count in sizes}
    for _ in range(RUNS if bench.is_whole else QUICK_RUNS):
        for count in sizes:
            bench.fresh()
            runs[count].append(measure(bench, count))
    names = runs[sizes[0]][0]
    return {
        name: {str(count): round(statistics.median(run[name] for run in runs[count]), 2) for count in sizes}
        for name in names
    }


def with_connections(bench, count):
    work = bench.work
    values = {}
    for name, title in (("read", "session read"), ("create", "client create")):
        values[title] = work.ours(name, connections=count, share=SHARE)
        values[f"{title}, pgbench"] = work.pgbench(name, connections=count)
    return values


def with_processes(bench, count):
    return {title: rate_of_all(bench, name, count) for name, title in (("read", "session read"), ("create", "client create"))}


def rate_of_all(bench, name, processes):
    """Requests a second of several processes together, which work for different accounts."""
    flags = ["--replies", "as-completed", "--connections", str(CONNECTIONS)]
    waiting = {**WAITING, "env": {**WAITING["env"], "BENCH_TOLERATED": BUSY}}
    with contextlib.ExitStack() as stack:
        workers = []
        for number in range(processes):
            postern = stack.enter_context(bench.postern(bench.work.database.uri(), *flags))
            postern.call("system.info")
            start = number * bench.work.operators // processes
            requests = list(bench.work.lines(name, SHARE, start))
            lines = bench.lines(requests, f"requests-{number}")
            window = CONNECTIONS * IN_FLIGHT_EACH
            workers.append(postern.driver("send", lines, len(requests), window, **waiting))
        return compared(workers)[0]


def with_accounts(bench, count):
    data = bench.moved(count)[0].uri()
    run, reads, writes = bench.next_run(), bench.count(READS), bench.count(WRITES)
    lines = [create(f"{run}-{id}", id * STRIDE % count + 1, id) for id in range(writes)]
    created, again, refused = bench.conflicts(lambda: bench.rate(data, lines, CONNECTIONS))
    return {
        "session read": bench.rate(data, (size.random_read(count, id) for id in range(reads)), CONNECTIONS),
        "account found by its email": bench.rate(
            data, (size.random_email(count, id) for id in range(reads)), CONNECTIONS, size.TAKEN
        ),
        "client create": created,
        "conflicts, of 100 creates": again / writes * 100,
        "refused as busy, of 100 creates": refused / writes * 100,
    }


def sizes_of(bench):
    return [count for count in ACCOUNTS if bench.is_whole or count <= QUICK_ACCOUNTS_MAX]


def accounts(bench):
    """The rates by the number of accounts, and the size of the new databases."""
    sizes = sizes_of(bench)
    kilobytes = {}
    for count in sizes:
        database = bench.moved(count)[0]
        kilobytes[str(count)] = round(int(database.sql("SELECT pg_database_size(current_database())")[0]) / count / 1_024, 2)
    return {**medians(bench, sizes, with_accounts), "kilobytes of the database, an account": kilobytes}


def connections(bench):
    return medians(bench, CONNECTION_COUNTS, with_connections)


def processes(bench):
    return medians(bench, PROCESS_COUNTS, with_processes)


def moves(bench):
    """What it takes to move a store to PostgreSQL and back, and to check it."""
    count = sizes_of(bench)[-1]
    database, there = bench.moved(count)
    back = os.path.join(bench.root, "back")
    home = move(bench, database.uri(), back)
    for data in (database.uri(), back):
        subprocess.run([bench.binary, "check", "--data", data], check=True, stdout=subprocess.DEVNULL)
    return {"accounts": count, "to PostgreSQL": there, "to a directory": home}
