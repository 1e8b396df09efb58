"""A disk that is full: a file system of a megabyte, filled by commits, and so that a merge or an opening finds no room.

Promised: what finds no room is answered with `disk_full` and is not written; reading goes on, and so does writing once
there is room, in the same process. A merge that finds no room is given up, and nothing else.
"""

import os

import mounts
from postern import Broken
from stores import Store

NAME = "full disk"
BYTES = 1 << 20


def run(trial):
    place = os.path.dirname(trial.directory()) + "/mount"
    try:
        with mounts.memory(place, BYTES):
            pass
    except mounts.Unavailable as why:
        trial.outcome.skip(why)
        return
    # From a hint of room to most of what a write of many lines needs.
    rooms = range(0, 60_000, 8192 if trial.is_quick else 1024)
    cases = [(commit, trial, size, room) for size in (1, 40) for room in rooms]
    cases += [(merge, trial, room) for room in range(0, 300_000, 32768 if trial.is_quick else 8192)]
    cases += [(opening, trial, room) for room in (0, 4096)]
    trial.hold(trial.sample(cases), lambda case: case[0](*case[1:]))
    blind = trial.program.under(trial.shims["write"], WRITE="hide")
    trial.outcome.bite("a failure hidden", trial.finds(lambda: commit(trial, 1, 0, blind)))


def commit(trial, size, room, program=None):
    """Commits until there is no room any more, and goes on once there is; with some bytes left for the first to fail."""
    with mounts.memory(trial.directory() + ".mount", BYTES) as place:
        store = Store.make(trial.program, place + "/data", ["c0@b.co"])
        with store.serve(program=program) as server:
            ballast = fill(place, room)
            number, refused = 0, None
            while refused is None:
                number += 1
                if number > 200:
                    raise Broken("the disk is never full")
                clients = [(f"d{number}-{index}@b.co", "x" * 500) for index in range(size)]
                refused = next((reply for reply in store.create_all(server, clients, True) if "error" in reply), None)
            if refused["error"]["code"] != 507:
                raise Broken(f"a full disk is answered with {refused['error']}")
            store.ledger.compare(store.listed(server)["result"])
            for again in range(3):
                store.create_all(server, [(f"e{again}-{index}@b.co", "x" * 500) for index in range(size)], True)
                store.ledger.compare(store.listed(server)["result"])
            os.unlink(ballast)
            store.create(server, "room@b.co")
            store.ledger.compare(store.listed(server)["result"])
            server.close()
        store.verify()


def fill(place, room):
    """Fills a file system, but for some bytes; the file that does it."""
    path = place + "/ballast"
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
        file.truncate(max(0, file.tell() - room))
    return path


def merge(trial, room):
    """Merges with little room; a server beside it goes on."""
    with mounts.memory(trial.directory() + ".mount", BYTES) as place:
        store = Store.make(trial.program, place + "/data", [f"c{number}@b.co" for number in range(100)])
        with store.serve() as server:
            ballast = fill(place, room)
            code, _, errors = store.run("merge")
            if code != 0 and "full" not in errors:
                raise Broken(f"a merge without room ended with {code}: {errors}")
            store.ledger.compare(store.listed(server)["result"])
            store.create(server, "tight@b.co", tolerate=True)
            store.ledger.compare(store.listed(server)["result"])
            os.unlink(ballast)
            store.create(server, "room@b.co")
            if store.run("merge")[0] != 0:
                raise Broken("a merge with room again fails")
            store.create(server, "merged@b.co")
            store.ledger.compare(store.listed(server)["result"])
            server.close()
        store.verify()


def opening(trial, room):
    """Opens with no room, a torn tail in the journal: it can be put aside when there is room, and nothing is lost."""
    with mounts.memory(trial.directory() + ".mount", BYTES) as place:
        store = Store.make(trial.program, place + "/data", ["c0@b.co", "c1@b.co"])
        store.write(store.journal, store.read(store.journal) + b'{"n":9,' + b"x" * 9000)
        ballast = fill(place, room)
        served, complaint = store.served()
        if served is None and "full" not in complaint:
            raise Broken(f"a store without room is refused with {complaint}")
        if served is not None:
            store.ledger.compare(served)
        os.unlink(ballast)
        store.verify()
