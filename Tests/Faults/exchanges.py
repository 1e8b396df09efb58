"""Files and directories that are replaced while a process uses them.

Guarantee: a process whose lock file, directory or files were removed, replaced or restored to an earlier state
notices that at the next request, stops using them, and reports the cause.
"""

import os
import shutil

from postern import Broken, Gone

NAME = "exchanged underneath"


def run(trial):
    model = trial.merged_store() or trial.store()
    trial.hold(CHANGES.items(), lambda change: exchanged(trial, model, *change))
    trial.outcome.bite("no change", trial.finds(lambda: exchanged(trial, model, "nothing", lambda *_: None)))


# The changes, which are made while a server has the store open


def lock_removed(store, _):
    os.unlink(store.file("lock"))


def lock_replaced(store, _):
    os.unlink(store.file("lock"))
    store.write("lock", b"")


def directory_moved(store, _):
    os.rename(store.path, store.path + ".moved")


def directory_replaced(store, earlier):
    directory_moved(store, earlier)
    shutil.copytree(store.path + ".moved", store.path)


def directory_restored(store, earlier):
    directory_moved(store, earlier)
    shutil.copytree(earlier, store.path)


def files_restored(store, earlier):
    """Overwrites the files in place, as `cp -r` from a backup does."""
    shutil.copytree(earlier, store.path, dirs_exist_ok=True)


def restored_and_grown(store, earlier):
    """Restores the files in place, and then another process writes beyond the offset up to which this one has
    read."""
    files_restored(store, earlier)
    with store.serve() as server:
        for number in range(20):
            server.ask("operators.client.create", **store.client(f"g{number}@b.co", "x"))
        server.close()


def directory_of_another_store(store, earlier):
    directory_moved(store, earlier)
    with store.program.serve(store.path) as server:
        server.close()


def journal_removed(store, _):
    os.unlink(store.file(store.journal))


def manifest_removed(store, _):
    os.unlink(store.file("manifest.json"))


def manifest_restored(store, earlier):
    shutil.copy(os.path.join(earlier, "manifest.json"), store.file("manifest.json"))


CHANGES = {
    change.__name__.replace("_", " "): change
    for change in (
        lock_removed, lock_replaced, directory_moved, directory_replaced, directory_restored, files_restored,
        restored_and_grown, directory_of_another_store, journal_removed, manifest_removed, manifest_restored,
    )
}
# A reader cannot notice these changes, and what it reads is correct.
UNSEEN_BY_READERS = {"lock removed", "lock replaced"}


def exchanged(trial, model, name, change):
    store = trial.copy(model)
    earlier = store.path + ".earlier"
    shutil.copytree(store.path, earlier)
    with store.serve() as server:
        for number in range(3):
            store.create(server, f"e{number}@b.co")
        if name == "manifest restored" and store.run("compact")[0] == 0:
            store.listed(server)
        change(store, earlier)
        try:
            reply = store.listed(server)
            if "result" in reply and name not in UNSEEN_BY_READERS:
                raise Broken(f"a process goes on reading: {len(reply['result']['clients'])} clients")
            reply = server.ask("operators.client.create", **store.client("after@b.co", "x"))
            if reply.get("error", {}).get("code") != 500:
                raise Broken(f"a process goes on writing: {reply}")
        except Gone:
            pass
        if "damaged" not in server.errors:
            raise Broken(f"the process does not report the cause: {server.errors!r}")
