"""A directory under test, and the data that it must return, given the requests and their acknowledgements.

All writes are clients of one operator in one session, which needs no password hash. Creating an existing client
changes it. Each change takes the operator's next change number in the same transaction as the record and its indexes,
so a list with matching numbers and records proves that its transactions are whole.
"""

import copy
import os
import shutil
import threading

from postern import Broken, Gone

PERSON = {"first_name": "A", "last_name": "B"}
# A request with one of these errors was not written; after a 500 or 504 it may have been.
NOT_WRITTEN = {507: "disk_full", 423: "busy", 405: "read_only", 503: "unavailable"}
UNKNOWN = {500: "damaged", 504: "outcome_unknown"}
# The list of a store that has no operator.
NOBODY = "nobody"
# The filler of a journal's preallocated room.
ROOM = b"\t"


class Ledger:
    """The data that a store must have: each client's address by email, and the writes in doubt."""

    def __init__(self):
        self.known = {}
        self.changes = 0
        self.doubts = []
        self._lock = threading.Lock()

    def acknowledge(self, email, address):
        with self._lock:
            # A later acknowledgement settles the value, but not whether the earlier write took a number.
            self.known[email] = address
            self.changes += 1

    def doubt(self, email, address):
        with self._lock:
            self.doubts.append((email, address))

    def __deepcopy__(self, _):
        other = Ledger()
        with self._lock:
            other.known, other.changes, other.doubts = dict(self.known), self.changes, list(self.doubts)
        return other

    def compare(self, listed):
        """Compares a returned list with the data that must be there.

        Raises `Broken` if an acknowledged client is missing, a client was never requested, or a transaction is there
        in part.
        """
        found = {client["user"]["email"]: client["address"] for client in listed["clients"]}
        if len(found) != len(listed["clients"]) or len({client["id"] for client in listed["clients"]}) != len(found):
            raise Broken("an email or id is listed twice")
        doubted = {}
        for email, address in self.doubts:
            doubted.setdefault(email, []).append(address)
        for email, address in self.known.items():
            if email not in found:
                raise Broken(f"{email} was acknowledged and is missing; {len(found)} of {len(self.known)} are there")
            if found[email] != address and found[email] not in doubted.get(email, []):
                raise Broken(f"{email} has address {found[email]}, where {address} was acknowledged")
        for email, address in found.items():
            if email not in self.known and address not in doubted.get(email, []):
                raise Broken(f"{email} is there, and was refused or never requested")
        changes = listed["provision"] - 1
        if not self.changes <= changes <= self.changes + len(self.doubts):
            raise Broken(f"{changes} changes, where {self.changes} were acknowledged and {len(self.doubts)} are in doubt")
        fresh = sum(email not in self.known for email in found)
        if changes < self.changes + fresh:
            raise Broken(f"{len(found)} clients came with {changes} changes: one is there in part")

    def settle(self, listed, is_final=True):
        """Adopts a returned list, which must stay. Writes that it does not show stay in doubt, unless the store was
        opened again."""
        self.known = {client["user"]["email"]: client["address"] for client in listed["clients"]}
        self.changes = listed["provision"] - 1
        self.doubts = [] if is_final else [doubt for doubt in self.doubts if doubt not in self.known.items()]


