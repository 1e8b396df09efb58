"""A sync that fails with EIO from some call on, as a disk does that is about to die.

Promised: what waited for that sync is not acknowledged, and that process writes no more, ever: the system may have
dropped what it could not write, and a second sync would not find out. Reading goes on, without what is in doubt. The next
process to open the store has all that was acknowledged, whether or not the disk kept the rest, and first writes anew what
no line tells to be on the disk.
"""

import os

from postern import Broken

NAME = "failing sync"
# What became of the bytes that were in doubt.
FATES = ["kept", "lost", "hole", "half"]


def run(trial):
    model = trial.merged_store() or trial.store()
    cases = [(number, size, fate) for number in range(2, 8) for size in (1, 5) for fate in FATES]
    trial.hold(trial.sample(cases), lambda case: attempt(trial, model, *case))
    trial.hold_one("written anew", lambda: written_anew(trial, model))
    trial.outcome.bite("a failure hidden", trial.finds(lambda: attempt(trial, model, 3, 1, "lost", SYNC_HIDE=1)))


def attempt(trial, model, failing, size, fate, **environment):
    """Commits until a sync has failed, goes on for a while, and then settles what the disk kept."""
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
                safe = os.path.getsize(store.file(journal))
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


def lose(store, journal, safe, fate):
    """Does to what was in doubt what a disk may do."""
    data = store.read(journal)
    if fate == "lost":
        store.write(journal, data[:safe])
    elif fate == "hole":
        store.write(journal, data[:safe] + bytes(len(data) - safe))
    elif fate == "half":
        store.write(journal, data[:(safe + len(data)) // 2])


def outcomes(log):
    """What came of each sync so far."""
    if not os.path.exists(log):
        return []
    with open(log) as lines:
        return [line.split()[0] for line in lines]


def written_anew(trial, model):
    """The next opener writes the bytes in doubt once more before it syncs: the trace of its writes shows it."""
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
            raise Broken("the next opener does not write what is in doubt anew")
    store.verify()
