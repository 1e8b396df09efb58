"""The round trips of requests, counted by a proxy.

Guarantee: a request takes at most as many as are stated here, once its process has prepared its statements.
"""

import functools

from databases import PostgresStore
from postern import Broken
from proxy import Proxy
from servers import server_folder

NAME = "round trips"
CLIENTS = 1000
REPEATS = 3


def is_other_work(group):
    """Whether a transaction is not a request's: events are numbered, and mails are claimed, without conflicts."""
    return "BEGIN ISOLATION LEVEL READ COMMITTED" in str(group)


class Rig:
    """A store with accounts, behind a proxy that counts."""

    def __init__(self, trial):
        database = trial.database()
        self.proxy = trial.enter(Proxy(database.server.socket, server_folder(trial.scratch)))
        self.proxy.is_other_work = is_other_work
        self.store = PostgresStore.make(trial.program, self.proxy.uri(database.name))
        self.server = trial.enter(self.store.serve())
        self._numbers = iter(range(1 << 30))
        account = {"email": "a@b.co", "password": "a long password"}
        self.ask("care.user.register", **account, role="user")
        self.token = self.ask("care.auth.token", **account)["access_token"]
        for begin in range(0, CLIENTS, 50):
            self.store.create_all(self.server, [(f"c{number}@b.co", "x") for number in range(begin, begin + 50)])

    def ask(self, method, **params):
        reply = self.server.ask(method, **params)
        if "error" in reply:
            raise Broken(f"{method} is answered with {reply['error']}: {self.server.errors[-300:]}")
        return reply["result"]

    def read_operators(self):
        return self.ask("operators.clients.get", user_id=1, session_id=self.store.session, provision=CLIENTS + 1000)

    def read_care(self):
        return self.ask("care.user.view", access_token=self.token)

    def create_client(self):
        number = next(self._numbers)
        return self.ask("operators.client.create", **self.store.client(f"new{number}@b.co", "x"))

    def change_client(self):
        return self.ask("operators.client.create", **self.store.client("c1@b.co", "y"))

    def sign_in(self):
        return self.ask("operators.signin", email="a@b.co", password="p")

    def sign_in_care(self):
        return self.ask("care.auth.token", email="a@b.co", password="a long password")

    def feed(self):
        found = self.ask("operators.clients.get", user_id=1, session_id=self.store.session, provision=0)
        if len(found["clients"]) < CLIENTS:
            raise Broken(f"the feed has {len(found['clients'])} clients")
        return found

    def info(self):
        return self.ask("system.info")


TRIPS_MAX = {
    Rig.read_operators: 1,
    Rig.read_care: 2,
    Rig.create_client: 2,
    Rig.change_client: 2,
    Rig.sign_in: 4,
    Rig.sign_in_care: 4,
    Rig.feed: 2,
    Rig.info: 0,
}


def run(trial):
    rig = Rig(trial)
    for request, trips_max in TRIPS_MAX.items():
        trial.hold_one(request.__name__, functools.partial(measure, trial, rig, request, trips_max))
    trial.outcome.bite("one fewer", trial.finds(lambda: measure(trial, rig, Rig.create_client, 0)))


def counts(rig, request):
    """The round trips of several equal requests, the fewest first."""
    request(rig)
    return sorted(rig.proxy.count(lambda: request(rig))[0] for _ in range(REPEATS))


def measure(trial, rig, request, trips_max):
    found = counts(rig, request)
    # Another process's numbering of events, or a conflict, can cost one of the tries more.
    trial.outcome.remarks.append(f"{request.__name__.replace('_', ' ')}: {found[0]} round trips, {trips_max} allowed")
    if found[0] > trips_max:
        raise Broken(f"{found} round trips, where {trips_max} are allowed")
