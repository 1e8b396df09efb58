"""The environment of the measurements of the store in PostgreSQL: a private server, and the databases on it."""

import contextlib
import functools
import os
import subprocess
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Tests", "Postgres"))

from databases import Database, PostgresTrial
from harness import Bench, native
from postern import Program as Binary
from postgres_rows import CONNECTIONS
from proxy import Proxy
from round_trips import TRIPS_MAX, Rig, counts
from servers import Server, Startable, server_folder, uri

# What a server of this size would be given; commits are durable.
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB"}
# Clients of each operator, as in a store that has been used.
CLIENTS_EACH = 1
# What is answered to a request that conflicted with others ten times. It is counted.
BUSY = '"busy"'
# What the server logs of a conflict.
CONFLICT = "could not serialize access"
# Requests that wait in the pipe for each connection, so that none of them is ever without work.
IN_FLIGHT_EACH = 4
RELAY_SECONDS_MAX = 10


class PostgresBench(Startable, Bench):
    """A bench with a server, which ends with it."""

    def __init__(self, binary, share, make_work):
        """`make_work` makes the accounts and requests that several measurements share, when one of them asks for it."""
        super().__init__(binary, share)
        # The folders of sockets are in it, and libpq takes only absolute paths.
        self.root = os.path.abspath(self.root)
        self._make_work = make_work
        self.ends = contextlib.ExitStack()
        self.ends.callback(super().close)
        self.server = Server(SETTINGS)
        self.databases = {}
        # Requests that were refused as busy.
        self.refused = 0
        self._runs = 0

    def start(self):
        self.ends.enter_context(self.server)

    def close(self):
        self.ends.close()

    @property
    def is_whole(self):
        return self.share >= 1

    @functools.cached_property
    def work(self):
        return self._make_work(self)

    @functools.cached_property
    def trips(self):
        """The round trips of requests by name, counted as in the tests."""
        trial = PostgresTrial(Binary(self.binary), self.root, seed=0)
        try:
            rig = Rig(trial)
            return {request.__name__.replace("_", " "): counts(rig, request)[0] for request in TRIPS_MAX}
        finally:
            trial.close()

    def next_run(self):
        """A number that no other run has: emails and keys of a run end with it."""
        self._runs += 1
        return self._runs

    def database(self, name, template=None):
        """A new database, empty or a copy of another one, to which nothing is connected."""
        self.server.sql(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return Database(self.server, name)

    def moved(self, count):
        """The database into which a directory with `count` operators was moved, and what that took. Moves it once."""
        if count not in self.databases:
            database = self.database(f"accounts{count}")
            self.databases[count] = database, move(self, self.store(count, each=CLIENTS_EACH), database.uri())
        return self.databases[count]

    def rate(self, data, requests, connections=None, refusal=None):
        """Requests a second of a process, those that it refuses as busy excepted.

        They are answered as they are completed, as those of pgbench are.
        """
        flags = ["--replies", "as-completed", *(["--connections", str(connections)] if connections else [])]
        requests = list(requests)
        file = self.lines(requests)
        with self.postern(data, *flags) as postern:
            postern.call("system.info")
            window = IN_FLIGHT_EACH * (connections or CONNECTIONS)
            figures = postern.drive(file, len(requests), window, refusal, BUSY)
        self.refused += figures["refused"]
        return (figures["count"] - figures["refused"]) / figures["seconds"]

    def conflicts(self, action):
        """Runs an action. Returns its result, and how many transactions were run again and requests refused meanwhile."""
        before, self.refused = self.server.log.count(CONFLICT), 0
        result = action()
        return result, self.server.log.count(CONFLICT) - before, self.refused

    @contextlib.contextmanager
    def proxy(self):
        with Proxy(self.server.socket, folder := server_folder(self.root)) as proxy:
            os.chmod(folder, 0o755)
            yield proxy

    @contextlib.contextmanager
    def relay(self, milliseconds):
        """The host of a network in front of the server, whose round trip takes that time."""
        folder = server_folder(self.root)
        path = os.path.join(folder, ".s.PGSQL.5432")
        process = subprocess.Popen([native("delay"), path, self.server.socket, str(milliseconds * 500)])
        try:
            end = time.monotonic() + RELAY_SECONDS_MAX
            while not os.path.exists(path):
                assert process.poll() is None and time.monotonic() < end, "the relay does not start"
                time.sleep(0.01)
            yield folder
        finally:
            process.kill()
            process.wait()


def address(database, host):
    """The address of a database by another way to its server."""
    return uri(host, database.name)


def move(bench, source, target):
    """Moves a store. Returns the seconds, and the peak megabytes of the process that exports and the one that imports."""
    begun = time.perf_counter()
    exporting = subprocess.Popen([bench.binary, "export", "--data", source], stdout=subprocess.PIPE)
    importing = subprocess.Popen(
        [bench.binary, "import", "--data", target], stdin=exporting.stdout, stdout=subprocess.DEVNULL
    )
    exporting.stdout.close()
    megabytes = [peak(process) for process in (exporting, importing)]
    return {"seconds": time.perf_counter() - begun, "export": megabytes[0], "import": megabytes[1]}


def peak(process):
    """Waits for a process. Returns the most memory that it had, in megabytes; those of this program are the least."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{' '.join(process.args)} ended with {process.returncode}"
    return usage.ru_maxrss / 1_024
