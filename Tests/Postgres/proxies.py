"""The proxy of these tests, with PostgreSQL's own clients: psql and pgbench.

Guarantee: it counts the round trips that a client waits for, cuts a connection at the stated byte, holds bytes back and
delivers them later, and passes everything else on.
"""

import os
import subprocess
import time

from postern import Broken
from proxy import Cut, Proxy
from servers import SQLFailed, program, run_sql, server_folder

NAME = "the proxy itself"
TRANSACTIONS = 50
# What pgbench asks for before its transactions.
PREFACE_TRIPS_MAX = 6
SQL = "INSERT INTO notes VALUES (1)"
DELAY_SECONDS = 0.05
SCRIPTS = {
    # The script, and the round trips of each transaction.
    "one statement": ("SELECT 1;", 1),
    "three statements": ("BEGIN; SELECT 1; COMMIT;", 3),
    "a pipeline": ("\\startpipeline\nBEGIN; SELECT 1; COMMIT;\n\\endpipeline\n", 1),
}


def run(trial):
    cases = [(counted, trial, is_local, name) for is_local in (True, False) for name in SCRIPTS]
    cases += [(cut_request, trial), (cut_answer, trial), (held, trial), (stopped, trial), (delayed, trial)]
    trial.hold(cases, lambda case: case[0](*case[1:]))
    trial.outcome.bite("no cut", trial.finds(lambda: cut_request(trial, None)))


def proxy_of(trial, is_local=True):
    database = trial.database()
    database.sql("CREATE TABLE notes (n int)")
    folder = server_folder(trial.scratch) if is_local else None
    return database, trial.enter(Proxy(database.server.socket, folder))


def counted(trial, is_local, name):
    database, proxy = proxy_of(trial, is_local)
    script, trips = SCRIPTS[name]
    path = os.path.join(os.path.dirname(trial.directory()), "script")
    with open(path, "w") as file:
        file.write(script)
    subprocess.run(
        [program("pgbench"), "-n", "-M", "prepared", "-t", str(TRANSACTIONS), "-f", path, proxy.uri(database.name)],
        check=True, capture_output=True,
    )
    # pgbench prepares each statement when it comes first.
    least, most = trips * TRANSACTIONS, trips * (TRANSACTIONS + 1) + PREFACE_TRIPS_MAX
    if not least <= proxy.trips <= most:
        raise Broken(f"{proxy.trips} round trips, where {least} to {most} were expected")
    if proxy.sent < TRANSACTIONS * 20 or proxy.received < TRANSACTIONS * 20:
        raise Broken(f"{proxy.sent} bytes sent and {proxy.received} received")


def notes(database):
    return database.sql("SELECT count(*) FROM notes") == ["1"]


def insert(database, proxy, cut):
    """Inserts a row while the proxy cuts. Returns whether psql was told that it worked."""
    proxy.rule = lambda link, group: cut if SQL in str(group) else None
    try:
        run_sql(proxy.uri(database.name), SQL)
        return True
    except SQLFailed:
        return False
    finally:
        proxy.rule = None


def cut_request(trial, cut=Cut(request=10)):  # noqa: B008 - it is never changed
    database, proxy = proxy_of(trial)
    if insert(database, proxy, cut):
        raise Broken("a client whose request was cut was told that it worked")
    if notes(database):
        raise Broken("a request that was cut had an effect")


def cut_answer(trial):
    database, proxy = proxy_of(trial)
    if insert(database, proxy, Cut(answer=5)):
        raise Broken("a client whose answer was cut was told that it worked")
    if not notes(database):
        raise Broken("a request whose answer was cut had no effect")


def held(trial):
    database, proxy = proxy_of(trial)
    if insert(database, proxy, Cut(request=10, is_held=True)):
        raise Broken("a client whose request is held was told that it worked")
    if notes(database):
        raise Broken("a request that is held had an effect")
    late = proxy.links[-1].deliver()
    if b"INSERT 0 1" not in late or not notes(database):
        raise Broken(f"a held request that was delivered is answered with {late}")


def stopped(trial):
    database, proxy = proxy_of(trial)
    proxy.stop()
    try:
        run_sql(proxy.uri(database.name), SQL, seconds=1)
        raise Broken("a request passes a proxy that is stopped")
    except SQLFailed:
        pass
    proxy.resume()
    if not insert(database, proxy, None):
        raise Broken("a request does not pass a proxy that continues")


def delayed(trial):
    database, proxy = proxy_of(trial)
    proxy.delay_seconds = DELAY_SECONDS
    began = time.monotonic()
    insert(database, proxy, None)
    took = time.monotonic() - began
    if took < 2 * DELAY_SECONDS:
        raise Broken(f"a round trip with a delay of {DELAY_SECONDS} s each way takes {took:.3f} s")
