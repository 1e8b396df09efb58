"""The requests whose rates are measured, on a database and on a directory with the same accounts."""

import json
import os
import subprocess
import sys

import accounts
from harness import HERE, create, read, request
from postgres_bench import CLIENTS_EACH, address, move
from postgres_rows import CONNECTIONS, DJANGO, SCRIPTED
from scripts import Script, recorded

OPERATORS = 100_000
STRIDE = 7_919
CARE_ACCOUNTS = 64
PASSWORD = "a correct horse"
# The requests of a full run.
COUNTS = {"read": 20_000, "care": 15_000, "create": 5_000, "sign_in": 100}
PGBENCH_SECONDS = 2
# The most clients of pgbench: each has the parameters of a recorded request.
SCRIPT_CLIENTS = 32
# The clients that are created between two recordings: pgbench inserts beside the recorded ones, and those who insert into the
# same page of an index conflict.
APART = 100
DJANGO_CALLS = 300


class Work:
    """The same accounts in a directory and in a database, the requests, and their scripts for pgbench."""

    def __init__(self, bench):
        self.bench, self.operators = bench, bench.count(OPERATORS)
        self.directory = bench.copy(self.operators, each=CLIENTS_EACH, folder=bench.root)
        self._tokens = self._register()
        self.database = bench.database("work")
        move(bench, self.directory, self.database.uri())
        with bench.proxy() as proxy, bench.postern(proxy.uri("work"), "--connections", "1") as postern:
            requests = {work: self._recorded(work, proxy, postern) for work in SCRIPTED}
        # What pgbench inserts is not what Postern can read, so it gets a copy.
        self.copy = bench.database("copied", template="work")
        self.scripts = {work: Script(bench, self.copy, work, requests[work]) for work in SCRIPTED}

    def _register(self):
        """Makes accounts of the care API. Returns their tokens."""
        tokens = []
        with self.bench.postern(self.directory) as postern:
            for number in range(self.bench.count(CARE_ACCOUNTS, least=CONNECTIONS)):
                account = {"email": f"care{number}@example.com", "password": PASSWORD}
                postern.call("care.user.register", role="user", **account)
                tokens.append(postern.call("care.auth.token", **account)["access_token"])
        return tokens

    def _recorded(self, work, proxy, postern):
        """A recorded request for each client of pgbench."""
        def ask(number, run="recorded"):
            postern.process.stdin.write(self.line(work, number, run))
            postern.process.stdin.flush()
            assert b'"error"' not in (reply := postern.process.stdout.readline()), reply

        # The first requests prepare the statements.
        ask(0, "first")
        requests = []
        for number in range(SCRIPT_CLIENTS):
            if work == "create":
                self.bench.rate(self.database.uri(), (self.line(work, apart, f"apart{number}") for apart in range(APART)))
            requests.append(recorded(proxy, lambda turn, number=number: ask(number, f"recorded{turn}")))
        return requests

    def line(self, work, number, run):
        """A request: with each number the same for another account."""
        # Neighbours in time are not neighbours in an index.
        operator = number * STRIDE % self.operators + 1
        if work == "read":
            return read(operator, id=number)
        if work == "care":
            return request("care.user.view", {"access_token": self._tokens[number % len(self._tokens)]}, number)
        if work == "create":
            return create(f"{run}-{number}", operator, number)
        return request("operators.signin", {"email": accounts.email(operator), "password": "password"}, number)

    def lines(self, work, share=1.0, start=0):
        """The requests of a run."""
        run = self.bench.next_run()
        return (self.line(work, start + number, run) for number in range(self.bench.count(COUNTS[work] * share)))

    # Rates

    def ours(self, work, host=None, connections=CONNECTIONS, share=1.0):
        """Requests a second of Postern."""
        there = address(self.database, host or self.bench.server.folder)
        return self.bench.rate(there, self.lines(work, share), connections)

    def on_directory(self, work):
        return self.bench.rate(self.directory, self.lines(work))

    def pgbench(self, work, host=None, connections=CONNECTIONS):
        """Requests a second of pgbench."""
        seconds = max(1, round(PGBENCH_SECONDS * self.bench.share))
        there = address(self.copy, host or self.bench.server.folder)
        return self.scripts[work].rate(there, connections, seconds, self.bench.next_run())

    def django(self):
        """Requests a second of Django, by work: as many processes as cores, each with a database."""
        run = self.bench.next_run()
        program = os.path.join(HERE, "peers", "django_djoser.py")
        processes = []
        for number in range(os.cpu_count()):
            database = self.bench.database(f"django{run}_{number}")
            words = [self.bench.folder, self.bench.count(DJANGO_CALLS), self.bench.server.folder, database.name]
            command = [sys.executable, program, *map(str, words)]
            processes.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        outputs = [process.communicate()[0] for process in processes]
        assert all(process.returncode == 0 for process in processes), "Django ended with an error"
        medians = [json.loads(output) for output in outputs]
        return {work: sum(1e6 / each[name] for each in medians) for work, name in DJANGO.items()}
