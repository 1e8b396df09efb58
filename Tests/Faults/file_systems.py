"""File systems without reliable locks, and read-only file systems.

Guarantee: over FUSE a store is refused unless `--trust-locks` declares that locks work. A read-only store, because of
its mount or its permissions, opens for reading, and writes get `read_only`. If there is no store, none is created.
"""

import os

import mounts
from postern import Broken, Gone
from stores import Store

NAME = "file systems"
NOBODY_ID = 65534


def run(trial):
    model = trial.merged_store() or trial.store()
    cases = [fuse, read_only_mount, read_only_directory, read_only_journal, nothing_to_read]
    for case in cases:
        try:
            case(trial, trial.copy(model))
        except mounts.Unavailable as why:
            trial.outcome.skip(f"{case.__name__}: {why}")
            continue
        except (Broken, Gone, OSError) as error:
            trial.outcome.failures.append(f"{case.__name__}: {error or 'the process ended'}")
        else:
            trial.outcome.held += 1
        trial.outcome.tried += 1
    trial.outcome.bite("a writable store", trial.finds(lambda: hold_read_only(trial.copy(model))))


def fuse(trial, store):
    with mounts.fuse(store.path + ".fuse", store.path) as place:
        there = Store(trial.program, place, store.session, store.ledger)
        served, complaint = there.served()
        if served is not None or "FUSE" not in complaint or "--trust-locks" not in complaint:
            raise Broken(f"over FUSE the store is not refused: {complaint}")
        code, _, errors = there.run("stats")
        if code != 1 or "FUSE" not in errors:
            raise Broken(f"over FUSE a command is not refused: {code} {errors}")
        with there.serve("--trust-locks") as server:
            there.create(server, "trusted@b.co")
            server.close()
        there.ledger.compare(there.served("--trust-locks")[0])
    store.verify()


def read_only_mount(trial, store):
    with mounts.read_only(store.path + ".bound", store.path) as place:
        hold_read_only(Store(trial.program, place, store.session, store.ledger))
    store.verify()


def read_only_directory(trial, store):
    """The directory of another user, which everyone may read."""
    expose(store, 0o755, 0o444)
    hold_read_only(Store(as_nobody(trial), store.path, store.session, store.ledger))


def read_only_journal(trial, store):
    """A writable directory with read-only files."""
    expose(store, 0o777, 0o444)
    os.chmod(store.file("lock"), 0o666)
    hold_read_only(Store(as_nobody(trial), store.path, store.session, store.ledger))


def expose(store, directory_mode, file_mode):
    os.chmod(os.path.dirname(os.path.dirname(store.path)), 0o755)
    os.chmod(os.path.dirname(store.path), 0o755)
    os.chmod(store.path, directory_mode)
    for name in os.listdir(store.path):
        os.chmod(store.file(name), file_mode)


def as_nobody(trial):
    if os.geteuid() != 0:
        raise mounts.Unavailable("running as another user needs root")
    # The binary may be in a directory that only its owner can enter.
    path = os.path.join(trial.scratch, "postern")
    if not os.path.exists(path):
        with open(trial.program.path, "rb") as source, open(path, "wb") as copy:
            copy.write(source.read())
        os.chmod(path, 0o755)
    before = ["setpriv", f"--reuid={NOBODY_ID}", f"--regid={NOBODY_ID}", "--clear-groups"]
    return type(trial.program)(path, before=before)


def hold_read_only(store):
    before = {name: store.read(name) for name in store.files()}
    with store.serve() as server:
        for number in range(2):
            store.ledger.compare(store.listed(server)["result"])
            reply = server.ask("operators.client.create", **store.client(f"no{number}@b.co", "x"))
            if reply.get("error", {}).get("code") != 405:
                raise Broken(f"a write is answered with {reply}")
        server.close()
    code, _, errors = store.run("stats")
    if code != 0:
        raise Broken(f"a read-only store is not read by a command: {errors}")
    if {name: store.read(name) for name in store.files()} != before:
        raise Broken("read-only files were changed")


def nothing_to_read(trial, store):
    """A missing store in a directory where none can be created."""
    empty = trial.directory()
    os.mkdir(empty)
    with mounts.read_only(empty + ".bound", empty) as place:
        served, complaint = Store(trial.program, place).served()
        if served is not None or not complaint:
            raise Broken(f"a missing store is served: {complaint}")
