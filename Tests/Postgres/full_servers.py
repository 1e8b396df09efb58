"""A full disk of the server: under the tables, or under its log, on a small file system.

Guarantee: a request that does not fit gets the error `disk_full`, or `unavailable` if the server ends because it
cannot write its log, and writes nothing. Reads go on while the server lives. Once there is space, the same process
writes again, and nothing is lost or doubled.
"""

import os
import shutil
import time

import mounts
from databases import Database, PostgresStore, slug
from full_disks import fill
from postern import Broken
from servers import SERVER_USER, Server

NAME = "full disk of the server"
TABLE_BYTES = 12 << 20
LOG_BYTES = 8 << 20
COMMITS_MAX = 400
# A log whose files are small, so that it soon needs another one.
SMALL_LOG = ("--wal-segsize=1",)
SMALL_LOG_SETTINGS = {"min_wal_size": "2MB", "max_wal_size": "4MB", "wal_recycle": "off"}


def run(trial):
    try:
        with mounts.memory(trial.directory() + ".mount", 1 << 20):
            pass
    except mounts.Unavailable as why:
        trial.outcome.skip(why)
        return
    rooms = (0, 8192, 65_536) if trial.is_quick else range(0, 200_000, 16_384)
    cases = [(tables, trial, room) for room in rooms] + [(log, trial, room) for room in (0, 300_000)]
    trial.hold(trial.sample(cases), lambda case: case[0](*case[1:]), at_once=2)
    trial.outcome.bite("entries that are not kept", trial.finds(lambda: tables(trial, 0, is_hiding=True)))


def tables(trial, room, is_hiding=False):
    """The tables are on a small file system, the log is not."""
    server = trial.enter(Server(is_durable=False))
    with mounts.memory(trial.directory() + ".mount", TABLE_BYTES) as place:
        give_to_server(place)
        server.sql(f"CREATE TABLESPACE small LOCATION '{place}'")
        server.sql("CREATE DATABASE small TABLESPACE small")
        store = PostgresStore.make(trial.program, server.uri("small"), ["c0@b.co"])
        with store.serve() as process:
            if is_hiding:
                Database(server, "small").discard_entries()
            ballast = fill(place, room)
            refused = fill_with_clients(store, process)
            if slug(refused) != "disk_full" or refused["error"]["code"] != 507:
                raise Broken(f"a full disk is answered with {refused['error']}")
            if "the disk of the server is full" not in process.errors:
                raise Broken(f"the log does not say which disk is full: {process.errors!r}")
            hold_full(store, process)
            os.unlink(ballast)
            store.create(process, "room@b.co")
            store.ledger.compare(store.listed(process)["result"])
            process.close()
        store.verify()
        server.stop("immediate")


def log(trial, room):
    """The server's log is on a small file system. A server that cannot write it ends, and recovers in vain."""
    with mounts.memory(trial.directory() + ".mount", LOG_BYTES) as place:
        folder = os.path.join(place, "log")
        os.mkdir(folder, 0o700)
        give_to_server(folder)
        server = trial.enter(Server(SMALL_LOG_SETTINGS, initdb=(*SMALL_LOG, f"--waldir={folder}")))
        server.sql("CREATE DATABASE small")
        store = PostgresStore.make(trial.program, server.uri("small"), ["c0@b.co"])
        store.timeout = 2
        with store.serve() as process:
            ballast = fill(place, room)
            refused = fill_with_clients(store, process)
            if slug(refused) not in ("disk_full", "unavailable", "outcome_unknown"):
                raise Broken(f"a full log is answered with {refused['error']}")
            trial.outcome.remarks.append(f"a full log is answered with {slug(refused)}")
            if "error" in process.ask("system.info"):
                raise Broken("system.info fails")
            os.unlink(ballast)
            if server.is_running:
                server.stop("immediate")
            server.start()
            time.sleep(1)
            store.create(process, "room@b.co")
            store.ledger.compare(store.listed(process)["result"])
            process.close()
        store.verify()
        server.stop("immediate")


def fill_with_clients(store, process):
    """Creates clients until one is refused. Returns the reply."""
    for number in range(COMMITS_MAX):
        replies = store.create_all(process, [(f"d{number}-{index}@b.co", "x" * 900) for index in range(10)], True)
        if number % 20 == 0:
            store.ledger.compare(store.listed(process)["result"])
        refused = next((reply for reply in replies if "error" in reply), None)
        if refused is not None:
            return refused
    raise Broken("the disk is never full")


def hold_full(store, process):
    """Reads go on, and what is refused is not there."""
    store.ledger.compare(store.listed(process)["result"])
    for number in range(3):
        store.create(process, f"full{number}@b.co", "x" * 900, tolerate=True)
        store.ledger.compare(store.listed(process)["result"])
    if "error" in process.ask("system.info"):
        raise Broken("system.info fails")


def give_to_server(place):
    if os.geteuid() == 0:
        shutil.chown(place, SERVER_USER, SERVER_USER)
        # The folders above it belong to the tests.
        parent = os.path.dirname(place)
        while parent != "/":
            os.chmod(parent, os.stat(parent).st_mode | 0o111)
            parent = os.path.dirname(parent)