class Store:
    """A directory with an operator, and its ledger."""

    def __init__(self, program, path, session=None, ledger=None):
        self.program, self.path, self.session = program, path, session
        self.ledger = ledger or Ledger()

    @classmethod
    def make(cls, program, path, clients=()):
        """A new store with an operator and some clients, each in a separate commit."""
        store = cls(program, path)
        with program.serve(path) as server:
            try:
                store._register(server)
                for email in clients:
                    store.create(server, email)
            except Gone:
                raise Broken(f"a new store does not open: code {server.process.wait()}, {server.errors}") from None
            if server.close() != 0:
                raise Broken(f"a new store does not work: {server.errors}")
        return store

    def copy(self, path, program=None):
        """A copy of the store at another path."""
        shutil.copytree(self.path, path)
        return Store(program or self.program, path, self.session, copy.deepcopy(self.ledger))

    def __str__(self):
        return f"a store of {len(self.ledger.known)} clients"

    def serve(self, *flags, program=None):
        return (program or self.program).serve(self.path, *flags)

    def run(self, command, *flags, program=None):
        return (program or self.program).run(command, self.path, *flags)

    # Requests

    def client(self, email, address):
        """The params of a request that creates or changes a client."""
        client = {"user": {**PERSON, "email": email}, "address": address}
        return {"user_id": 1, "session_id": self.session, "client": client}

    def create(self, server, email, address="x", tolerate=False):
        """Creates or changes a client, and records the outcome. Returns the reply, or None if the process has ended.

        An error fails the case, unless errors are tolerated and this one says whether the client was written.
        """
        return self.create_all(server, [(email, address)], tolerate)[0]

    def create_all(self, server, clients, tolerate=False):
        """Creates or changes several clients with one write to the process. Returns the replies."""
        try:
            server.send_all([("operators.client.create", self.client(*client)) for client in clients])
        except Gone:
            # The process may have read what the pipe took before it broke.
            pass
        replies = []
        for index, client in enumerate(clients):
            try:
                replies.append(server.receive())
            except Gone:
                for other in clients[index:]:
                    self.ledger.doubt(*other)
                    replies.append(None)
                break
            self._note(replies[-1], client, tolerate)
        return replies

    def _note(self, reply, client, tolerate):
        if "result" in reply:
            if reply["result"]["user"]["email"] != client[0]:
                raise Broken(f"{client[0]} was asked for, and {reply['result']} answered")
            return self.ledger.acknowledge(*client)
        code, errors = reply["error"]["code"], reply["error"].get("data", {}).get("errors")
        if not tolerate or errors != [{**NOT_WRITTEN, **UNKNOWN}.get(code)]:
            raise Broken(f"{client[0]} was answered with {reply['error']}")
        if code in UNKNOWN:
            self.ledger.doubt(*client)

    def listed(self, server, seconds=60):
        """The reply to a request for all clients."""
        params = {"user_id": 1, "session_id": self.session, "provision": 0}
        return server.ask("operators.clients.get", seconds, **params)

    # Checks

    def verify(self, *flags, program=None):
        """Opens the store, compares its data with the ledger, and checks that it can be written.

        A store without an operator must open empty.

        Raises `Broken`.
        """
        with self.serve(*flags, program=program) as server:
            try:
                if self.session is None:
                    return self._register(server)
                reply = self.listed(server)
                if "error" in reply:
                    raise Broken(f"the store answers {reply['error']}: {server.errors}")
                listed = reply["result"]
                self.ledger.compare(listed)
                self.ledger.settle(listed)
                if listed["clients"]:
                    self._verify_index(server, listed["clients"][-1])
                self.create(server, f"probe{listed['provision']}@b.co")
                self.ledger.compare(self.listed(server)["result"])
            except Gone:
                raise Broken(f"the store does not open: {server.errors.strip()}") from None
            if server.close() != 0:
                raise Broken(f"the store does not close: {server.errors.strip()}")
        if (program or self.program).knows("check"):
            code, output, errors = self.run("check", program=program)
            if code != 0:
                raise Broken(f"the check of a store that opens says {output + errors}")

    def _register(self, server):
        """Registers the operator, who must be the first."""
        reply = server.ask("operators.register", user={**PERSON, "email": "a@b.co"}, password="p")
        if "error" in reply or reply["result"]["id"] != 1:
            raise Broken(f"the first registration is answered with {reply}")
        self.session = reply["result"]["session_id"]

    def _verify_index(self, server, client):
        email, address = client["user"]["email"], client["address"]
        again = self.create(server, email, address)
        if again["result"]["id"] != client["id"]:
            raise Broken(f"{email} has id {client['id']}, and by its index {again['result']['id']}")

    def served(self, *flags, program=None):
        """The list that the store returns, and its error output. The list is `NOBODY` if the operator is unknown, and
        None if the store is refused."""
        with self.serve(*flags, program=program) as server:
            try:
                reply = self.listed(server)
            except Gone:
                return None, server.errors.strip()
            if reply.get("error", {}).get("data") == {"errors": ["authentication_failed"]}:
                return NOBODY, server.errors.strip()
            return reply.get("result"), server.errors.strip()

    def file(self, name):
        return os.path.join(self.path, name)

    def read(self, name):
        """A file's bytes, without a journal's preallocated room."""
        data = self.read_all(name)
        return data.rstrip(ROOM) if name.startswith("journal-") else data

    def read_all(self, name):
        with open(self.file(name), "rb") as file:
            return file.read()

    def write(self, name, data):
        with open(self.file(name), "wb") as file:
            file.write(data)

    def files(self):
        """The names of the files that hold data."""
        return sorted(name for name in os.listdir(self.path) if not name.startswith("lock"))

    @property
    def journal(self):
        """The name of the current journal."""
        return max((name for name in self.files() if name.startswith("journal-")), key=lambda name: (len(name), name))
