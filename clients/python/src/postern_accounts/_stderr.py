"""Reads the stderr of the process: keeps the last lines for ProcessEnded, and passes all lines on to the host."""

from __future__ import annotations

import io
import os
import select
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from ._logging import log_line
from ._signals import without_sigpipe

Log = Callable[[str], object]

# How many lines are kept for ProcessEnded.
_LAST_LINES = 20
# The longest line; a longer one is passed on in pieces.
_LINE_BYTES = 1 << 20
_READ_BYTES = 65_536
# How many bytes of lines are buffered for a slow log.
_WAITING_BYTES = 16 << 20
# How long `last_lines` waits for the reader, and then for the log.
_LAST_LINES_SECONDS = 1


class StderrReader:
    """Reads the pipe on one thread, so that it never fills, and calls the log on another, because the log may be slow
    or a full pipe."""

    def __init__(self, pipe: io.FileIO, log: Log | None, pid: int, at_end: Callable[[], object]) -> None:
        self._pipe = pipe
        self._log = log or log_line
        self._at_end = at_end
        self._last: deque[bytes] = deque(maxlen=_LAST_LINES)
        # The lines to pass on, and None after the last line.
        self._waiting: deque[bytes | None] = deque()
        self._waiting_bytes = 0
        self._left_out = 0
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, name=f"postern-stderr-{pid}", daemon=True)
        self._passer = threading.Thread(target=self._pass_on, name=f"postern-log-{pid}", daemon=True)
        os.set_blocking(pipe.fileno(), False)

    def start(self) -> None:
        """Starts the threads. Raises RuntimeError if the system has no threads left."""
        self._reader.start()
        self._passer.start()

    def last_lines(self) -> tuple[str, ...]:
        """The last lines, after the process has ended. Waits up to 1 s for the reader and 1 s for the log."""
        for thread in (self._reader, self._passer):
            if thread.is_alive() and thread is not threading.current_thread():
                thread.join(_LAST_LINES_SECONDS)
        return tuple(line.decode(errors="replace") for line in tuple(self._last))

    def close(self) -> None:
        """Closes the pipe in the child of a fork, which has no thread that reads it."""
        self._pipe.close()

    def close_unless_read(self) -> None:
        """Closes the pipe if no thread reads it. If one does, that thread closes it."""
        if not self._reader.is_alive():
            self._pipe.close()

    def _read(self) -> None:
        # A blocking read would stop all greenlets of the host under gevent; poll does not.
        poll = select.poll()
        poll.register(self._pipe.fileno(), select.POLLIN)
        begun = b""
        with self._pipe:
            while True:
                poll.poll()
                try:
                    chunk = os.read(self._pipe.fileno(), _READ_BYTES)
                except BlockingIOError:
                    continue
                if not chunk:
                    break
                *lines, begun = (begun + chunk).split(b"\n")
                for line in lines:
                    self._take(line)
                while len(begun) > _LINE_BYTES:
                    self._take(begun[:_LINE_BYTES])
                    begun = begun[_LINE_BYTES:]
        if begun:
            self._take(begun)
        with self._changed:
            self._waiting.append(None)
            self._changed.notify()
        self._at_end()

    def _take(self, line: bytes) -> None:
        self._last.append(line)
        with self._changed:
            if self._waiting_bytes + len(line) > _WAITING_BYTES:
                self._left_out += 1
                return
            self._waiting.append(line)
            self._waiting_bytes += len(line)
            self._changed.notify()

    def _pass_on(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                line = self._waiting.popleft()
                if line is None:
                    return
                self._waiting_bytes -= len(line)
                left_out, self._left_out = self._left_out, 0
            self._hand_over(line.decode(errors="replace"))
            if left_out:
                self._hand_over(f"postern: {left_out} lines of its stderr are left out, as the log is slow")

    def _hand_over(self, line: str) -> None:
        try:
            self._log(line)
        except Exception:
            # The next lines are passed on even if the log raises. Without a stderr, print_exc would write to stdout.
            if sys.stderr is not None:
                with suppress(Exception), without_sigpipe():
                    traceback.print_exc()
