"""Calls the log of the host, which may be slow or a full pipe."""

from __future__ import annotations

import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from ._logging import log_line
from ._signals import without_sigpipe

Log = Callable[[str], object]

# How many bytes of lines are buffered for a slow log.
_WAITING_BYTES = 16 << 20


class LogQueue:
    """Calls the log on a thread of its own. Nothing else waits for the log."""

    def __init__(self, log: Log | None, name: str) -> None:
        self._log = log or log_line
        # The lines to pass on, and None after the last line.
        self._waiting: deque[bytes | None] = deque()
        self._waiting_bytes = 0
        self._left_out = 0
        self._changed = threading.Condition()
        self._passer = threading.Thread(target=self._pass_on, name=name, daemon=True)

    def start(self) -> None:
        """Starts the thread. Raises RuntimeError if the system has no threads left."""
        self._passer.start()

    def put(self, line: bytes) -> None:
        """Adds a line, or drops it if 16 MiB of lines wait."""
        with self._changed:
            if self._waiting_bytes + len(line) > _WAITING_BYTES:
                self._left_out += 1
                return
            self._waiting.append(line)
            self._waiting_bytes += len(line)
            self._changed.notify()

    def end(self) -> None:
        """Ends the thread after the last line."""
        with self._changed:
            self._waiting.append(None)
            self._changed.notify()

    def join(self, seconds: float) -> None:
        """Waits so many seconds for the end of the thread. It may be called by the log."""
        if self._passer.is_alive() and self._passer is not threading.current_thread():
            self._passer.join(seconds)

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
