"""Processes on one directory that get requests at the same time and are sometimes killed, and the history of their
replies."""

import collections
import subprocess
import threading
import time

from history import Checker, History
from postern import Broken, Gone
from stores import PERSON, Store

PROCESSES = 4
FIELDS = ["first_name", "last_name", "address"]


class Crowd:
    """Processes, the threads that drive them, and their common history."""

    def __init__(self, trial, program, is_troubled, store=None):
        self.trial, self.program, self.is_troubled = trial, program, is_troubled
        self.store = store = store or Store.make(trial.program, trial.directory())
        self.history = History()
        self.done = collections.Counter()
        self.rounds = threading.Barrier(PROCESSES)
        with store.serve() as server:
            # The second operator has the clients that every process changes.
            reply = server.ask("operators.register", user={**PERSON, "email": "b@b.co"}, password="p")
            self.shared = {"user_id": 2, "session_id": reply["result"]["session_id"]}
            user = {"first_name": "0", "last_name": "0"}
            for number in range(PROCESSES):
                client = {"user": {**user, "email": f"s{number}@b.co"}, "address": "0"}
                self._write_count("operator 2", server, client)
            server.close()

    def _write_count(self, subject, server, client):
        event = self.history.invoke("write", subject)
        server.ask("operators.client.create", **self.shared, client=client)
        event.answered = time.monotonic()

    def run(self, seconds):
        """Runs all workers for some seconds. Returns the checker of their history."""
        self.end = time.monotonic() + seconds
        workers = [self.worker(number) for number in range(PROCESSES)]
        threads = [threading.Thread(target=worker.run) for worker in workers]
        if self.is_troubled:
            threads.append(threading.Thread(target=self._trouble))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._read_last()
        return Checker(self.history)

    def worker(self, number):
        return Worker(self, number)

    @property
    def is_over(self):
        return time.monotonic() > self.end

    def _trouble(self):
        """Compacts, checks and backs up in turns. A backup is read like the store itself."""
        turn = 0
        while not self.is_over:
            turn += 1
            if turn % 4 == 0:
                self._expect("check", self.store.run("check"))
            elif turn % 4 == 2:
                self._back_up()
            else:
                self._expect("merge", self.store.run("compact"), "another process is already running compaction")
            time.sleep(0.05)

    def _expect(self, command, outcome, excuse="\n\n"):
        code, output, errors = outcome
        self.done[command] += 1
        if code != 0 and excuse not in errors:
            self.history.invoke("error", f"postern {command}", output + errors)

    def _back_up(self):
        copy = Store(self.trial.program, self.trial.directory(), self.store.session)
        begun = time.monotonic()
        process = self.trial.program.start("backup", copy.path, "--data", self.store.path, stderr=subprocess.DEVNULL)
        self._expect("backup", (process.wait(), "", ""))
        ended = time.monotonic()
        with copy.serve() as server:
            try:
                self._read(server, lambda event: setattr(event, "invoked", begun), ended)
            except Gone:
                self.history.invoke("error", "a backup", server.errors)
        self.trial.discard(copy)

    def _read(self, server, adjust, ended=None):
        for subject, value in self.values(server).items():
            event = self.history.invoke("read", subject, value)
            adjust(event)
            event.answered = ended or time.monotonic()

    def values(self, server):
        """The counters and fields that a process returns."""
        lists = {
            "operator 1": self.store.listed(server)["result"],
            "operator 2": server.ask("operators.clients.get", **self.shared, provision=0)["result"],
        }
        values = {subject: listed["provision"] - 1 for subject, listed in lists.items()}
        for client in lists["operator 2"]["clients"]:
            values.update(fields_of(client))
        # Requests only create clients of this operator, and change or delete none.
        if len(lists["operator 1"]["clients"]) != values["operator 1"]:
            self.history.invoke("error", "the list", f"{len(lists['operator 1']['clients'])} of {values['operator 1']}")
        return values

    def _read_last(self):
        with self.store.serve() as server:
            try:
                begun = time.monotonic()
                self._read(server, lambda event: setattr(event, "invoked", begun))
                for email in {event.subject for event in self.history.of("register") if event.value is True}:
                    reply = server.ask("care.user.register", **registration(email))
                    if reply.get("error", {}).get("data", {}).get("errors") != ["user_already_exists"]:
                        self.history.invoke("error", email, reply)
                server.close()
            except Gone:
                self.history.invoke("error", "the store", server.errors)


