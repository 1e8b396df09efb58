"""Counts what a request costs and repeats on any machine: instructions and allocations by method, with callgrind, and the
system calls of a read and a create, with strace.

Usage: instructions.py keep BINARY writes them to instructions.json and system-calls.json; instructions.py check BINARY fails if
a request needs more than it did then. In deterministic mode ids, times and tokens repeat, so the requests can be prepared. The
counts of N requests are the difference of two runs, one with and one without them.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import profiles
import results
from harness import Program, client, request

FLAGS_PATH = pathlib.Path(__file__).resolve().parents[1] / "schema/cases/flags.txt"
DETERMINISTIC = [*FLAGS_PATH.read_text().split(), "--no-email-confirmation"]
REQUESTS = 200
# The maximum growth of a request's instructions; more is a failure.
GROWTH_MAX = 0.05
# The tolerance for allocations and system calls a request: buffers that grow, and reads that bring two requests.
COUNT_TOLERANCE = 0.25
# A request of these methods may allocate nothing, if its records were read before. The rest is for the buffers that all
# requests of a group share.
WITHOUT_ALLOCATIONS = ["operators.clients.get"]
# The system calls whose number depends on what other threads do.
UNSTEADY = ["futex"]


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
        """Instructions and allocations of a whole run with the prepared requests and then these."""
        with tempfile.TemporaryDirectory() as folder:
            command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", self.binary, *DETERMINISTIC]
            run = subprocess.run(command, input=self.warm + more, check=True, capture_output=True)
            profile = profiles.Profile(f"{folder}/out")
        replies = [json.loads(line) for line in run.stdout.splitlines()]
        assert not any("error" in reply for reply in replies), [reply for reply in replies if "error" in reply][0]
        return sum(profile.functions.values()), profile.allocations

    def counts(self):
        works = {method: b"".join(self.line(method, number) for number in range(1, REQUESTS + 1)) for method in self.methods()}
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            alone, *totals = pool.map(self.count, [b"", *works.values()])
        return {
            method: {
                "instructions": round((total[0] - alone[0]) / REQUESTS),
                "allocations": round((total[1] - alone[1]) / REQUESTS, 1),
            }
            for method, total in zip(works, totals)
        }


def system_calls(binary):
    """The system calls of a read and of a create, one at a time, in a store with files."""
    with tempfile.TemporaryDirectory() as folder:
        story = profiles.Story(os.path.abspath(binary), folder)
        return {
            operation: {
                name: round(count, 1)
                for name, count in sorted(story.system_calls(operation, REQUESTS).items())
                if name not in UNSTEADY
            }
            for operation in [profiles.READ, profiles.CREATE]
        }


def faults(binary):
    """Messages about the requests that need more than before."""
    known = results.kept("instructions.json") or {}
    for method, now in Story(binary).counts().items():
        before = known.get(method, {"instructions": 0, "allocations": 0})
        change = f"{now['instructions'] / before['instructions'] - 1:+.1%}" if before["instructions"] else "new"
        print(f"{method}: {now['instructions']:,} instructions, {change}; {now['allocations']:.1f} allocations", flush=True)
        if method not in known:
            yield f"{method}: no kept figures"
        elif now["instructions"] > before["instructions"] * (1 + GROWTH_MAX):
            yield f"{method}: {now['instructions']:,} instructions, before {before['instructions']:,}"
        elif now["allocations"] > before["allocations"] + COUNT_TOLERANCE:
            yield f"{method}: {now['allocations']} allocations, before {before['allocations']}"
        if method in WITHOUT_ALLOCATIONS and now["allocations"] > COUNT_TOLERANCE:
            yield f"{method}: {now['allocations']} allocations a request, none are allowed"
    known = results.kept("system-calls.json") or {}
    for operation, now in system_calls(binary).items():
        print(f"{operation}: {', '.join(f'{name} {count:.1f}' for name, count in now.items())}", flush=True)
        for name, count in now.items():
            if count > (before := known.get(operation, {}).get(name, 0)) + COUNT_TOLERANCE:
                yield f"{operation}: {count} calls of {name}, before {before}"


def main(mode, binary):
    if mode == "check":
        sys.exit("\n".join(faults(binary)) or None)
    counts = Story(binary).counts()
    for method, count in counts.items():
        print(f"{method}: {count['instructions']:,} instructions, {count['allocations']:.1f} allocations")
    results.keep("instructions.json", counts)
    results.keep("system-calls.json", system_calls(binary))


if __name__ == "__main__":
    main(*sys.argv[1:])
