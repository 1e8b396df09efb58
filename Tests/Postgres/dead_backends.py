"""Backends that are terminated, as an administrator does, or killed, while four processes write.

Guarantee: no request fails because of that, and none is lost or doubled. A killed backend makes the server start
again, for which all wait.
"""

import functools
import os
import signal

from databases import PostgresStore
from postgres_crowd import PostgresCrowd, expect, hold, in_words
from proxy import Cut, Proxy
from servers import Server, SQLFailed, server_folder

NAME = "backend killed"
TERMINATED_PAUSE_SECONDS = 0.05
KILLED_PAUSE_SECONDS = 2


def run(trial):
    seconds = 3 if trial.is_quick else 30
    for trouble in (terminate, kill):
        # A server of its own, whose data survive the end of a process.
        database = trial.database(trial.enter(Server(is_durable=False)))
        crowd = PostgresCrowd(trial, trial.store(database), functools.partial(trouble, database))
        hold(trial, crowd, seconds)
        trial.outcome.remarks.append(f"{trouble.__name__}: {in_words(crowd)}")
        for slug in ("outcome_unknown", "unavailable"):
            expect(trial, crowd.done[slug] == 0, f"{trouble.__name__}: {crowd.done[slug]} × {slug}")
    trial.outcome.bite("cuts without marks", unmarked(trial))


def terminate(database, crowd):
    """Ends backends one by one, with an error for the client."""
    while crowd.pause(crowd.trial.random.random() * TERMINATED_PAUSE_SECONDS * 2):
        backends = database.backends()
        if backends:
            database.sql(f"SELECT pg_terminate_backend({crowd.trial.random.choice(backends)})")
            crowd.done["terminated"] += 1


def kill(database, crowd):
    """Kills backends. The server then ends all others, and recovers."""
    while crowd.pause(crowd.trial.random.random() * KILLED_PAUSE_SECONDS):
        try:
            backends = database.backends()
            if backends:
                os.kill(crowd.trial.random.choice(backends), signal.SIGKILL)
                crowd.done["killed"] += 1
        except (SQLFailed, ProcessLookupError):
            crowd.done["tried in vain"] += 1


def unmarked(trial):
    """What the checks find if a proxy cuts connections, and commits leave no marks."""
    database = trial.database()
    with Proxy(database.server.socket, server_folder(trial.scratch)) as proxy:
        store = PostgresStore.make(trial.program, proxy.uri(database.name))
        database.discard_marks()
        proxy.rule = lambda link, group: Cut(answer=0) if trial.random.random() < 0.02 else None
        crowd = PostgresCrowd(trial, store)
        crowd.before_last_read = lambda: setattr(proxy, "rule", None)
        return crowd.run(2 if trial.is_quick else 5).summary()
