"""A clock that is set back or ahead, between requests and between processes.

Guarantee: the order of changes depends only on sequence numbers, so a later change wins whatever the clock says. Ids
stay unique. A session or code that was refused as expired stays refused when the clock is set back.
"""

import re

from postern import Broken
from stores import PERSON

NAME = "clock"
DAY = 86_400
YEAR = 366 * DAY
# Before 1970, after the year 2038, and after the year in which Unix time exceeds the ten digits of a key.
OFFSETS = [-100 * YEAR, -10 * YEAR, -DAY, -60, 60, DAY, 30 * YEAR, 300 * YEAR]


class Clock:
    """The clock of all processes that one program starts."""

    def __init__(self, trial):
        self._path = trial.directory() + ".clock"
        self.put(0)
        self.program = trial.program.under(trial.shims["clock"], CLOCK_OFFSET=self._path)

    def put(self, seconds):
        """Sets the difference from the system's clock."""
        with open(self._path, "w") as file:
            file.write(f"{seconds}\n")


def run(trial):
    model = trial.merged_store() or trial.store()
    # Offsets at which a session stays valid: less than 90 days ahead.
    near = [offset for offset in OFFSETS if offset <= DAY]
    pairs = [(first, second) for first in near for second in near if first != second]
    cases = [(order, trial, model, *pair, restarts) for pair in pairs for restarts in (False, True)]
    cases += [(far, trial, offset) for offset in OFFSETS]
    cases += [(session_expired, trial, model, restarts) for restarts in (False, True)]
    cases += [(code_expired, trial, model, restarts) for restarts in (False, True)]
    trial.hold(trial.sample(cases), lambda case: case[0](*case[1:]))
    trial.outcome.bite("a clock that is not advanced", trial.finds(lambda: code_expired(trial, model, False, days=0)))


def order(trial, model, first, second, restarts):
    """Changes under one clock and then under another: the later changes win and are listed first."""
    store, clock = trial.copy(model), Clock(trial)
    clock.put(first)
    server = store.serve(program=clock.program)
    try:
        for number in range(3):
            store.create(server, f"o{number}@b.co", "earlier")
        clock.put(second)
        if restarts:
            server.close()
            store.run("compact")
            server = store.serve(program=clock.program)
        for number in range(3):
            store.create(server, f"o{number}@b.co", "later")
            store.create(server, f"p{number}@b.co", "later")
        listed = store.listed(server)["result"]
        store.ledger.compare(listed)
        emails = [client["user"]["email"] for client in listed["clients"]][:6]
        if emails != ["p2@b.co", "o2@b.co", "p1@b.co", "o1@b.co", "p0@b.co", "o0@b.co"]:
            raise Broken(f"the latest changes are {emails}")
        server.close()
    finally:
        server.kill()
    store.verify(program=clock.program)


def far(trial, offset):
    """Everything works under a clock that is far off, and the store then opens under the right clock."""
    clock = Clock(trial)
    clock.put(offset)
    path = trial.directory()
    with clock.program.serve(path) as server:
        for number in range(3):
            reply = server.ask("operators.register", user={**PERSON, "email": f"f{number}@b.co"}, password="p")
            if reply.get("result", {}).get("id") != number + 1:
                raise Broken(f"a registration is answered with {reply}")
        session = reply["result"]["session_id"]
        reply = server.ask("operators.clients.get", user_id=3, session_id=session, provision=0)
        if "result" not in reply:
            raise Broken(f"a session just opened is answered with {reply}")
        if server.ask("operators.reset_password", email="f1@b.co").get("error"):
            raise Broken("a reset cannot be asked for")
        if server.close() != 0:
            raise Broken(f"the process ended badly: {server.errors}")
    with trial.program.serve(path) as server:
        reply = server.ask("operators.register", user={**PERSON, "email": "f3@b.co"}, password="p")
        if reply.get("result", {}).get("id") != 4:
            raise Broken(f"under the right clock, a registration is answered with {reply}")


def session_expired(trial, model, restarts):
    """A session that was refused as expired."""
    store, clock = trial.copy(model), Clock(trial)

    def is_good(server):
        return "result" in store.listed(server)

    hold_expired(store, clock, is_good, 91, restarts)


def code_expired(trial, model, restarts, days=2):
    """A mailed code that was refused as expired."""
    store, clock = trial.copy(model), Clock(trial)
    with store.serve(program=clock.program) as server:
        server.ask("operators.reset_password", email="a@b.co")
        server.close()
    _, text, _ = store.run("outbox", "show", "1")
    code = re.search(r"\b1-[0-9a-f]{32}\b", text).group()

    def is_good(server):
        return "result" in server.ask("operators.complete_reset", code=code, password="q")

    hold_expired(store, clock, is_good, days, restarts)


def hold_expired(store, clock, is_good, days, restarts):
    server = store.serve(program=clock.program)
    try:
        clock.put(days * DAY)
        if is_good(server):
            raise Broken(f"it is valid after {days} days")
        if restarts:
            server.close()
            server = store.serve(program=clock.program)
        clock.put(0)
        if is_good(server):
            raise Broken("it was refused as expired, and is valid again once the clock is set back")
        server.close()
    finally:
        server.kill()
