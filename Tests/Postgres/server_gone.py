"""A server that is stopped, that a network swallows, or that is not there when a process starts.

Guarantee: a request waits at most for the time-out, and then fails with `unavailable` and a time to wait; later ones
fail at once, and requests that need no store are answered as ever. The process serves again once the server is back.
Nothing is lost, doubled, or written in spite of the error.
"""

import socket
import sys
import time
import urllib.parse

from databases import PostgresStore, slug
from postern import Broken
from proxy import Proxy
from servers import Server, uri

NAME = "server gone"
TIMEOUT_SECONDS = 3
# A try to connect to a host that does not answer takes three seconds.
FIRST_SECONDS_MAX = TIMEOUT_SECONDS + 4
LATER = 20
LATER_SECONDS_MAX = 0.5
INFO_SECONDS_MAX = 0.5
BACK_SECONDS_MAX = 4
WORKERS = 8
# One try each 200 ms until the first request has waited as long as it may, then one each second; one more for each
# part, as clocks differ.
TRIES_MAX = TIMEOUT_SECONDS * 5 + 1 + TIMEOUT_SECONDS + 1
# The server's first probe of a connection on which nothing is sent. The kernel states times in hundredths of a second.
PROBE_TICKS_MAX = 600
PROBE_SECONDS_MAX = 10


def run(trial):
    cases = [(gone, trial, fault, is_busy) for fault in (Stopped, Swallowed, Refused) for is_busy in (False, True)]
    cases += [(absent, trial), (absent_for_long, trial), (tries, trial), (client_gone, trial), (silent_first_host, trial)]
    trial.hold(cases, lambda case: case[0](*case[1:]))
    trial.outcome.bite("no fault", trial.finds(lambda: gone(trial, Nothing, False)))


class Stopped:
    """The server is stopped, and started again."""

    def __init__(self, trial):
        self.server = trial.enter(Server(is_durable=False))
        self.database = trial.database(self.server)
        self.address = self.database.uri()

    def begin(self):
        self.server.stop("immediate")

    def end(self):
        self.server.start()


class Swallowed:
    """The network passes nothing on, and closes nothing."""

    def __init__(self, trial):
        self.tries = 0
        self.database = trial.database()
        self.proxy = trial.enter(Proxy(self.database.server.socket))
        self.address = self.proxy.uri(self.database.name)

    def begin(self):
        self.proxy.stop()

    def end(self):
        self.proxy.resume()
        self.proxy.cut_all()


class Refused(Swallowed):
    """A machine in between ends all connections, also new ones."""

    def begin(self):
        self.proxy.before_connecting = self._refuse
        self.proxy.cut_all()

    def _refuse(self):
        self.tries += 1
        raise ConnectionRefusedError

    def end(self):
        self.proxy.before_connecting = None


class Nothing(Swallowed):
    def begin(self):
        pass


def gone(trial, fault, is_busy):
    """`is_busy` says whether several requests wait when the server goes."""
    fault = fault(trial)
    store = PostgresStore.make(trial.program, fault.address, ["c0@b.co"])
    store.timeout = TIMEOUT_SECONDS
    with store.serve() as server:
        store.create(server, "before@b.co")
        fault.begin()
        began = time.monotonic()
        first = store.create_all(server, [(f"w{number}@b.co", "x") for number in range(10 if is_busy else 1)], True)
        took = time.monotonic() - began
        if any("result" in reply for reply in first):
            raise Broken(f"a request succeeds without a server: {first}")
        if took > FIRST_SECONDS_MAX:
            raise Broken(f"the first {len(first)} requests fail after {took:.1f} s")
        for reply in first:
            expect_unavailable(reply)
        hold_later(store, server)
        fault.end()
        hold_back(store, server)
        store.ledger.compare(store.listed(server)["result"])
        if server.close() != 0:
            raise Broken(f"the process does not close: {server.errors[-300:]}")
    store.verify()


def expect_unavailable(reply):
    # The first request may have been lost while it committed, and then it is not known whether it took effect.
    if slug(reply) == "outcome_unknown":
        return
    if slug(reply) != "unavailable" or reply["error"]["code"] != 503:
        raise Broken(f"without a server, a request is answered with {reply}")
    if reply["error"]["data"].get("retry_after", 0) < 1:
        raise Broken(f"the error has no time to wait: {reply['error']}")


def hold_later(store, server):
    """Later requests fail at once, and those without store are answered. The longest may be one that tries to
    connect."""
    times = []
    for number in range(LATER):
        began = time.monotonic()
        reply = store.create(server, f"later{number}@b.co", tolerate=True)
        times.append(time.monotonic() - began)
        if slug(reply) != "unavailable":
            raise Broken(f"a later request is answered with {reply}")
        began = time.monotonic()
        reply = server.ask("system.info")
        took = time.monotonic() - began
        if "error" in reply or took > INFO_SECONDS_MAX:
            raise Broken(f"system.info takes {took:.1f} s: {reply.get('error')}")
        time.sleep(0.05)
    slow = [took for took in times if took > LATER_SECONDS_MAX]
    # One that has the turn to connect waits as long as the first did.
    if len(slow) > 1:
        raise Broken(f"{len(slow)} of {LATER} later requests take up to {max(slow):.1f} s")


