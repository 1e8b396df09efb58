"""An error instead of each system call on the store: once at each call of a run, and permanently from each call on.

Guarantee: the reply to a request says what it did, or has the error `disk_full`, `busy`, `read_only` or `damaged`.
Only after `damaged` is it unknown whether the request was written. A command reports the cause in words. After a
temporary error, reads go on. Once the error is gone, the store opens with all acknowledged data. An interrupted call
or a short write is retried and causes no error.
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
    trial.outcome.bite("a written request reported as refused", trial.finds(lambda: hidden(trial)))


def cases_of(trial, name, model, act):
    """Each error at each call of an action, once and permanently."""
    store = copy(trial, model)
    trace = store.path + ".trace"
    act(store, trial.program.under(before=tracing.tracing(store.path, "all", trace)), True)
    for call, times in tracing.count(trace).items():
        for error in ERRORS.get(call, []):
            # Taking a lock may fail, but releasing one never does, and strace cannot distinguish them,
            # so only the first call fails.
            for number in range(1, 2 if error == "ENOLCK" else times + 1):
                yield attempt, name, model, act, call, error, number, False
                # A call that is retried without limit would be retried for ever.
                if error not in UNSEEN | {"ENOLCK"}:
                    yield attempt, name, model, act, call, error, number, True


def copy(trial, model):
    return trial.copy(model) if model else Store(trial.program, trial.directory())


def attempt(trial, name, model, act, call, error, number, ever_after):
    store = copy(trial, model)
    before = tracing.failing(store.path, call, error, number, ever_after)
    # Some calls are never interrupted by the system, so an error is allowed there.
    act(store, trial.program.under(before=before), error in UNSEEN and call in {"pwrite64", "fdatasync", "flock"})
    store.verify()
    trial.discard(store)


# The actions under a fault: each gets a store, a program, and whether the fault must have no effect


def start(store, program, is_unseen):
    """Opens and closes the store."""
    with store.serve(program=program) as server:
        code = server.close()
        if code not in (0, 1) or (code == 1 and (is_unseen or not says_why(server.errors))):
            raise Broken(f"the server ended with code {code}: {server.errors}")


def merge(store, program, is_unseen):
    code, _, errors = store.run("compact", program=program)
    if code not in (0, 1) or (code == 1 and (is_unseen or not says_why(errors))):
        raise Broken(f"postern compact ended with code {code}: {errors}")


def commit(store, program, is_unseen):
    """Commits single clients and a group. Each commit is followed by a read, which shows the state of the process."""
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
    """Reads must always be correct, and data that was returned once must stay."""
    reply = store.listed(server)
    if "result" in reply:
        store.ledger.compare(reply["result"])
        store.ledger.settle(reply["result"], is_final=False)
    elif reply["error"]["code"] not in (500, 423):
        raise Broken(f"a read is answered with {reply['error']}")


def ended(server, is_unseen):
    """A server that ended early must have reported the cause."""
    server.kill()
    if is_unseen or not says_why(server.errors):
        raise Broken(f"the server ended: {server.errors!r}")


def says_why(errors):
    return any(line.startswith("postern: ") and len(line) > 20 for line in errors.splitlines())


def short(trial, model, part):
    """All writes are short, and no request may show it."""
    store = trial.copy(model)
    commit(store, trial.program.under(trial.shims["write"], WRITE="short", WRITE_BYTES=part), True)
    store.verify()


def hidden(trial):
    """Treats a written request as if it had been refused."""
    store = trial.store()
    del store.ledger.known["c2@b.co"]
    store.verify()
