"""A store in a database, and the trials that make them."""

import contextlib
import itertools
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Faults"))

from postern import Broken
from servers import Server
from stores import Store
from trial import Trial

# The seconds after which a process gives up to wait for the server.
TIMEOUT_SECONDS = 5
# Runs instead of an insertion of a row that a trigger selects.
DISCARD = "CREATE FUNCTION public.discard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"


class Database:
    """A database on a server."""

    def __init__(self, server, name):
        self.server, self.name = server, name

    def uri(self, user="postgres"):
        return self.server.uri(self.name, user)

    def sql(self, text):
        return self.server.sql(text, self.name)

    def discard_marks(self):
        """Removes the protection against doubled writes: from now on, no commit leaves a mark."""
        self._discard("commits", "WHEN (NOT NEW.fenced)")

    def discard_entries(self):
        """From now on, new entries are acknowledged and not kept."""
        self._discard("entries")

    def _discard(self, table, condition=""):
        self.sql(DISCARD)
        self.sql(
            f"CREATE TRIGGER discard BEFORE INSERT ON postern.{table} FOR EACH ROW {condition} "
            "EXECUTE FUNCTION public.discard()"
        )

    def backends(self):
        """The ids of the server's processes that serve Postern."""
        rows = self.sql(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'postern'"
        )
        return [int(row) for row in rows]


    def backends_of_any(self):
        """The ids of the server's processes for this database, except the one that is asked."""
        rows = self.sql(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return [int(row) for row in rows]


class PostgresStore(Store):
    """A store in a database, with an operator, and its ledger. Its path is the address of the database."""

    timeout = TIMEOUT_SECONDS
    # More flags of each process.
    flags = ()

    def serve(self, *flags, program=None):
        return super().serve("--store-timeout", str(self.timeout), *self.flags, *flags, program=program)

    def run_once(self):
        """Runs a process without input. Returns the exit code, stdout and stderr."""
        return self.program.run("--store-timeout", self.path, str(self.timeout))

    def at(self, address):
        """The same store at another address."""
        other = type(self)(self.program, address, self.session, self.ledger)
        other.timeout, other.flags = self.timeout, self.flags
        return other

    def changes(self, server, since):
        """The clients that were changed since a number of the operator's feed, and the next number."""
        params = {"user_id": 1, "session_id": self.session, "provision": since}
        reply = server.ask("operators.clients.get", **params)
        if "error" in reply:
            raise Broken(f"a list is answered with {reply['error']}: {server.errors[-300:]}")
        return [client["user"]["email"] for client in reply["result"]["clients"]], reply["result"]["provision"]


class PostgresTrial(Trial):
    """One run of one class, with a server that its cases share."""

    def __init__(self, program, scratch, seed, seconds=None):
        super().__init__(program, None, scratch, seed, seconds)
        self._ends = contextlib.ExitStack()
        self._databases = itertools.count(1)
        self._server = None

    @property
    def server(self):
        """A server for the cases that do no harm to it. A loss of power would cost data, an end of it does not."""
        if self._server is None:
            self._server = self.enter(Server(is_durable=False))
        return self._server

    def database(self, server=None):
        """A new database."""
        server = server or self.server
        name = f"trial{next(self._databases)}"
        server.sql(f"CREATE DATABASE {name}")
        return Database(server, name)

    def store(self, database=None, clients=()):
        """A new store in a database."""
        return PostgresStore.make(self.program, (database or self.database()).uri(), clients)

    def store_at(self, address):
        """A store that may not exist."""
        store = PostgresStore(self.program, address)
        store.timeout = 1
        return store

    def enter(self, context):
        """Enters a context, which ends with the trial."""
        return self._ends.enter_context(context)

    def close(self):
        self._ends.close()


def slug(reply):
    """The most important error of a reply; None for a result."""
    return reply["error"]["data"]["errors"][0] if "error" in reply else None
