"""A lock whose holder is stopped or killed, and a compaction between two system calls of a process.

Guarantee: while a holder is stopped in the middle of a write, writes of other processes get `busy` after
`--lock-wait` seconds, and their reads go on. No process takes a lock from a living holder. After the holder
continues, everything works; after it is killed, its lock is free at once. A process whose knowledge of a file is out
of date, because another process has compacted meanwhile, notices that.
"""

import os
import signal
import subprocess
import time

import tracing
from postern import Broken

NAME = "locks"
WAIT_SECONDS = 1
LOOK_MICROSECONDS = 200_000


def run(trial):
    model = trial.merged_store() or trial.store()
    cases = [(stopped, trial, model, ending) for ending in ("goes on", "is killed")]
    cases += [(merging_stopped, trial, model), (racing_opens, trial)]
    places = [("manifest.json", "newfstatat"), (None, "newfstatat"), ("lock", "flock"), ("lock", "newfstatat")]
    if tracing.is_available():
        cases += [(merged_between_looks, trial, model, *place, writes) for place in places for writes in (False, True)]
    else:
        trial.outcome.skip("compactions between two calls: strace is missing")
    trial.hold(cases, lambda case: case[0](*case[1:]))
    trial.outcome.bite("without locks", trial.finds(lambda: stopped(trial, model, "goes on", blind=True)))


# A holder that is stopped


def stopped(trial, model, ending, blind=False):
    store = trial.copy(model)
    sign = store.path + ".sign"
    # The first write settles the journal when the store is opened.
    program = trial.program.under(trial.shims["write"], WRITE="hold", WRITE_NUMBER=2, WRITE_SIGN=sign)
    other = trial.program.under(trial.shims["lock"]) if blind else trial.program
    with store.serve("--lock-wait", str(WAIT_SECONDS), program=other) as second, store.serve(program=program) as first:
        store.listed(first)
        store.listed(second)
        first.send("operators.client.create", **store.client("held@b.co", "x"))
        stop_at(sign, first)
        hold_busy(store, second)
        if ending == "goes on":
            first.process.send_signal(signal.SIGCONT)
            if "result" not in first.receive():
                raise Broken("the holder was stopped and went on, and its request failed")
            store.ledger.acknowledge("held@b.co", "x")
        else:
            first.kill()
            store.ledger.doubt("held@b.co", "x")
        start = time.monotonic()
        store.create(second, "after@b.co")
        if time.monotonic() - start > WAIT_SECONDS / 2:
            raise Broken(f"the lock was free only after {time.monotonic() - start:.1f} s")
        store.ledger.compare(store.listed(second)["result"])
    store.verify()


def stop_at(sign, server):
    """Stops a process once its write has created the sign file."""
    end = time.monotonic() + 5
    while not os.path.exists(sign):
        if time.monotonic() > end:
            raise Broken("the write to be held never came")
        time.sleep(0.01)
    server.process.send_signal(signal.SIGSTOP)


def hold_busy(store, server):
    start = time.monotonic()
    reply = server.ask("operators.client.create", **store.client("refused@b.co", "x"))
    seconds = time.monotonic() - start
    if reply.get("error", {}).get("code") != 423:
        raise Broken(f"a write beside a stopped holder is answered with {reply}")
    if not WAIT_SECONDS * 0.9 <= seconds <= WAIT_SECONDS + 1:
        raise Broken(f"the answer took {seconds:.1f} s, where {WAIT_SECONDS} were given")
    start = time.monotonic()
    store.ledger.compare(store.listed(server)["result"])
    if time.monotonic() - start > 0.5:
        raise Broken("a read waited for a stopped holder")


def merging_stopped(trial, model):
    """A stopped compaction blocks no writes, and blocks only other compactions."""
    store = trial.copy(model)
    sign = store.path + ".sign"
    program = trial.program.under(trial.shims["write"], WRITE="hold", WRITE_NUMBER=2, WRITE_SIGN=sign)
    process = program.start("compact", "--data", store.path, stderr=subprocess.PIPE)
    try:
        end = time.monotonic() + 5
        while not os.path.exists(sign) and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGSTOP)
        with store.serve("--lock-wait", str(WAIT_SECONDS)) as server:
            store.create(server, "beside@b.co")
            code, _, errors = store.run("compact")
            if code != 1 or "another process is already running compaction" not in errors:
                raise Broken(f"a second merge ended with {code}: {errors}")
            process.send_signal(signal.SIGCONT)
            if process.wait(timeout=20) != 0:
                raise Broken(f"the merge went on, and failed: {process.stderr.read().decode()}")
            store.create(server, "later@b.co")
            store.ledger.compare(store.listed(server)["result"])
            server.close()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    store.verify()


def merged_between_looks(trial, model, name, call, writes):
    """Another process compacts right after this one's call on a file, which is the journal if `name` is None.
    This process must follow the compaction."""
    store = trial.copy(model)
    slow = tracing.delaying(store.file(name or store.journal), call, LOOK_MICROSECONDS)
    with store.serve() as other, store.serve(program=trial.program.under(before=slow)) as server:
        store.listed(server)
        store.create(other, "other@b.co")
        if writes:
            server.send("operators.client.create", **store.client("slow@b.co", "x"))
        else:
            server.send("operators.clients.get", user_id=1, session_id=store.session, provision=0)
        time.sleep(LOOK_MICROSECONDS / 2e6)
        code, _, errors = store.run("compact")
        reply = server.receive()
        if "error" in reply or code != 0:
            raise Broken(f"a request is answered with {reply}, the merge ended with {code} {errors}; {server.errors}")
        if writes:
            store.ledger.acknowledge("slow@b.co", "x")
        store.ledger.compare(store.listed(server)["result"])
    store.verify()


def racing_opens(trial):
    """Many processes that create the same store at the same time create one store."""
    path = trial.directory()
    servers = [trial.program.serve(path) for _ in range(6)]
    try:
        for number, server in enumerate(servers):
            user = {"first_name": "A", "last_name": "B", "email": f"o{number}@b.co"}
            server.send("operators.register", user=user, password="p")
        ids = sorted(server.receive()["result"]["id"] for server in servers)
        if ids != [1, 2, 3, 4, 5, 6]:
            raise Broken(f"six processes created one store, and returned the ids {ids}")
    finally:
        for server in servers:
            server.kill()