def hold_back(store, server):
    """The process serves again."""
    end = time.monotonic() + BACK_SECONDS_MAX
    number = 0
    while slug(store.create(server, f"back{number}@b.co", tolerate=True)) is not None:
        if time.monotonic() > end:
            raise Broken(f"no service {BACK_SECONDS_MAX} s after the server is back: {server.errors[-300:]}")
        number += 1
        time.sleep(0.05)


def absent(trial):
    """A process that starts before the server waits for it, and says so."""
    server = trial.enter(Server(is_durable=False))
    database = trial.database(server)
    store = trial.store(database, ["c0@b.co"])
    store.timeout = 20
    server.stop("immediate")
    with store.serve() as process:
        time.sleep(2)
        if process.process.poll() is not None:
            raise Broken(f"the process does not wait at its start: {process.errors}")
        if "waiting" not in process.errors:
            raise Broken(f"the process does not say that it waits: {process.errors!r}")
        server.start()
        store.create(process, "after@b.co")
        process.close()
    store.verify()


def absent_for_long(trial):
    """A process whose server does not come in time ends with an error, or serves without a store."""
    server = trial.enter(Server(is_durable=False))
    store = trial.store(trial.database(server))
    store.timeout = 1
    server.stop("immediate")
    code, _, errors = store.run_once()
    if code == 0 or "server" not in errors:
        raise Broken(f"without a server, the process ends with {code}: {errors!r}")


def tries(trial):
    """A process with many workers tries to connect once at a time."""
    fault = Refused(trial)
    store = PostgresStore.make(trial.program, fault.address, ["c0@b.co"])
    store.timeout, store.flags = TIMEOUT_SECONDS, ("--connections", str(WORKERS))
    with store.serve() as server:
        store.create_all(server, [(f"b{number}@b.co", "x") for number in range(WORKERS * 2)])
        fault.begin()
        end = time.monotonic() + 2 * TIMEOUT_SECONDS
        while time.monotonic() < end:
            for reply in store.create_all(server, [(f"t{number}@b.co", "x") for number in range(WORKERS)], True):
                expect_unavailable(reply)
            time.sleep(0.05)
        trial.outcome.remarks.append(f"{fault.tries} tries to connect in {2 * TIMEOUT_SECONDS} s, {TRIES_MAX} allowed")
        if not 0 < fault.tries <= TRIES_MAX:
            raise Broken(f"{fault.tries} tries to connect, where {TRIES_MAX} are allowed")
        fault.end()
        hold_back(store, server)
        server.close()
    store.verify()


def silent_first_host(trial):
    """The first of two hosts takes connections and says nothing, as a machine whose processes are stopped. Only the first
    try waits for it: a process begins with the host that has served."""
    database = trial.database()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        folder = urllib.parse.quote(database.server.folder, safe="")
        hosts = f"127.0.0.1:{silent.getsockname()[1]},{folder}:5432"
        store = PostgresStore.make(trial.program, uri(hosts, database.name), ["c0@b.co"])
        store.timeout, store.flags = TIMEOUT_SECONDS * 2, ("--connections", str(WORKERS))
        with store.serve() as server:
            for number in range(2):
                # All workers connect at once.
                began = time.monotonic()
                store.create_all(server, [(f"s{number}-{worker}@b.co", "x") for worker in range(WORKERS * 2)])
                took = time.monotonic() - began
                if number and took > LATER_SECONDS_MAX * 2:
                    raise Broken(f"new connections wait {took:.1f} s for the first host")
                database.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                                    "AND pid <> pg_backend_pid()", database.name)
            server.close()
        store.verify()


def client_gone(trial):
    """The server soon looks whether a process on another machine is still there: it may have received a part of a
    commit, and keeps the locks until it notices."""
    address = ".".join(["127", *(str(trial.random.randint(1, 254)) for _ in range(3))])
    server = trial.enter(Server({"listen_addresses": f"'{address}'"}, is_durable=False))
    name = trial.database(server).name
    store = PostgresStore.make(trial.program, uri(f"{address}:5432", name), ["c0@b.co"])
    with store.serve() as process:
        store.create(process, "a@b.co")
        end = time.monotonic() + PROBE_SECONDS_MAX
        while not are_probed(found := probe_ticks(address)):
            if time.monotonic() > end:
                raise Broken(f"the server probes its clients after {found} hundredths of a second")
            time.sleep(0.05)
        process.close()


def are_probed(found):
    """Whether there are connections, and each is probed soon."""
    return bool(found) and all(ticks is not None and ticks <= PROBE_TICKS_MAX for ticks in found)


def probe_ticks(address):
    """How long the system waits until it probes each connection of a local address; None for one without probes."""
    local = f"{int.from_bytes(socket.inet_aton(address), sys.byteorder):08X}:{5432:04X}"
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in file]
    timers = [row[5].split(":") for row in rows if row[1] == local and row[3] == "01"]
    return [int(when, 16) if timer == "02" else None for timer, when in timers]
