"""The checks of the peers that ask who may sign in: a store with accounts, and what each peer must answer about them.

A peer is a server that asks `postern verify` or `postern helper`, and a client that signs in to it. `signs_in(email,
password)` signs in with the client, and returns whether the server accepted it.
"""

import atexit
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from checks import Unexpected, expect, require

PASSWORD = "a lång password: 100%"
START_SECONDS_MAX = 30
END_SECONDS_MAX = 10
DOCUMENT = pathlib.Path(__file__).parents[2] / "docs/other-programs.md"

# Ends the services too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


class Store:
    """A store with accounts, and a copy of the binary that the user of a service can run."""

    def __init__(self, owner=None):
        self.folder = tempfile.mkdtemp(prefix="postern-peer-")
        atexit.register(self.close)
        os.chmod(self.folder, 0o755)
        self.binary = os.path.join(self.folder, "postern")
        shutil.copy(os.environ["POSTERN_BIN"], self.binary)
        self.data = os.path.join(self.folder, "accounts")
        self.run()
        # What root writes then gets this owner.
        if owner:
            subprocess.run(["chown", "-R", owner, self.data], check=True)
        for name in ("ann", "locked", "disabled"):
            self.create(f"{name}@b.co", "email_confirmed=true")
        self.create("unproven@b.co")
        self.run("account", "disable", "operators:disabled@b.co")
        # Before its first start, a server cannot know who has been locked, and one that caches would remember.
        self.events_before = self.events()

    def documented(self, language):
        """The configuration in docs/other-programs.md, with the paths of this store."""
        block = re.search(rf"^```{language}\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)[1]
        require("/usr/local/bin/postern " in block, f"the block {language} does not run postern")
        return block.replace("/usr/local/bin/postern", self.binary).replace("/var/lib/accounts", self.data)

    def run(self, *arguments, **options):
        outcome = subprocess.run(
            [self.binary, *arguments, "--data", self.data], capture_output=True, text=True,
            **({"stdin": subprocess.DEVNULL} | options if "input" not in options else options),
        )
        if outcome.returncode:
            raise Unexpected(f"postern {' '.join(arguments)}: {outcome.stderr}")
        return outcome.stdout

    def create(self, email, *words):
        names = ["first_name=A", "last_name=B", "password=@-"]
        self.run("account", "create", f"operators:{email}", *names, *words, input=PASSWORD)

    def lock(self, email, ip):
        """Locks an account for an address, or for all that state none."""
        for _ in range(10):
            environment = {"IP": ip} if ip else {}
            command = [self.binary, "verify", "--as", "authnz", "--api", "operators", "--data", self.data]
            outcome = subprocess.run(command, input=f"{email}\nwrong\n", text=True, env=environment)
            expect(outcome.returncode, 1, "the exit code of a wrong password")

    def events(self, after=0):
        lines = self.run("audit", "--json", "--after", str(after)).splitlines()
        return [json.loads(line) for line in lines]

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def play(checks, store, signs_in, agent, ip):
    """Runs the checks that all of these peers have in common.

    `agent` is what the audit trail says of the server, `ip` the address of the client there, or None.
    """

    def answers(email, password, expected):
        expect(signs_in(email, password), expected, f"the answer for {email}")

    def leaves(kind, email, password):
        before = store.events()[-1]["seq"]
        answers(email, password, kind == "signed_in")
        events = [event for event in store.events(before) if event["by"] == "anonymous"]
        require(events, "no event")
        for event in events:
            expect(event["kind"], kind, "the kind of the event")
            expect((event.get("ip"), event.get("agent")), (ip, agent), "address and program of the event")
            require("detail" not in event, "a session was opened")

    checks.run("the right password is accepted", answers, "ann@b.co", PASSWORD, True)
    checks.run("a wrong password is refused", answers, "ann@b.co", "wrong", False)
    checks.run("an unknown email is refused", answers, "nobody@b.co", PASSWORD, False)
    checks.run("an address that is not proven is refused", answers, "unproven@b.co", PASSWORD, False)
    checks.run("a disabled account is refused", answers, "disabled@b.co", PASSWORD, False)
    checks.run("a success leaves an event", leaves, "signed_in", "ann@b.co", PASSWORD)
    checks.run("a failure leaves an event", leaves, "sign_in_failed", "ann@b.co", "wronger")
    checks.run("the account is locked for the address", store.lock, "locked@b.co", ip)
    checks.run("a locked account is refused", answers, "locked@b.co", PASSWORD, False)
    checks.run("the right password is accepted after all of this", answers, "ann@b.co", PASSWORD, True)


def free_port():
    """A port of the loopback interface on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def service(command, is_ready, log=None, **options):
    """Runs a server until the block ends. `is_ready` tells whether it serves."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, **options
        )
        try:
            deadline = time.monotonic() + START_SECONDS_MAX
            while not is_ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    output.seek(0)
                    text = output.read()
                    if log and os.path.exists(log):
                        with open(log, errors="replace") as file:
                            text += file.read()
                    raise Unexpected(f"{command[0]} does not start: {text[-2000:]}")
                time.sleep(0.1)
            yield process
        finally:
            end(process)


def end(process):
    """Ends a server and all processes that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        for _ in range(END_SECONDS_MAX * 10):
            process.poll()
            # Raises once none of them is left.
            os.killpg(process.pid, 0)
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def listens(port):
    """Tells whether a server accepts connections on a port."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path
