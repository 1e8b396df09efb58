"""The round trips of requests, counted by a proxy.

Guarantee: a request takes at most as many as are stated here, once its process has prepared its statements. A request
that must not reveal whether an email has an account takes as many with one as without one.
"""

import functools
import statistics

from databases import PostgresStore
from postern import Broken
from proxy import Proxy
from servers import server_folder

NAME = "round trips"
CLIENTS = 1000
REPEATS = 3
NAMES = {"first": "A", "last": "B"}


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
        self.invitation = self._invite()
        staff = self.ask("sales.user.create_internal", **account, referral_code=self._invite(), name=NAMES)
        self.key = staff["api_key"]
        self.referral_code = self.read_sales()["referral_code"]
        for begin in range(0, CLIENTS, 50):
            self.store.create_all(self.server, [(f"c{number}@b.co", "x") for number in range(begin, begin + 50)])

    def _invite(self):
        """An invitation to the sales API."""
        code, output, errors = self.store.run("invite")
        if code != 0:
            raise Broken(f"an invitation is answered with {errors!r}")
        return output.strip()

    def ask(self, method, **params):
        reply = self.server.ask(method, **params)
        if "error" in reply:
            raise Broken(f"{method} is answered with {reply['error']}: {self.server.errors[-300:]}")
        return reply["result"]

    def read_operators(self):
        return self.ask("operators.clients.get", user_id=1, session_id=self.store.session, provision=CLIENTS + 1000)

    def read_care(self):
        return self.ask("care.user.view", access_token=self.token)

    def read_sales(self):
        return self.ask("sales.user.me", api_key=self.key)

    def create_client(self):
        number = next(self._numbers)
        return self.ask("operators.client.create", **self.store.client(f"new{number}@b.co", "x"))

    def change_client(self):
        return self.ask("operators.client.create", **self.store.client("c1@b.co", "y"))

    def sign_in(self):
        return self.ask("operators.signin", email="a@b.co", password="p")

    def sign_in_care(self):
        return self.ask("care.auth.token", email="a@b.co", password="a long password")

    def sign_in_sales(self):
        return self.ask("sales.user.authenticate", email="a@b.co", password="a long password")

    def refused(self, email):
        return self.server.ask("operators.signin", email=email, password="wrong")

    def refused_care(self, email):
        return self.server.ask("care.auth.token", email=email, password="wrong")

    def refused_care_from_an_address(self, email):
        return self.server.ask("care.auth.token", email=email, password="wrong", client={"ip": "192.0.2.1"})

    def refused_sales(self, email):
        return self.server.ask("sales.user.authenticate", email=email, password="wrong")

    def refused_sales_from_an_address(self, email):
        return self.server.ask("sales.user.authenticate", email=email, password="wrong", client={"ip": "192.0.2.1"})

    def reset(self, email):
        return self.ask("operators.reset_password", email=email)

    def reset_sales(self, email):
        return self.ask("sales.user.reset", email=email)

    def resend(self, email):
        return self.ask("operators.resend_confirmation", email=email)

    def resend_care(self, email):
        return self.ask("care.user.resend_confirmation", email=email)

    def resend_sales(self, email):
        return self.ask("sales.user.resend_verification", email=email)

    def refused_creation(self, code):
        """A new customer, with the email of an account, so that none is created."""
        account = {"email": "a@b.co", "password": "a long password", "name": NAMES}
        return self.server.ask("sales.user.create_customer", **account, referral_code=code, source="x")

    def unknown(self):
        """An email without an account, another one each time."""
        return f"unknown{next(self._numbers)}@b.co"

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
    Rig.read_sales: 2,
    Rig.create_client: 2,
    Rig.change_client: 2,
    Rig.sign_in: 3,
    Rig.sign_in_care: 3,
    Rig.sign_in_sales: 3,
    Rig.feed: 2,
    Rig.info: 0,
}

# Requests with an email that may have an account.
HIDING = [
    Rig.refused,
    Rig.refused_care,
    Rig.refused_care_from_an_address,
    Rig.refused_sales,
    Rig.refused_sales_from_an_address,
    Rig.reset,
    Rig.reset_sales,
    Rig.resend,
    Rig.resend_care,
    Rig.resend_sales,
]
HIDING_TRIPS_MAX = 3


def run(trial):
    rig = Rig(trial)
    for request in HIDING:
        trial.hold_one(request.__name__, functools.partial(compare, trial, rig, request))
    for code in (rig.referral_code, rig.invitation):
        trial.hold_one("a referral code", functools.partial(compare, trial, rig, Rig.refused_creation, known=code))
    trial.outcome.bite("another request", trial.finds(lambda: compare(trial, rig, Rig.refused, lambda rig, _: rig.info())))
    for request, trips_max in TRIPS_MAX.items():
        trial.hold_one(request.__name__, functools.partial(measure, trial, rig, request, trips_max))
    trial.outcome.bite("one fewer", trial.finds(lambda: measure(trial, rig, Rig.create_client, 0)))


def counts(rig, request):
    """The round trips of several equal requests, the fewest first: the numbering of events, or a conflict, can cost one
    of them more."""
    request(rig)
    return sorted(rig.proxy.count(lambda: request(rig))[0] for _ in range(REPEATS))


def measure(trial, rig, request, trips_max):
    found = counts(rig, request)
    trial.outcome.remarks.append(f"{request.__name__.replace('_', ' ')}: {found[0]} round trips, {trips_max} allowed")
    if found[0] > trips_max:
        raise Broken(f"{found} round trips, where {trips_max} are allowed")


def compare(trial, rig, request, unknown=None, known="a@b.co"):
    """Compares a request for an email with an account with the same one, or another, for an email without one.

    `known` may be a referral code instead.
    """
    unknown = unknown or request
    known, other = counts(rig, lambda rig: request(rig, known)), counts(rig, lambda rig: unknown(rig, rig.unknown()))
    trial.outcome.remarks.append(f"{request.__name__.replace('_', ' ')}: {known[0]} and {other[0]} round trips")
    if statistics.median(known) != statistics.median(other):
        raise Broken(f"{known} round trips with an account, and {other} without one")
    if known[0] > HIDING_TRIPS_MAX:
        raise Broken(f"{known} round trips, where {HIDING_TRIPS_MAX} are allowed")
