"""An error in place of each system call on the store: once at every call of a run, and for good from every call on.

Promised: a request is answered with what it did, or with `disk_full`, `busy`, `read_only` or `damaged`; of these, only the
last leaves open whether it was written. A command says in words what was in the way. Behind a fault that passes, reading
goes on; and with the fault gone, the store opens and the promise holds. A call that a signal interrupts, and a write that
comes out short, are made good unseen.
"""

import tracing
from postern import Broken
from stores import Store

NAME = "error at every call"
ERRORS = {
    "pwrite64": ["EIO", "ENOSPC", "EDQUOT", "EFBIG", "EINTR"],
    "fdatasync": ["EIO", "ENOSPC", "EINTR"],
    "fsync": ["EIO", "EINTR"],
    "ftruncate": ["EIO", "EINTR"],
    "openat": ["EMFILE", "ENFILE", "EACCES", "EIO", "EINTR"],
    "renameat": ["EIO", "ENOSPC"],
    "unlinkat": ["EIO"],
    "flock": ["ENOLCK", "EINTR"],
    "newfstatat": ["EIO"],
    "fstatfs": ["EIO"],
    "pread64": ["EIO", "EINTR"],
    "mmap": ["ENOMEM"],
    "madvise": ["EINVAL"],
    "fchmod": ["EPERM"],
    "getdents64": ["EIO"],
    "mkdir": ["ENOSPC", "EACCES"],
}
UNSEEN = {"EINTR", "EINVAL"}


def run(trial):
    if not tracing.is_available():
        return trial.outcome.skip("strace is missing")
    merged = trial.merged_store()
    model = merged or trial.store()
    torn = trial.copy(model)
    torn.write(torn.journal, torn.read(torn.journal) + b'{"n":99,"d":0,"w":[[')
    acts = [("first open", None, start), ("open", model, start), ("repair", torn, start), ("commit", model, commit)]
    if merged:
        acts += [("merge", model, merge)]
    cases = [case for act in acts for case in cases_of(trial, *act)]
    cases += [(short, model, part) for part in (1, 7, 511, 512)]
    trial.hold(trial.sample(cases), lambda case: case[0](trial, *case[1:]))
    trial.outcome.bite("a refused request that was written", trial.finds(lambda: hidden(trial)))


def cases_of(trial, name, model, act):
    """Each error at each call of an act, once and for good."""
    store = copy(trial, model)
    trace = store.path + ".trace"
    act(store, trial.program.under(before=tracing.tracing(store.path, "all", trace)), True)
    for call, times in tracing.count(trace).items():
        for error in ERRORS.get(call, []):
            # Taking a lock may fail, but letting go of one never does, which strace cannot tell apart: but for the first.
            for number in range(1, 2 if error == "ENOLCK" else times + 1):
                yield attempt, name, model, act, call, error, number, False
                # A call that is made again for ever would be.
                if error not in UNSEEN | {"ENOLCK"}:
                    yield attempt, name, model, act, call, error, number, True


def copy(trial, model):
    return trial.copy(model) if model else Store(trial.program, trial.directory())


def attempt(trial, name, model, act, call, error, number, ever_after):
    store = copy(trial, model)
    before = tracing.failing(store.path, call, error, number, ever_after)
    # In some places an interrupted call has no meaning, and the system never does it: what is asked for is no more then.
    act(store, trial.program.under(before=before), error in UNSEEN and call in {"pwrite64", "fdatasync", "flock"})
    store.verify()
    trial.discard(store)


# What is done under a fault: on a store, by a program, and whether it must be unseen


def start(store, program, is_unseen):
    """Opens the store and closes it again."""
    with store.serve(program=program) as server:
        code = server.close()
        if code not in (0, 1) or (code == 1 and (is_unseen or not says_why(server.errors))):
            raise Broken(f"the server ended with code {code}: {server.errors}")


def merge(store, program, is_unseen):
    code, _, errors = store.run("merge", program=program)
    if code not in (0, 1) or (code == 1 and (is_unseen or not says_why(errors))):
        raise Broken(f"postern merge ended with code {code}: {errors}")


def commit(store, program, is_unseen):
    """Commits alone and together, each followed by a look, as it finds the state of the process."""
    with store.serve(program=program) as server:
        for number in range(3):
            if store.create(server, f"new{number}@b.co", tolerate=not is_unseen) is None:
                return ended(server, is_unseen)
            look(store, server)
        replies = store.create_all(server, [(f"many{number}@b.co", "x") for number in range(3)], tolerate=not is_unseen)
        if None in replies:
            return ended(server, is_unseen)
        look(store, server)
        code = server.close()
        if code != 0:
            raise Broken(f"the server ended with code {code}: {server.errors}")


def look(store, server):
    """What is served must be as promised at any time; and what was told of once stays."""
    reply = store.listed(server)
    if "result" in reply:
        store.ledger.compare(reply["result"])
        store.ledger.settle(reply["result"], is_final=False)
    elif reply["error"]["code"] not in (500, 423):
        raise Broken(f"a read is answered with {reply['error']}")


def ended(server, is_unseen):
    """A server that did not come to serve must have said why."""
    server.kill()
    if is_unseen or not says_why(server.errors):
        raise Broken(f"the server ended: {server.errors!r}")


def says_why(errors):
    return any(line.startswith("postern: ") and len(line) > 20 for line in errors.splitlines())


def short(trial, model, part):
    """All writes come out short, and nobody sees it."""
    store = trial.copy(model)
    commit(store, trial.program.under(trial.shims["write"], WRITE="short", WRITE_BYTES=part), True)
    store.verify()


def hidden(trial):
    """Takes a request that was written for a refused one."""
    store = trial.store()
    del store.ledger.known["c2@b.co"]
    store.verify()
