"""A full disk: a file system of a megabyte that commits fill up, and one with too little space for a compaction or
for opening.

Guarantee: a request that does not fit gets the error `disk_full` and writes nothing. Reads go on, and writes too once
there is space, in the same process. A compaction without space is abandoned, and nothing else.
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
    # From very little space to most of what a write of many lines needs.
    rooms = range(0, 60_000, 8192 if trial.is_quick else 1024)
    cases = [(commit, trial, size, room) for size in (1, 40) for room in rooms]
    cases += [(merge, trial, room) for room in range(0, 300_000, 32768 if trial.is_quick else 8192)]
    cases += [(opening, trial, room) for room in (0, 4096)]
    trial.hold(trial.sample(cases), lambda case: case[0](*case[1:]))
    blind = trial.program.under(trial.shims["write"], WRITE="hide")
    trial.outcome.bite("a hidden failure", trial.finds(lambda: commit(trial, 1, 0, blind)))


def commit(trial, size, room, program=None):
    """Commits until the disk is full, and continues once there is space. `room` is the number of bytes left before
    the first commit."""
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
    """Fills a file system except for some bytes. Returns the path of the file that fills it."""
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
    """Compacts with little space, while a server runs."""
    with mounts.memory(trial.directory() + ".mount", BYTES) as place:
        store = Store.make(trial.program, place + "/data", [f"c{number}@b.co" for number in range(100)])
        with store.serve() as server:
            ballast = fill(place, room)
            code, _, errors = store.run("compact")
            if code != 0 and "full" not in errors:
                raise Broken(f"a compaction without space ended with {code}: {errors}")
            store.ledger.compare(store.listed(server)["result"])
            store.create(server, "tight@b.co", tolerate=True)
            store.ledger.compare(store.listed(server)["result"])
            os.unlink(ballast)
            store.create(server, "room@b.co")
            if store.run("compact")[0] != 0:
                raise Broken("a compaction fails though there is space again")
            store.create(server, "merged@b.co")
            store.ledger.compare(store.listed(server)["result"])
            server.close()
        store.verify()


def opening(trial, room):
    """Opens without space, with a torn tail in the journal. It is set aside once there is space; nothing is lost."""
    with mounts.memory(trial.directory() + ".mount", BYTES) as place:
        store = Store.make(trial.program, place + "/data", ["c0@b.co", "c1@b.co"])
        store.write(store.journal, store.read(store.journal) + b'{"n":9,' + b"x" * 9000)
        ballast = fill(place, room)
        served, complaint = store.served()
        if served is None and "full" not in complaint:
            raise Broken(f"a store without space is refused with {complaint}")
        if served is not None:
            store.ledger.compare(served)
        os.unlink(ballast)
        store.verify()
