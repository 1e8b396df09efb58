"""A connection that is cut at every byte of a request's groups, and of the server's answers to them.

Guarantee: while the server can be reached, each request succeeds, and takes effect once: none is lost, none is
doubled, and none is answered with an error.
"""

import queue

from databases import PostgresStore, slug
from postern import Broken
from proxy import Cut, Proxy
from servers import server_folder

NAME = "cut at every byte"
AT_ONCE = 3
# A commit's group may be longer in a case than in the one that was measured, as numbers grow.
SLACK_BYTES = 4
MEASUREMENTS = 10


class Rig:
    """A store behind a proxy, and a process that uses it. Cases use it one after another."""

    def __init__(self, trial, timeout=5):
        self.database = trial.database()
        self.proxy = trial.enter(Proxy(self.database.server.socket, server_folder(trial.scratch)))
        self.store = PostgresStore.make(trial.program, self.proxy.uri(self.database.name))
        self.store.timeout = timeout
        self.server = trial.enter(self.store.serve())
        self._numbers = iter(range(1 << 30))
        self.since = 1

    def create(self, rule=None):
        """Creates a client under a rule of the proxy. Returns its email and the reply."""
        email = f"k{next(self._numbers)}@b.co"
        if isinstance(rule, CutOnce):
            rule.text = email.encode()
        return email, self.under(rule, lambda: self.server.ask(
            "operators.client.create", **self.store.client(email, "x")
        ))

    def under(self, rule, action):
        self.proxy.rule = rule
        try:
            return action()
        finally:
            self.proxy.rule = None

    def expect(self, email, is_there=True):
        """Checks that a client was created exactly once since the last check, or that nothing was changed."""
        expected = ([email], self.since + 1) if is_there else ([], self.since)
        found = self.store.changes(self.server, self.since)
        if found != expected:
            raise Broken(f"the feed since {self.since} has {found}, where {expected} was expected")
        self.since = expected[1]

    def create_undisturbed(self):
        """Creates a client, after which the connection is in use, and its statements are prepared."""
        email, reply = self.create()
        if "error" in reply:
            raise Broken(f"without a fault, a creation is answered with {reply['error']}: {self.server.errors[-300:]}")
        self.expect(email)


class Rigs:
    """Rigs for cases that run at the same time."""

    def __init__(self, trial, count=AT_ONCE, **options):
        self._trial, self._options = trial, options
        self._free = queue.Queue()
        for _ in range(count):
            self._free.put(None)

    def use(self, attempt):
        """Calls `attempt` with a rig. A rig with which a case fails is not used again."""
        rig = self._free.get()
        try:
            rig = rig or Rig(self._trial, **self._options)
            result = attempt(rig)
        except BaseException:
            self._free.put(None)
            raise
        self._free.put(rig)
        return result

    def each(self):
        """The rigs that were used."""
        return [rig for rig in self._free.queue if rig is not None]


class CutOnce:
    """A rule of a proxy, which cuts one group of those that it sees: the one with a number, or the commit of a text."""

    def __init__(self, cut, number=None, text=None):
        self.cut, self.number, self.text = cut, number, text
        self.seen = 0
        self.link = self.group = None

    def __call__(self, link, group):
        self.seen += 1
        if self.group is not None or not self._means(group):
            return None
        self.link, self.group = link, group
        return self.cut

    def _means(self, group):
        if self.number is not None:
            return self.seen - 1 == self.number
        return group.end_of(is_mark) is not None and self.text in group.data


def is_mark(sql):
    """Whether a statement leaves the mark of a commit, by which its outcome can be found."""
    return "INSERT INTO postern.commits" in sql and "false" in sql


def create(rig, rule):
    return rig.create(rule)


def read(rig, rule):
    params = {"user_id": 1, "session_id": rig.store.session, "provision": rig.since - 1}
    return None, rig.under(rule, lambda: rig.server.ask("operators.clients.get", **params))


def measure(rig, request):
    """The lengths of the groups of a request, and of their answers. Between them may be those of other work, so the
    fewest of some tries are taken."""
    traces = []
    for _ in range(MEASUREMENTS):
        rig.create_undisturbed()
        groups = []
        request(rig, lambda link, group, groups=groups: groups.append(group))
        rig.proxy.wait_until_quiet()
        traces.append([group for group in groups if group.asks])
        rig.since = rig.store.changes(rig.server, 1)[1]
    fewest = min(traces, key=len)
    return [len(group) for group in fewest], [group.answer_bytes for group in fewest]


def attempt(rig, request, number, side, place):
    """Cuts a group of a request, or the answer to it, after some bytes."""
    rig.create_undisturbed()
    email, reply = request(rig, CutOnce(Cut(**{side: place}), number))
    if "error" in reply:
        raise Broken(f"answered with {slug(reply)}, though the server can be reached: {rig.server.errors[-300:]}")
    if email is not None:
        rig.expect(email)
    elif reply["result"]["provision"] != rig.since:
        raise Broken(f"a list ends at {reply['result']['provision']} instead of {rig.since}")


def run(trial):
    rigs = Rigs(trial)
    cases = []
    for request in (create, read):
        groups, answers = rigs.use(lambda rig, request=request: measure(rig, request))
        trial.outcome.remarks.append(f"{request.__name__}: groups of {groups} bytes, answers of {answers} bytes")
        for side, lengths in (("request", groups), ("answer", answers)):
            cases += [
                (request, number, side, place)
                for number, length in enumerate(lengths) for place in range(length + SLACK_BYTES)
            ]
    trial.hold(trial.sample(cases), lambda case: rigs.use(lambda rig: attempt(rig, *case)), AT_ONCE)
    for rig in rigs.each():
        trial.hold_one("the whole list", lambda rig=rig: hold_list(rig))
    trial.outcome.bite("without marks", trial.finds(lambda: unmarked(Rig(trial))))


def hold_list(rig):
    """The list has each client once, and as many changes as clients."""
    listed = rig.store.listed(rig.server)["result"]
    emails = [client["user"]["email"] for client in listed["clients"]]
    if len(set(emails)) != len(emails) or listed["provision"] != len(emails) + 1:
        raise Broken(f"{len(emails)} clients, {len(set(emails))} emails, {listed['provision'] - 1} changes")


def unmarked(rig):
    """Cuts the answer to a commit that left no mark."""
    rig.database.discard_marks()
    attempt(rig, create, None, "answer", 0)
