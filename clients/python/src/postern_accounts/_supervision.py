"""When a supervised client starts its process again, and what it reports."""

from __future__ import annotations

import inspect
import random
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from ._contract import UNSUPERVISABLE
from ._idempotent import IDEMPOTENT, READ_ONLY
from ._log_queue import Log, LogQueue
from .errors import CallTimeout, PosternError, ProcessEnded, ProtocolError


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """The delays between the end of a process and the start of the next one, in seconds."""

    first: float = 0.1
    """The delay before the first restart. Each further delay is twice as long."""
    max: float = 5.0
    """The longest delay."""
    jitter: float = 0.2
    """How much a delay varies: 0.2 for 20 % in both directions, so that many hosts do not start at the same time."""
    reset_after: float = 10.0
    """After a process has run for so long, the next delay is the first one again."""
    failed_starts_max: int = 10
    """The client gives up after so many starts in a row that did not serve; at least 1."""

    def __post_init__(self) -> None:
        seconds = min(self.first, self.max, self.reset_after)
        if seconds < 0 or not 0 <= self.jitter <= 1 or self.failed_starts_max < 1:
            raise ValueError(f"a value of {self} is out of range")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessExit:
    """The end of a process, or a start that failed."""

    error: PosternError
    """Why it ended: ProcessEnded, or another error of opening a client."""
    attempt: int
    """The number of the restart that follows, from 1, since a process has run for `Backoff.reset_after`."""
    failed_starts: int
    """How many starts in a row have failed."""
    delay: float | None
    """After how many seconds the process is started again; None if the client gives up."""

    @property
    def exit_code(self) -> int | None:
        """The exit code; None if a signal ended the process, or none was started."""
        return self.error.exit_code if isinstance(self.error, ProcessEnded) else None

    @property
    def signal_number(self) -> int | None:
        """The signal that ended the process; None if it exited, or none was started."""
        return self.error.signal_number if isinstance(self.error, ProcessEnded) else None

    @property
    def stderr_lines(self) -> tuple[str, ...]:
        """The last lines that the process wrote to stderr, at most 20."""
        return self.error.stderr_lines if isinstance(self.error, ProcessEnded) else ()


OnExit = Callable[[ProcessExit], None]
"""Called at each end of a process, before the delay."""


class Supervision:
    """The settings of a supervised client."""

    def __init__(self, backoff: Backoff, on_exit: OnExit | None, log: Log | None) -> None:
        self.backoff = backoff
        self._on_exit = on_exit
        self._log = log
        # Started for the first exception.
        self._exceptions: LogQueue | None = None

    def report(self, exit: ProcessExit) -> None:
        """Calls the program's function, which must not end the supervision. Does not wait for the log."""
        try:
            if self._on_exit is not None:
                self._on_exit(exit)
        except BaseException as error:
            # Even SystemExit ends only this call. Only Ctrl-C, which can be raised in an event loop of the main thread,
            # must end the program.
            if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
                raise
            self._log_exception()

    def end(self) -> None:
        """Ends the thread that logs exceptions, after the last one."""
        if self._exceptions is not None:
            self._exceptions.end()

    def _log_exception(self) -> None:
        text = f"on_exit raised an exception\n{traceback.format_exc().rstrip()}"
        if self._exceptions is None:
            queue = LogQueue(self._log, "postern-log-on-exit")
            try:
                queue.start()
            except RuntimeError:
                # The system has no thread left, and without one the log might block the next start.
                return
            self._exceptions = queue
        self._exceptions.put(text.encode(errors="replace"))


def supervision(
    supervise: bool,
    on_exit: OnExit | None,
    backoff: Backoff | None,
    data: object,
    wait_until_ready: bool,
    log: Log | None,
) -> Supervision | None:
    """The supervision that the options of a client ask for; None for none. Raises ValueError if they do not fit, and
    PosternError for a store in memory. `check_service` refuses one that the flags or the environment ask for."""
    if not supervise:
        if on_exit is not None or backoff is not None:
            raise ValueError("on_exit and backoff need supervise=True")
        return None
    if not wait_until_ready:
        raise ValueError("a supervised client waits until its first process serves")
    if data == ":memory:":
        raise PosternError(UNSUPERVISABLE)
    # It would return a coroutine, which does nothing.
    if inspect.iscoroutinefunction(on_exit) or inspect.iscoroutinefunction(type(on_exit).__call__):
        raise ValueError("on_exit is called without await: it must be a function without async")
    return Supervision(backoff or Backoff(), on_exit, log)


class Restarts:
    """Counts the ends of processes and the starts that failed."""

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff
        self._attempt = 0
        self._failed_starts = 0

    def exit(self, error: PosternError, has_served: bool, seconds: float) -> ProcessExit:
        """What to report and to do about an end.

        Args:
            has_served: Whether the process has served.
            seconds: How long it has run.
        """
        backoff = self._backoff
        self._failed_starts = 0 if has_served else self._failed_starts + 1
        self._attempt = 1 if seconds >= backoff.reset_after else self._attempt + 1
        # The exponent is bounded, because a float is.
        delay = min(backoff.first * 2 ** min(self._attempt - 1, 64), backoff.max)
        delay *= 1 + random.uniform(-backoff.jitter, backoff.jitter)
        gives_up = not has_served and self._failed_starts >= backoff.failed_starts_max
        return ProcessExit(
            error=error,
            attempt=self._attempt,
            failed_starts=self._failed_starts,
            delay=None if gives_up else delay,
        )


class Attempts:
    """How often one call is sent. A call that was not sent at all is sent to the next process in any case."""

    def __init__(self, method: str) -> None:
        self._method = method
        self._end: PosternError | None = None

    def repeats_after(self, outcome: object) -> bool:
        """Whether the call is sent once more, after the end of the process that it was sent to."""
        if not isinstance(outcome, (ProcessEnded, ProtocolError)):
            return False
        if not outcome._was_sent:
            return True
        if self._end is not None or self._method not in IDEMPOTENT:
            return False
        self._end = outcome
        return True

    def raise_unknown_outcome(self, error: PosternError) -> None:
        """Raises the end of the process if a call that changes something was in flight then, and its repetition fails.

        The first attempt may have taken effect. It may even be the reason for a refusal: the repetition of a
        registration finds that the email is taken.
        """
        # These say themselves that the outcome is unknown.
        if isinstance(error, (ProcessEnded, CallTimeout)):
            return
        if self._end is not None and self._method not in READ_ONLY:
            raise self._end from error
