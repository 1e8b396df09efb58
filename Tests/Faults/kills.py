"""Killed, as by kill -9, right before each system call on the store, and during a large write.

Guarantee: everything that was acknowledged is there when the store is next opened, everything else is there whole or
not at all, and the store opens. This holds for a kill while the store is created, opened, written, repaired,
compacted by a command and compacted beside requests, and for a second kill during the repair after the first. Calls
on other files are left out: between two calls on the store, the store does not change.
"""

import os

import tracing
from postern import Broken
from stores import Store

NAME = "kill at every call"
TORN = b'{"n":99,"d":0,"w":[["operators/id/00000000'
CALLS_MAX = 2000
BESIDE = "merge beside requests"


class Scenario:
    """An action of a process on a store, and the initial state that each case copies."""

    def __init__(self, name, model, act, check=lambda store: None):
        self.name, self.model, self.act, self.check = name, model, act, check

    def __str__(self):
        return self.name

    def copy(self, trial):
        if self.model is None:
            return Store(trial.program, trial.directory())
        return trial.copy(self.model)


def scenarios(trial):
    """All scenarios; those that compact are left out if the program has no such command."""
    plain, merged = trial.store(), trial.merged_store()
    torn = trial.copy(plain)
    torn.write(torn.journal, torn.read(torn.journal) + TORN)
    yield Scenario("first open", None, open_and_close)
    yield Scenario("open", merged or plain, open_and_close)
    yield Scenario("repair", torn, open_and_close)
    yield Scenario("commit", merged or plain, commit)
    if merged:
        yield Scenario("merge", merged, run_command("compact"))
        yield Scenario("first merge", plain, run_command("compact"))
    yield Scenario("erase", mailing_store(trial), deliver, hold_delivered)
    yield Scenario(BESIDE, long_store(trial), merge_beside)


def open_and_close(store, program):
    with store.serve(program=program) as server:
        return is_clean(server)


def is_clean(server):
    """Whether a server ends with exit code 0, and is not killed."""
    try:
        return server.close() == 0
    except BrokenPipeError:
        return False


def run_command(command):
    def act(store, program):
        return store.run(command, program=program)[0] == 0

    return act


def commit(store, program):
    """Three single commits, and one commit of five clients."""
    with store.serve(program=program) as server:
        for number in range(3):
            store.create(server, f"new{number}@b.co")
        store.create_all(server, [(f"many{number}@b.co", "x") for number in range(4)] + [("c1@b.co", "changed")])
        return is_clean(server)


def mailing_store(trial):
    """A store with a mail that waits for delivery, after which it is erased."""
    store = trial.store()
    with store.serve() as server:
        server.ask("operators.reset_password", email="a@b.co")
        server.close()
    return store


def deliver(store, program):
    place = store.path + ".mails"
    os.makedirs(place, exist_ok=True)
    return store.run("outbox", "deliver", "--mail", f"directory:{place}", program=program)[0] == 0


def hold_delivered(store):
    """The mail is delivered, by whichever process, and then its text is nowhere in the store."""
    if not deliver(store, store.program):
        raise Broken("a mail cannot be delivered after a kill")
    mails = os.listdir(store.path + ".mails")
    if not any(name.endswith(".eml") for name in mails):
        raise Broken(f"the mail was never delivered: {mails}")
    if any(b"with this code" in store.read(name) for name in store.files()):
        raise Broken("a delivered mail's text is still in the store")


def long_store(trial):
    """A store with a journal so long that the next commit starts a compaction."""
    store = trial.store()
    with store.serve() as server:
        while os.path.getsize(store.file("journal-1.jsonl")) < (4 << 20) - 10_000:
            number = len(store.ledger.known)
            store.create_all(server, [(f"l{number + index}@b.co", "x" * 900) for index in range(6)])
        server.close()
    if store.files() != ["journal-1.jsonl", "manifest.json"]:
        raise Broken("the journal was compacted too early")
    return store


