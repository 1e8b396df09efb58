"""The alternatives to Postern: web frameworks, each called inside its own process, without a server or a network."""

import functools
import json
import os
import subprocess
import sys

from harness import HERE, client, on_core, request
from rows import Row

COUNT = 400
PERSON = {"email": "ada@example.com", "password": "a correct horse"}
WORK = {
    "who_am_i": ("read the caller's account", "Authenticated: `care.user.view`."),
    "create": ("create a client", "Durable: `operators.client.create`."),
    "changed": ("read an empty change feed", "`operators.clients.get` with the cursor of the last reply."),
    "sign_in": ("sign in", "One at a time, with the same Argon2id parameters: `operators.signin`."),
}
PEERS = {
    "django_djoser": "Django, djoser",
    "flask_security_too": "Flask-Security",
    "fastapi_users_sqlalchemy": "fastapi-users",
}


def ours(bench):
    """Median microseconds of each operation, through the pipes."""
    count, path = bench.count(COUNT), bench.path("store")

    def median(postern, requests, count):
        return postern.drive(bench.lines(requests), count)["p50"]

    # Program and driver have one core each, as in reads.py. The process that hashes passwords may use every core.
    with on_core(1):
        postern = bench.postern(path)
    with postern, on_core(0):
        postern.call("care.user.register", role="user", **PERSON)
        token = postern.call("care.auth.token", **PERSON)["access_token"]
        name = {"first_name": "Ada", "last_name": "Byron", "email": PERSON["email"]}
        made = postern.call("operators.register", user=name, password=PERSON["password"])
        own = {"user_id": made["id"], "session_id": made["session_id"]}
        created = [request("operators.client.create", {**own, "client": client(number)}) for number in range(count)]
        values = {
            "who_am_i": median(postern, [request("care.user.view", {"access_token": token})], count * 10),
            "create": median(postern, created, count),
            "changed": median(postern, [request("operators.clients.get", {**own, "provision": count + 1})], count * 10),
        }
    with bench.postern(path) as postern:
        return values | {"sign_in": median(postern, [request("operators.signin", PERSON)], max(20, count // 10))}


def beside(peer, bench):
    values = ours(bench)
    program = os.path.join(HERE, "peers", peer + ".py")
    output = subprocess.run(
        [sys.executable, program, bench.folder, str(bench.count(COUNT))], check=True, stdout=subprocess.PIPE
    ).stdout
    return values | {"their " + name: value for name, value in json.loads(output).items()}


def rows_of(peer, name):
    measure = functools.partial(beside, peer)
    for work, (title, about) in WORK.items():
        yield Row(f"{name.split(',')[0].lower()}-{work}".replace("_", "-"), title, "µs", measure, work, "their " + work, name, about)


ROWS = [row for peer, name in PEERS.items() for row in rows_of(peer, name)]
