"""A server process, and the exchange of messages with it."""

import json
import os
import re
import subprocess
import tempfile
import threading

REPLY_SECONDS_MAX = 60


class Broken(Exception):
    """An invariant that did not hold."""


class Process:
    """A process that serves a directory, with one framing."""

    def __init__(self, binary, data, framing, flags):
        self.framing = framing
        self.errors = tempfile.TemporaryFile()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("POSTERN_")}
        self.process = subprocess.Popen(
            [binary, "--data", data, *flags], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.errors,
        )
        self.clock = None
        self.wait()

    def wait(self):
        """Starts the time limit for the next output."""
        if self.clock:
            self.clock.cancel()
        self.clock = threading.Timer(REPLY_SECONDS_MAX, self.process.kill)
        self.clock.start()

    def send(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        if self.framing == "header":
            data = b"Content-Length: %d\r\n\r\n" % len(data) + data
        else:
            data = data.replace(b"\n", b" ") + b"\n"
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def receive(self):
        """The next message. Raises `Broken` if there is none, or if its framing or JSON is invalid."""
        self.wait()
        if self.framing == "header":
            length = None
            while (line := self.process.stdout.readline()) not in (b"\r\n", b""):
                header = re.fullmatch(rb"Content-Length: (\d+)\r\n", line)
                if not header:
                    raise Broken(f"a wrong header: {line}")
                length = int(header[1])
            text = self.process.stdout.read(length or 0)
        else:
            text = self.process.stdout.readline()
        if not text:
            raise Broken(f"the process ended or timed out: {self.complaint()[-500:]}")
        try:
            return json.loads(text)
        except ValueError as error:
            raise Broken(f"no JSON: {error}: {text[:300]}") from None

    def end(self):
        """Ends the input. Returns the exit code and the rest of stdout."""
        self.wait()
        self.process.stdin.close()
        rest = self.process.stdout.read()
        code = self.process.wait()
        self.clock.cancel()
        return code, rest

    def kill(self):
        self.clock.cancel()
        self.process.kill()
        self.process.wait()

    def complaint(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")