class Worker:
    """One process, and the thread that sends it bursts of requests, and sometimes kills it before it replies."""

    def __init__(self, crowd, number):
        self.crowd, self.number, self.history = crowd, number, crowd.history
        self.random = crowd.trial.random.__class__(f"{crowd.trial.random.random()}{number}")
        self.versions = {}
        self.made = 0
        self.server = None

    def run(self):
        race = 0
        try:
            while not self.crowd.is_over:
                if self.server is None:
                    self.server = self.serve()
                try:
                    if self.random.random() < 0.15:
                        race += 1
                        self._race(race)
                    else:
                        self._burst()
                except Gone:
                    self.history.invoke("error", f"process {self.number} ended", self.server.errors[-300:])
                    self._kill()
                except Broken as error:
                    self.history.invoke("error", f"process {self.number}", str(error))
                    self._kill()
        finally:
            self.crowd.rounds.abort()
            if self.server:
                self._kill()

    def serve(self):
        return self.crowd.program.serve(self.crowd.store.path)

    def refused(self, what, error, events):
        """Records a reply with an error, to a request with these events."""
        self.history.invoke("error", what, error)

    def _kill(self):
        self.server.kill()
        self.server = None

    def _race(self, race):
        """Registers the same email as all other workers at the same time."""
        try:
            self.crowd.rounds.wait(timeout=10)
        except threading.BrokenBarrierError:
            return
        email = f"race{race}@b.co"
        event = self.history.invoke("register", email)
        reply = self.server.ask("care.user.register", **registration(email))
        if "error" in reply and reply["error"]["data"]["errors"] != ["user_already_exists"]:
            return self.refused("a registration", reply["error"], [event])
        event.answered, event.value = time.monotonic(), "result" in reply

    def _burst(self):
        planned = [self._plan() for _ in range(self.random.choice([1, 1, 2, 4, 8]))]
        self.server.send_all([(method, params) for method, params, _ in planned])
        if self.crowd.is_troubled and self.random.random() < 0.03:
            time.sleep(self.random.random() / 500)
            self.crowd.done["kill"] += 1
            return self._kill()
        for method, _, events in planned:
            reply = self.server.receive()
            now = time.monotonic()
            if "error" in reply:
                self.refused(method, reply["error"], events)
                continue
            for event in events:
                event.answered = now
            self._note(method, reply["result"], events)

    def _plan(self):
        """A request, with its events."""
        kind = self.random.choice(["create", "change", "change", "read"])
        if kind == "create":
            self.made += 1
            params = self.crowd.store.client(f"w{self.number}-{self.made}@b.co", "x")
            events = [self.history.invoke("made", "client"), self.history.invoke("write", "operator 1")]
            return "operators.client.create", params, events
        if kind == "change":
            return self._plan_change()
        params = {**self.crowd.shared, "provision": 0}
        return "operators.clients.get", params, [self.history.invoke("list", "operator 2")]

    def _plan_change(self):
        """Sets the one field of a client that this worker may set, and leaves the others unchanged."""
        client = self.random.randrange(PROCESSES)
        place = (self.number + client) % PROCESSES
        if place >= len(FIELDS):
            client, place = (client + 1) % PROCESSES, 0
        field = FIELDS[place]
        subject = f"{field} of client {client + 1}"
        version = self.versions[subject] = self.versions.get(subject, 0) + 1
        events = [self.history.invoke("write", subject, version), self.history.invoke("write", "operator 2")]
        change = {"address": str(version)} if field == "address" else {"user": {field: str(version)}}
        return "operators.client.update", {**self.crowd.shared, "client_id": client + 1, "client": change}, events

    def _note(self, method, result, events):
        """Records what a reply shows."""
        if method == "operators.client.create":
            events[0].value = result["id"]
            return
        first = events[0]
        seen = {}
        if method == "operators.client.update":
            seen = fields_of(result)
        else:
            seen["operator 2"] = result["provision"] - 1
            for client in result["clients"]:
                seen.update(fields_of(client))
        for subject, value in seen.items():
            read = self.history.invoke("read", subject, value)
            read.invoked, read.answered = first.invoked, first.answered


def fields_of(client):
    values = [client["user"]["first_name"], client["user"]["last_name"], client["address"]]
    return {f"{field} of client {client['id']}": int(value) for field, value in zip(FIELDS, values)}


def registration(email):
    return {"email": email, "password": "p", "role": "user"}
