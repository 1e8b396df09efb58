"""Reads the stderr of the process: keeps the last lines for ProcessEnded, and passes all lines on to the host."""

from __future__ import annotations

import io
import os
import select
import threading
from collections import deque
from collections.abc import Callable

from ._log_queue import Log, LogQueue

# How many lines are kept for ProcessEnded.
_LAST_LINES = 20
# The longest line; a longer one is passed on in pieces.
_LINE_BYTES = 1 << 20
_READ_BYTES = 65_536
# How long `last_lines` waits for the reader, and then for the log.
_LAST_LINES_SECONDS = 1


class StderrReader:
    """Reads the pipe on one thread, so that it never fills. The log is called on another, because it may be slow."""

    def __init__(self, pipe: io.FileIO, log: Log | None, pid: int, at_end: Callable[[], object]) -> None:
        self._pipe = pipe
        self._log = LogQueue(log, f"postern-log-{pid}")
        self._at_end = at_end
        self._last: deque[bytes] = deque(maxlen=_LAST_LINES)
        self._reader = threading.Thread(target=self._read, name=f"postern-stderr-{pid}", daemon=True)
        os.set_blocking(pipe.fileno(), False)

    def start(self) -> None:
        """Starts the threads. Raises RuntimeError if the system has no threads left."""
        self._reader.start()
        self._log.start()

    def last_lines(self) -> tuple[str, ...]:
        """The last lines, after the process has ended. Waits up to 1 s for the reader and 1 s for the log."""
        if self._reader.is_alive():
            self._reader.join(_LAST_LINES_SECONDS)
        self._log.join(_LAST_LINES_SECONDS)
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
        self._log.end()
        self._at_end()

    def _take(self, line: bytes) -> None:
        self._last.append(line)
        self._log.put(line)
