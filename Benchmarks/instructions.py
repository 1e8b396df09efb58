"""Counts the instructions of a request, by method, with callgrind. The figures are reproducible.

Usage: instructions.py BINARY writes them to instructions.json. In deterministic mode ids, times and tokens repeat, so the
requests can be prepared. The instructions of N requests are the difference of two runs, one with and one without them.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import results
from harness import Program, client, request

FLAGS_PATH = pathlib.Path(__file__).resolve().parents[1] / "schema/cases/flags.txt"
DETERMINISTIC = [*FLAGS_PATH.read_text().split(), "--no-email-confirmation"]
REQUESTS = 200
# The maximum growth of a request's instructions; more is a failure.
GROWTH_MAX = 0.05


class Story:
    """The prepared requests: they create an account of each API, then call each counted method once."""

    def __init__(self, binary):
        self.binary = binary
        self.requests = []
        # A first process answers the requests, and its replies supply the ids and tokens.
        with Program(binary, *DETERMINISTIC) as self.program:
            self.own = self.operator()
            self.access = self.user()
            self.key = self.customer()
            # The first call of a method has one-time costs, so each method is called once before the counted calls.
            self.warm = b"".join(self.requests) + b"".join(self.line(method, 0) for method in self.methods())

    def call(self, method, **params):
        self.requests.append(request(method, params, len(self.requests) + 1))
        return self.program.call(method, **params)

    def operator(self):
        name = {"first_name": "Ada", "last_name": "Byron", "email": "ada@example.com"}
        made = self.call("operators.register", user=name, password="password")
        own = {"user_id": made["id"], "session_id": made["session_id"]}
        for number in range(20):
            self.call("operators.client.create", **own, client=client(f"-{number}"))
        return own

    def user(self):
        self.call("care.user.register", email="foo@example.com", password="password", role="user", first_name="Foo")
        token = self.call("care.auth.token", email="foo@example.com", password="password")["access_token"]
        return {"access_token": token}

    def customer(self):
        code = self.call("system.invite", role="admin")["referral_code"]
        name = {"first": "Foo", "last": "Bar"}
        email = "it@example.com"
        made = self.call("sales.user.create_internal", email=email, password="password", referral_code=code, name=name)
        return {"api_key": made["api_key"]}

    def methods(self):
        """For each counted method, the params of its request with a number. None of the methods hashes a password."""
        return {
            "operators.clients.get": lambda number: {**self.own, "provision": 1_000_000},
            "operators.client.create": lambda number: {**self.own, "client": client(number)},
            "operators.client.update": lambda number: {**self.own, "client_id": 1, "client": {"address": f"{number} Silber Way"}},
            "care.user.view": lambda number: self.access,
            "care.user.change": lambda number: {**self.access, "first_name": f"Foo {number}"},
            "care.patients.list": lambda number: self.access,
            "care.patients.view": lambda number: {**self.access, "patient_id": 1},
            "care.patients.update": lambda number: {**self.access, "patient_id": 1, "phone": f"617{number:07}"},
            "sales.user.me": lambda number: self.key,
            "sales.user.update_me": lambda number: {**self.key, "name": {"first": f"Foo {number}", "last": "Bar"}},
        }

    def line(self, method, number):
        return request(method, self.methods()[method](number), 1_000 + number)

    def count(self, more):
        """Instructions of a whole run with the prepared requests and then these."""
        with tempfile.TemporaryDirectory() as folder:
            command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", self.binary, *DETERMINISTIC]
            run = subprocess.run(command, input=self.warm + more, check=True, capture_output=True)
        replies = [json.loads(line) for line in run.stdout.splitlines()]
        assert not any("error" in reply for reply in replies), [reply for reply in replies if "error" in reply][0]
        return int(re.search(rb"Collected : (\d+)", run.stderr)[1])

    def counts(self):
        works = {method: b"".join(self.line(method, number) for number in range(1, REQUESTS + 1)) for method in self.methods()}
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            alone, *totals = pool.map(self.count, [b"", *works.values()])
        return {method: round((total - alone) / REQUESTS) for method, total in zip(works, totals)}


def faults(binary):
    """Messages about the methods that need more instructions than before."""
    known = results.kept("instructions.json") or {}
    for method, count in Story(binary).counts().items():
        before = known.get(method)
        change = f"{count / before - 1:+.1%}" if before else "new"
        print(f"{method}: {count:,} instructions, {change}", flush=True)
        if before and count > before * (1 + GROWTH_MAX):
            yield f"{method}: {count:,} instructions, before {before:,}"


def main(binary):
    counts = Story(binary).counts()
    for method, count in counts.items():
        print(f"{method}: {count:,} instructions")
    results.keep("instructions.json", counts)


if __name__ == "__main__":
    main(*sys.argv[1:])