def merge_beside(store, program):
    """Commits until the compaction that the first commit starts has ended and is followed."""
    with store.serve(program=program) as server:
        for number in range(400):
            if None in store.create_all(server, [(f"new{number}-{index}@b.co", "x" * 900) for index in range(6)]):
                return False
            if not os.path.exists(store.file("journal-1.jsonl")):
                break
        return is_clean(server)


def attempt(trial, scenario, call, number, again=None):
    """One kill, and optionally a second one while the store is opened again. Returns whether the process was
    killed."""
    store = scenario.copy(trial)
    program = trial.program.under(before=tracing.killing(store.path, call, number))
    ended = scenario.act(store, program)
    if again is not None:
        open_and_close(store, trial.program.under(before=tracing.killing(store.path, *again)))
    scenario.check(store)
    store.verify()
    trial.discard(store)
    return not ended


def calls_of(trial, scenario):
    """The calls of a scenario on the store, and how often each is made."""
    store = scenario.copy(trial)
    trace = store.path + ".trace"
    if not scenario.act(store, trial.program.under(before=tracing.tracing(store.path, "all", trace))):
        raise Broken(f"{scenario} does not end well without a fault")
    return tracing.count(trace)


def run(trial):
    if not tracing.is_available():
        return trial.outcome.skip("strace is missing")
    cases = []
    for scenario in scenarios(trial):
        calls = calls_of(trial, scenario)
        cases += [(scenario, call, number) for call, times in calls.items() for number in range(1, times + 1)]
    repair = next(scenario for scenario, _, _ in cases if scenario.name == "repair")
    recoveries = [(call, number) for call, times in calls_of(trial, repair).items() for number in range(1, times + 1)]
    twice = [case + (trial.random.choice(recoveries),) for case in cases]
    twice += [(repair, *first, second) for first in recoveries for second in trial.random.sample(recoveries, 4)]
    kills = [(attempt, *case) for case in cases + twice]
    if trial.is_quick:
        # These cases take long, and the others must run too.
        long = [case for case in kills if case[1].name == BESIDE]
        kills = [case for case in kills if case[1].name != BESIDE] + trial.random.sample(long, 20)
    trial.hold(trial.sample(kills + [(tear, *case) for case in tears(trial)]), lambda case: case[0](trial, *case[1:]))
    # Tries later calls too, which a run with other timing may make.
    if not trial.is_quick:
        past = {(scenario, call): number for scenario, call, number in cases}
        trial.hold(past.items(), lambda item: until_clean(trial, *item[0], item[1]))
    trial.outcome.bite("a journal without its last line", trial.finds(lambda: cut(trial)))


def until_clean(trial, scenario, call, number):
    while attempt(trial, scenario, call, number + 1):
        number += 1
        if number > CALLS_MAX:
            raise Broken(f"{call} is called more than {CALLS_MAX} times")


# A kill during a write


def tears(trial):
    """Writes of one line and of many, cut off at many offsets, including sector boundaries."""
    store = trial.store()
    for clients, is_in_room in ((1, False), (1, True), (300, False), (300, True)):
        bytes_written = 750 * clients
        for part in range(0, bytes_written, max(7, bytes_written // 60)):
            yield store, clients, is_in_room, part
        for part in range(512, bytes_written, max(512, bytes_written // 40 // 512 * 512)):
            yield store, clients, is_in_room, part


def tear(trial, model, clients, is_in_room, part):
    store = trial.copy(model)
    # The first write settles the end of the journal. The write of a commit is followed by one that preallocates room.
    number = 4 if is_in_room else 2
    program = trial.program.under(trial.shims["write"], WRITE="tear", WRITE_NUMBER=number, WRITE_BYTES=part)
    with store.serve(program=program) as server:
        if is_in_room:
            store.create(server, "first@b.co")
        replies = store.create_all(server, [(f"t{number}@b.co", "x") for number in range(clients)])
        if replies[-1] is not None:
            raise Broken("the write was not cut off")
    store.verify()
    trial.discard(store)


def cut(trial):
    """Simulates a store that lost its last commit to a kill."""
    store = trial.store()
    lines = store.read(store.journal).splitlines(keepends=True)
    store.write(store.journal, b"".join(lines[:-1]))
    store.verify()
