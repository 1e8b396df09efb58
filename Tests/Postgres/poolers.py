"""PgBouncer in transaction mode, which gives each transaction any of its connections.

Guarantee: four processes work through it with `--no-prepared`; none of them must be restarted when it is killed or
started again; nothing is lost or doubled; and its connections keep the settings that other programs expect.
"""

import os
import shutil
import signal
import subprocess
import time

from databases import PostgresStore
from postgres_crowd import PostgresCrowd, expect, hold, in_words
from servers import as_server_user, program, server_folder

NAME = "PgBouncer"
POOL_CONNECTIONS = 3
FLAGS = ("--no-prepared",)
# What psql shows of a connection whose settings are those of the server.
SETTINGS = "on|on"
KILLED_PAUSE_SECONDS = 2
STARTED_SECONDS_MAX = 10


class Pooler:
    """A PgBouncer in front of a server, on a socket in a folder of its own."""

    def __init__(self, server, mode="transaction"):
        self.folder = server_folder()
        settings = f"""
[databases]
* = host={server.folder}
[pgbouncer]
listen_addr =
listen_port = 5432
unix_socket_dir = {self.folder}
auth_type = trust
auth_file = {self.folder}/users
pool_mode = {mode}
default_pool_size = {POOL_CONNECTIONS}
max_client_conn = 200
logfile = {self.folder}/log
"""
        for name, text in (("users", '"postgres" ""\n'), ("settings", settings)):
            with open(os.path.join(self.folder, name), "w") as file:
                file.write(text)
        self.start()

    @property
    def _socket(self):
        return os.path.join(self.folder, ".s.PGSQL.5432")

    def start(self):
        self.process = subprocess.Popen(
            as_server_user([shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", "--quiet", f"{self.folder}/settings"]),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder,
        )
        end = time.monotonic() + STARTED_SECONDS_MAX
        while not os.path.exists(self._socket):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PgBouncer does not start: code {self.process.poll()}")
            time.sleep(0.05)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if os.path.exists(self._socket):
            os.unlink(self._socket)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def run(trial):
    if shutil.which("pgbouncer") is None and not os.path.exists("/usr/sbin/pgbouncer"):
        return trial.outcome.skip("pgbouncer is missing")
    for trouble in (None, kill, disconnect):
        database = trial.database()
        pooler = trial.enter(Pooler(database.server))
        crowd = through(trial, pooler, database, trouble)
        hold(trial, crowd, 3 if trial.is_quick else 20)
        trial.outcome.remarks.append(f"{trouble.__name__ if trouble else 'undisturbed'}: {in_words(crowd)}")
        for slug in ("outcome_unknown", "unavailable"):
            expect(trial, crowd.done[slug] == 0, f"{crowd.done[slug]} × {slug}")
        expect(trial, len(database.backends_of_any()) <= POOL_CONNECTIONS, "more connections than the pool has")
        changed = settings(pooler, database) - {SETTINGS}
        expect(trial, not changed, f"the pooler's connections, which others use too, have the settings {changed}")
    trial.outcome.bite("statement mode", trial.finds(lambda: in_statement_mode(trial)))


def through(trial, pooler, database, trouble=None):
    """A crowd whose processes use a pooler."""
    store = trial.store(database).at(pooler_uri(pooler, database))
    store.flags = FLAGS
    return PostgresCrowd(trial, store, trouble and (lambda crowd: trouble(crowd, pooler, database)))


def pooler_uri(pooler, database):
    return f"postgres://postgres@/{database.name}?host={pooler.folder}"


def settings(pooler, database):
    """The settings of all connections of the pooler, as another program finds them."""
    query = "SELECT current_setting('enable_seqscan'), current_setting('jit') FROM pg_sleep(0.5)"
    command = [program("psql"), "-Atc", query, pooler_uri(pooler, database)]
    # As many at once as the pool has connections, so that each gets another one.
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="/") for _ in range(POOL_CONNECTIONS)]
    return {process.communicate()[0].strip() for process in processes}


def kill(crowd, pooler, _):
    """Kills the pooler, with all connections."""
    while crowd.pause(0.3 + crowd.trial.random.random() * KILLED_PAUSE_SECONDS):
        pooler.kill()
        crowd.done["killed"] += 1
        time.sleep(crowd.trial.random.random() / 2)
        pooler.start()


def disconnect(crowd, _, database):
    """Ends the pooler's connections to the server."""
    while crowd.pause(crowd.trial.random.random() / 5):
        backends = database.backends_of_any()
        if backends:
            database.sql(f"SELECT pg_terminate_backend({crowd.trial.random.choice(backends)})")
            crowd.done["terminated"] += 1


def in_statement_mode(trial):
    """In this mode PgBouncer refuses transactions, so nothing can work."""
    database = trial.database()
    trial.store(database)
    with Pooler(database.server, "statement") as pooler:
        store = PostgresStore.make(trial.program, pooler_uri(pooler, database))
        return store
