"""The calls of threads: each writes its request, and then waits for the one thread that reads for all."""

from __future__ import annotations

import select
import threading
from functools import partial

from ._calls import result_of
from ._link import Link
from ._process import CLOSING_SECONDS, TERMINATION_SECONDS, Process
from ._requests import Request
from ._wake import Wake
from .errors import CallTimeout


class _Waiter:
    """A thread that waits for its reply."""

    __slots__ = ("_pending", "outcome")

    def __init__(self) -> None:
        self.outcome: object = None
        self._pending = threading.Lock()
        self._pending.acquire()

    def settle(self, outcome: object) -> None:
        self.outcome = outcome
        self._pending.release()

    def wait(self, seconds: float | None) -> bool:
        """Whether the reply has come within a time. Who gives up just goes; the reply is settled all the same."""
        return self._pending.acquire(timeout=-1 if seconds is None else seconds)


class Traffic:
    """The calls of all threads. Its own thread, the attendant, holds it, and so keeps no client alive.

    The handler of a Ctrl-C may raise anywhere in the main thread. Therefore a call itself writes a request only where
    the pipe takes it whole; the attendant, whom no handler interrupts, writes the others, and reads.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._link: Link[_Waiter] = Link(process)
        self._lock = threading.Lock()
        # A signal's handler may close what the thread beneath it is closing.
        self._closing = threading.RLock()
        self._wake = Wake()
        self._is_abandoned = False
        self._attendant = threading.Thread(target=self._attend, name=f"postern-{process.pid}", daemon=True)
        # Before the attendant, which takes it back where the process ends at once.
        process.at_exit(partial(self.close, CLOSING_SECONDS))
        self._attendant.start()

    def call(self, request: Request, timeout: float | None) -> object:
        """The result of a call; raises what the client's `call` does."""
        seconds = None if timeout is None else _bounded(timeout)
        waiter = _Waiter()
        with self._lock:
            self._link.send(waiter, request)
            if self._link.has_unsent:
                self._wake.ring()
        if not waiter.wait(seconds):
            raise CallTimeout(f"{request.method} took longer than {timeout} s; it may still take effect")
        return result_of(request.method, waiter.outcome)

    def _attend(self) -> None:
        try:
            self._move()
        finally:
            # Also where memory ran out, so that nobody waits for ever.
            end = self._process.finish()
            with self._lock:
                self._link.end(end)

    def _move(self) -> None:
        """Reads what comes, and writes what the pipe did not take at once, until the process has ended."""
        poll = select.poll()
        poll.register(self._wake.descriptor, select.POLLIN)
        for descriptor in self._process.telling:
            poll.register(descriptor, select.POLLIN)
        is_writing = False
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._wake.descriptor in ready:
                self._wake.reset()
            replies = self._link.read() if ready.intersection(self._process.telling) else []
            if replies is None:
                return
            with self._lock:
                self._link.hand_out(replies)
                if self._is_abandoned:
                    self._link.hang_up()
                self._link.send_rest()
                has_unsent = self._link.has_unsent
            if has_unsent and not is_writing:
                poll.register(self._process.stdin, select.POLLOUT)
            elif is_writing and not has_unsent:
                poll.unregister(self._process.stdin)
            is_writing = has_unsent

    def close(self, timeout: float) -> None:
        """Does what the client's `close` does."""
        # A second closer waits for the first.
        with self._closing:
            with self._lock:
                self._link.hang_up()
            self._wake.ring()
            for seconds, end in ((timeout, self._process.terminate), (TERMINATION_SECONDS, self._process.kill)):
                self._attendant.join(_bounded(seconds))
                if not self._attendant.is_alive():
                    return
                end()
            self._attendant.join()

    def abandon(self) -> None:
        """Says that nobody is left who could make a call; takes no lock, so that a finaliser can say it anywhere."""
        self._is_abandoned = True
        self._wake.ring()


def _bounded(seconds: float) -> float:
    """A time that a lock can wait for."""
    return min(max(0, seconds), threading.TIMEOUT_MAX)
