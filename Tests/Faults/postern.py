"""The real binary: run as a command, or as a server over pipes."""

import json
import os
import select
import signal
import subprocess
import tempfile

REPLY_SECONDS_MAX = 60


class Broken(Exception):
    """A guarantee that was not kept, with the evidence."""


class Gone(Exception):
    """The process ended, or closed its output, before it replied."""


class Program:
    """A Postern binary.

    `preload` and `environment` determine its shims; `before` is put before its command line, such as strace.
    """

    def __init__(self, path, preload=(), environment=None, before=()):
        self.path = os.path.abspath(path)
        self.preload, self.environment, self.before = tuple(preload), dict(environment or {}), list(before)

    def under(self, *shims, before=(), **environment):
        """The same program with more shims and environment variables."""
        merged = {**self.environment, **{name: str(value) for name, value in environment.items()}}
        return Program(self.path, self.preload + shims, merged, list(before) + self.before)

    def start(self, *arguments, **options):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("POSTERN_")}
        environment.update(self.environment)
        command = [*self.before, self.path, *arguments]
        if self.preload:
            # Set with env(1) right before the program, so that strace does not load the shim.
            place = len(self.before)
            command[place:place] = ["env", "LD_PRELOAD=" + ":".join(self.preload)]
        return subprocess.Popen(command, env=environment, **options)

    def run(self, command, data, *flags):
        """Runs a command on a directory. Returns the exit code, stdout and stderr."""
        process = self.start(
            command, *flags, "--data", data, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            output, errors = process.communicate(timeout=REPLY_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Broken(f"postern {command} had not ended after {REPLY_SECONDS_MAX} s") from None
        return process.returncode, output.decode(errors="replace"), errors.decode(errors="replace")

    def knows(self, command):
        """Whether the program has a command."""
        if not hasattr(self, "_help"):
            self._help = self.start("help", stdout=subprocess.PIPE).communicate(timeout=10)[0].decode()
        return any(line.split()[:2] == ["postern", command] for line in self._help.splitlines())

    def serve(self, data, *flags):
        return Server(self, data, flags)


class Server:
    """A process that serves a directory."""

    def __init__(self, program, data, flags):
        self._errors = tempfile.TemporaryFile()
        self.process = program.start(
            "--no-email-confirmation", *flags, "--data", data, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._errors, bufsize=0,
        )
        self._buffer = b""
        self._last_id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def send(self, method, **params):
        """Sends a request. Its reply is read later."""
        self.send_all([(method, params)])

    def send_all(self, requests):
        """Sends requests in one write."""
        # Requests may wait, for example for a lock, and no two waiting requests may have the same id.
        lines = []
        for method, params in requests:
            self._last_id += 1
            lines.append(json.dumps({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}))
        data = memoryview("".join(line + "\n" for line in lines).encode())
        try:
            while data:
                data = data[self.process.stdin.write(data):]
        except (BrokenPipeError, ValueError):
            raise Gone from None

    def receive(self, seconds=REPLY_SECONDS_MAX):
        """The next reply.

        Raises `Gone` if there is none.
        """
        while b"\n" not in self._buffer:
            if not select.select([self.process.stdout], [], [], seconds)[0]:
                raise Broken(f"no reply within {seconds} s")
            data = self.process.stdout.read(1 << 20)
            if not data:
                raise Gone
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line)

    def ask(self, method, seconds=REPLY_SECONDS_MAX, **params):
        """Sends a request and returns its reply."""
        self.send(method, **params)
        return self.receive(seconds)

    def close(self):
        """Ends the input and waits for the process to end. Returns the exit code."""
        try:
            self.process.stdin.close()
            code = self.process.wait(timeout=REPLY_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Broken(f"not ended {REPLY_SECONDS_MAX} s after its input") from None
        self.process.stdout.close()
        return code

    def kill(self):
        """Kills the process, as a crash would end it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()

    @property
    def errors(self):
        """The text on stderr so far."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")
