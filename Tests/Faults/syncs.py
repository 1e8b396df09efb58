"""A sync that fails with EIO from some call on, as on a disk that is about to fail.

Guarantee: a request that waited for that sync is not acknowledged, and its process never writes again: the system may
have dropped what it could not write, and a second sync would not report that. Reads go on, without the data in doubt.
The next process that opens the store has everything that was acknowledged, whether or not the disk kept the rest, and
first writes the lines again that no later line declares synced. Several processes may share their syncs, but none
acknowledges a write before a sync that began after the write has succeeded, whichever process made it.
"""

import os
import re
import threading
import time

from postern import Broken, Gone
from stores import ROOM

NAME = "failing sync"
# What happened to the bytes in doubt.
FATES = ["kept", "lost", "hole", "room", "half"]


def run(trial):
    model = trial.merged_store() or trial.store()
    cases = [(number, size, fate) for number in range(2, 8) for size in (1, 5) for fate in FATES]
    trial.hold(trial.sample(cases), lambda case: attempt(trial, model, *case))
    trial.hold_one("written again", lambda: written_anew(trial, model))
    for failing in (None, 5, 50, 200):
        trial.hold_one(f"shared, failing at {failing}", lambda failing=failing: shared(trial, model, failing))
    trial.outcome.bite("a hidden failure", trial.finds(lambda: attempt(trial, model, 3, 1, "lost", SYNC_HIDE=1)))
    # In all four: if three of them really sync, they mostly sync the bytes of the fourth before its reply is read.
    hidden = trial.finds(lambda: shared(trial, model, 2, failing_processes=4, SYNC_HIDE=1))
    trial.outcome.bite("hidden failures in four processes", hidden)


def attempt(trial, model, failing, size, fate, **environment):
    """Commits until a sync has failed and for a while after, then applies the fate of the bytes in doubt."""
    store = trial.copy(model)
    log = store.path + ".syncs"
    program = trial.program.under(
        trial.shims["sync"], SYNC="fail", SYNC_NUMBER=failing, SYNC_LOG=log, **environment
    )
    with store.serve(program=program) as server:
        journal = store.journal
        safe = 0
        for number in range(failing + 4):
            has_failed = outcomes(log)[-1:] == ["failed"]
            if not has_failed:
                safe = len(store.read(journal))
            before = store.read(journal)
            store.create_all(server, [(f"s{number}-{index}@b.co", "x") for index in range(size)], tolerate=True)
            if has_failed and store.read(journal) != before:
                raise Broken("the journal was written to after a sync had failed")
            reply = store.listed(server)
            if "error" in reply:
                raise Broken(f"a process whose sync failed does not read: {reply['error']}")
            store.ledger.compare(reply["result"])
            store.ledger.settle(reply["result"], is_final=False)
        server.close()
    if outcomes(log)[-1:] != ["failed"]:
        raise Broken(f"no sync was made to fail: {outcomes(log)}, {server.errors}")
    lose(store, journal, safe, fate)
    store.verify()
    trial.discard(store)


def shared(trial, model, failing, failing_processes=1, **environment):
    """Four processes commit at the same time. The syncs of some may fail from some call on."""
    store = trial.copy(model)
    log = store.path + ".syncs"
    sync = trial.shims["sync"]
    slow = trial.program.under(sync, SYNC="slow", SYNC_MICROSECONDS=1000, SYNC_LOG=log)
    bad = slow.under(SYNC="fail", SYNC_NUMBER=failing, **environment) if failing else slow
    acknowledged = {}
    broken = []

    def work(number):
        with store.serve(program=bad if number < failing_processes else slow) as server:
            end = time.monotonic() + (0.5 if trial.is_quick else 2)
            while time.monotonic() < end:
                email = f"w{number}-{len(acknowledged)}-{time.monotonic_ns()}@b.co"
                try:
                    reply = store.create(server, email, tolerate=True)
                except (Broken, Gone) as error:
                    return broken.append(error)
                if "result" in reply:
                    acknowledged[email] = synced(log)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]
    hold_synced(store, acknowledged)
    store.verify()


def synced(log):
    """How many bytes of the journal have been synced so far."""
    with open(log) as lines:
        return max((int(line.split()[2]) for line in lines if line.startswith("synced")), default=0)


def hold_synced(store, acknowledged):
    end, checked = 0, 0
    for line in store.read(store.journal).splitlines(keepends=True):
        end += len(line)
        for email in re.findall(rb'"operators.clients/email/[0-9]+/([^"]+)"', line):
            checked += 1
            if acknowledged.get(email.decode(), end) < end:
                raise Broken(f"{email.decode()} ends at byte {end}, and was acknowledged with {acknowledged[email.decode()]} synced")
    if checked < len(acknowledged):
        raise Broken(f"{len(acknowledged)} were acknowledged, and the journal has {checked}")


def lose(store, journal, safe, fate):
    """Changes the bytes in doubt as a disk may do."""
    data = store.read(journal)
    if fate == "lost":
        store.write(journal, data[:safe])
    elif fate == "hole":
        store.write(journal, data[:safe] + bytes(len(data) - safe))
    elif fate == "room":
        store.write(journal, data[:safe] + ROOM * (len(data) - safe + 1000))
    elif fate == "half":
        store.write(journal, data[:(safe + len(data)) // 2])


def outcomes(log):
    """The outcome of each sync so far."""
    if not os.path.exists(log):
        return []
    with open(log) as lines:
        return [line.split()[0] for line in lines]


def written_anew(trial, model):
    """The next process that opens the store writes the bytes in doubt again before it syncs: the trace of its writes
    shows it."""
    store = trial.copy(model)
    with store.serve(program=trial.program.under(trial.shims["sync"], SYNC="fail", SYNC_NUMBER=2)) as server:
        store.create(server, "doubt@b.co", tolerate=True)
        server.close()
    line = store.read(store.journal).splitlines(keepends=True)[-1]
    sign = store.path + ".sign"
    program = trial.program.under(trial.shims["write"], WRITE="hold", WRITE_NUMBER=1, WRITE_SIGN=sign)
    with store.serve(program=program) as server:
        store.listed(server)
        server.close()
    with open(sign) as written:
        if int(written.read()) < len(line):
            raise Broken("the next process does not write the bytes in doubt again")
    store.verify()
