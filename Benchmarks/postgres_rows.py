"""The store in PostgreSQL beside pgbench, Django, the directory store, and what a network allows.

The measurements need a `PostgresBench`. The rows need only this module, so that a report can be written without a server.
"""

from rows import Row

# The connections of a process, unless a row says more.
CONNECTIONS = 16
# The works that pgbench can repeat, from recorded statements.
SCRIPTED = ("read", "care", "create")
# How Django's work is called, for each of these.
DJANGO = {"read": "changed", "care": "who_am_i", "create": "create", "sign_in": "sign_in"}

# The round trip of the network, and the counted request of each work.
MILLISECONDS = 1
# So few connections that the network is the limit, and not the processors.
FEW, FEW_SHARE = 2, 0.2
TRIPS = {"read": "read operators", "care": "read care", "create": "create client"}
TITLES = {"read": "session read", "care": "session read of a care account", "create": "client create", "sign_in": "sign-in"}
PGBENCH = "pgbench, the same statements"
BOUND = "connections ÷ (round trips × RTT)"
DJANGO_PEER = "Django, djoser, a process for each core"


def near(bench):
    """Requests a second of Postern and its peers, which take turns."""
    work, values = bench.work, {}
    for name in SCRIPTED:
        values |= {
            name: work.ours(name), f"{name} pgbench": work.pgbench(name), f"{name} directory": work.on_directory(name),
        }
    values |= {"sign_in": work.ours("sign_in"), "sign_in directory": work.on_directory("sign_in")}
    return values | {f"{name} django": rate for name, rate in work.django().items()}


def far(bench):
    """Requests a second through a network, and the most that its round trips allow."""
    values = {}
    with bench.relay(MILLISECONDS) as host:
        for name, request in TRIPS.items():
            values[name] = bench.work.ours(name, host)
            values[f"{name} pgbench"] = bench.work.pgbench(name, host)
            values[f"{name} few"] = bench.work.ours(name, host, FEW, FEW_SHARE)
            for count, bound in ((CONNECTIONS, f"{name} bound"), (FEW, f"{name} few bound")):
                values[bound] = count / (bench.trips[request] * MILLISECONDS / 1_000)
    return values


def row(kind, name, measure, peer):
    where = f", {MILLISECONDS} ms of network" if measure is far else ""
    key = f"postgres-{name.replace('_', '-')}-{'far-' if where else ''}{kind}"
    title = TITLES[name] + where
    return Row(key, title, "a second", measure, name, f"{name} {kind}", peer, title, more_is_better=True)


def few_row(name):
    title = f"{TITLES[name]}, {MILLISECONDS} ms of network, {FEW} connections"
    ours = f"{name} few"
    return Row(f"postgres-{name}-far-few-bound", title, "a second", far, ours, f"{ours} bound", BOUND, title, more_is_better=True)


ROWS = [
    *(row("pgbench", name, near, PGBENCH) for name in SCRIPTED),
    *(row("django", name, near, DJANGO_PEER) for name in DJANGO),
    *(row("directory", name, near, "the directory store") for name in TITLES),
    *(row("bound", name, far, BOUND) for name in TRIPS),
    *(few_row(name) for name in TRIPS),
    *(row("pgbench", name, far, PGBENCH) for name in TRIPS),
]
