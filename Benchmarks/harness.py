"""The common code of the measurements: a running postern, its requests, the driver, and the stores."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import accounts

HERE = os.path.dirname(os.path.abspath(__file__))
BUILT = os.path.join(HERE, "..", ".build", "bench")
NATIVE = {
    "driver": ["driver.c"],
    "echo": ["native/echo.c"],
    "append": ["native/append.c"],
    "durable": ["native/durable.c"],
    "sqlite": ["native/sqlite.c", "-lsqlite3"],
    "hash": ["native/hash.c", "-lsodium", "-lpthread"],
    "delay": ["native/delay.c"],
}
# With this `provision`, `operators.clients.get` returns no clients.
LATEST = 10**9


def compile_native():
    os.makedirs(BUILT, exist_ok=True)
    for name, (source, *libraries) in NATIVE.items():
        subprocess.run(["gcc", "-O2", "-o", native(name), os.path.join(HERE, source), *libraries], check=True)


def native(name):
    return os.path.join(BUILT, name)


def run_native(name, *arguments):
    """Runs one of the C programs and returns its output."""
    output = subprocess.run([native(name), *map(str, arguments)], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output)


class Program:
    """A running program that answers request lines."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def call(self, method, **params):
        self.process.stdin.write(request(method, params))
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        assert "error" not in reply, reply
        return reply["result"]

    def driver(self, mode, lines, count, window, *others, **options):
        """Starts a driver on the pipes of this program; `lines` is the path of a file."""
        to, back = self.process.stdin.fileno(), self.process.stdout.fileno()
        words = [mode, to, back, lines, count, window, *others]
        return subprocess.Popen(
            [native("driver"), *map(str, words)], pass_fds=(to, back), stdout=subprocess.PIPE, **options
        )

    def drive(self, lines, count, window=1, refusal=None, tolerated=None):
        """Has the driver send `count` lines, and returns its measurements.

        At most `window` requests wait for a reply (0: as many as fit into the pipe). Each reply must be a result or, if
        `refusal` is given, an error with this text. Errors with the text `tolerated` are counted.
        """
        texts = {"BENCH_REFUSAL": refusal, "BENCH_TOLERATED": tolerated}
        environment = os.environ | {name: text for name, text in texts.items() if text}
        return result(self.driver("send", lines, count, window, env=environment))

    def status(self, name):
        """A field of /proc/PID/status that is in kilobytes, converted to megabytes."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(name + ":")) / 1_024

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        try:
            if error == (None, None, None):
                self.close()
        finally:
            # Also if the wait for its end was interrupted.
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()


def first_reply(line, count, *command):
    """Milliseconds from spawn to the first reply, the median of `count` starts."""
    return run_native("driver", "spawn", line, count, *command)["p50"] / 1_000


@contextlib.contextmanager
def on_core(number):
    """Pins this process, and the processes that it starts meanwhile, to core `number` modulo the number of cores."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(cores)[number % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def result(driver):
    """Waits for a driver, or a similar C program, and returns its output."""
    output = driver.communicate()[0]
    assert driver.returncode == 0, f"{driver.args} ended with {driver.returncode}"
    return json.loads(output)


class Bench:
    """The environment of a measurement: the binary, a working folder, the share of a full run, and the prepared stores."""

    def __init__(self, binary, share=1.0):
        self.binary = binary
        self.share = share
        self.root = tempfile.mkdtemp(prefix="postern-bench-", dir=os.environ.get("BENCH_DIR", "."))
        self.folder = None
        self.stores = {}
        # Ends with an exception, so that the stores are removed also if a time limit ends the benchmark.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("asked to end"))

    def count(self, number, least=20):
        """Scales a number of repetitions of a full run to this run."""
        return max(least, int(number * self.share))

    def fresh(self):
        """Creates an empty folder for the next measurement."""
        if self.folder:
            shutil.rmtree(self.folder)
        self.folder = tempfile.mkdtemp(dir=self.root)

    def path(self, name):
        return os.path.join(self.folder, name)

    def lines(self, requests, name="requests"):
        """Writes the requests to a file and returns its path."""
        with open(self.path(name), "wb") as file:
            file.writelines(requests)
        return self.path(name)

    def postern(self, data, *flags):
        return Program(self.binary, "--data", data, "--no-email-confirmation", *flags)

    def store(self, count, clients=0, each=0):
        """The path of a store with `count` operators with `each` clients, the first with `clients` more, all in the base.

        Creates it once. No measurement serves it: a process that only reads stores when sessions were used, at its end.
        """
        key = count, clients, each
        if key not in self.stores:
            path = os.path.join(self.root, f"store-{count}-{clients}-{each}")
            export = self.export(path + ".jsonl", *key)
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run([self.binary, "import", "--data", path, export], check=True, **quiet)
            os.unlink(export)
            self.stores[key] = path
        return self.stores[key]

    @staticmethod
    def export(path, count, clients=0, each=0):
        """Writes the lines of such a store to a file and returns its path."""
        with open(path, "w") as file:
            file.writelines(line + "\n" for line in accounts.lines(count, clients, each))
        return path

    def copy(self, count, clients=0, each=0, folder=None):
        """The path of a new copy of such a store, in `folder` or that of the measurement."""
        path = os.path.join(tempfile.mkdtemp(dir=folder or self.folder), "store")
        return shutil.copytree(self.store(count, clients, each), path, copy_function=share_base)

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)


def share_base(source, target):
    """Copies a file of a store. A finished base is never written to, so a hard link to it is enough."""
    is_base = os.path.basename(source).startswith("base-")
    os.link(source, target) if is_base else shutil.copyfile(source, target)


def request(method, params, id=1):
    return (json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}) + "\n").encode()


def session(number):
    """The session params of an operator in a store from accounts.py."""
    return {"user_id": number, "session_id": accounts.token(number)}


def read(number, provision=LATEST, id=1):
    return request("operators.clients.get", {**session(number), "provision": provision}, id)


def client(number):
    person = {"first_name": "Michael", "last_name": "Sorenson", "email": f"c{number}@bu.edu"}
    return {"user": person, "address": "14 Barnesdale Rd. Natick, MA 01760"}


def create(number, operator=1, id=1):
    return request("operators.client.create", {**session(operator), "client": client(number)}, id)
