"""Shells at a pseudo-terminal, whose own line editors complete what is typed."""

import contextlib
import os
import pty
import select
import shlex
import signal
import time

ANSWER_SECONDS_MAX = 30


class Shell:
    """A shell whose key ^X^A inserts all completions of the word before the cursor, and whose key ^X^P reports the line.

    `start` is a script: it ends with a command that writes a line to the file descriptor 3.
    """

    def __init__(self, command, start, folder, variables):
        reports, report = os.pipe()
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.dup2(report, 3)
            os.chdir(folder)
            os.execvpe(command[0], command, variables)
        os.close(report)
        self.reports = reports
        self.buffer = b""
        self.screen = b""
        self.send(f". {shlex.quote(start)}\r")
        self.report()

    def send(self, keys):
        os.write(self.terminal, keys.encode())

    def report(self):
        """Returns the next line that the shell reports. It reads the terminal, so that the shell never waits for it."""
        end = time.monotonic() + ANSWER_SECONDS_MAX
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left < 0:
                raise TimeoutError(f"the shell reports nothing; its terminal shows {self.screen[-500:]!r}")
            ready, _, _ = select.select([self.terminal, self.reports], [], [], left)
            if self.terminal in ready:
                self.screen += os.read(self.terminal, 65_536)
            if self.reports in ready:
                self.buffer += os.read(self.reports, 65_536)
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode()

    def completed(self, line):
        """Returns the line after the completion of its last word, with all completions inserted."""
        # ^U: deletes the line.
        self.send("\x15" + line + "\x18\x01\x18\x10")
        return self.report()

    def close(self):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        for descriptor in (self.terminal, self.reports):
            with contextlib.suppress(OSError):
                os.close(descriptor)
