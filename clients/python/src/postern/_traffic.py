"""Who reads for the threads that call.

Waking another thread takes longer than all else that a call does here. So a thread that calls while no other does reads
its reply itself. For all that this leaves undone there is an attendant, a thread that sleeps meanwhile: it reads when
several calls are in flight and the thread that read for them has its reply, when nobody waits for a reply any more, and
when the process is to end; and it writes what the process's stdin does not take at once.
"""

from __future__ import annotations

import select
import threading
import time
from contextlib import suppress
from functools import partial

from ._link import Link
from ._process import CLOSING_SECONDS, TERMINATION_SECONDS, Process
from ._requests import Request
from ._wake import Wake
from .errors import CallTimeout, PosternError


class _Waiter:
    """A thread that waits for its reply."""

    __slots__ = ("_pending", "is_settled", "outcome")

    def __init__(self) -> None:
        self.outcome: object = None
        self.is_settled = False
        self._pending = threading.Lock()
        self._pending.acquire()

    def settle(self, outcome: object) -> None:
        self.outcome = outcome
        self.is_settled = True
        with suppress(RuntimeError):
            self._pending.release()

    def wait(self, deadline: float | None) -> bool:
        """Whether the reply has come by a time."""
        if self.is_settled:
            return True
        return self._pending.acquire(timeout=-1 if deadline is None else max(0, deadline - time.monotonic()))


class Traffic:
    """The calls of all threads, and who reads for them. The attendant holds it, and so keeps no client alive.

    The handler of a Ctrl-C may raise anywhere in a call. What a call does to take the lead and hand it over can
    therefore be done twice.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._link: Link[_Waiter] = Link(process)
        self._lock = threading.Lock()
        self._closing = threading.Lock()
        self._wake = Wake()
        self._readable = select.poll()
        self._readable.register(process.stdout, select.POLLIN)
        # Who reads: a waiter, the attendant, for which this object itself stands, or nobody.
        self._leader: _Waiter | Traffic | None = None
        self._is_abandoned = False
        self._attendant = threading.Thread(target=self._attend, name=f"postern-{process.pid}", daemon=True)
        process.at_exit(partial(self.close, CLOSING_SECONDS))
        self._attendant.start()

    def call(self, request: Request, timeout: float | None) -> object:
        """The result of a call; raises what the client's `call` does."""
        deadline = None if timeout is None else time.monotonic() + timeout
        waiter = _Waiter()
        number = None
        try:
            with self._lock:
                number = self._link.send(waiter, request)
                self._find_leader(waiter)
            if self._leader is waiter:
                self._read_for(waiter, deadline)
                self._hand_over(waiter)
            has_come = waiter.wait(deadline)
        except BaseException:
            self._give_up(waiter, number)
            raise
        if not has_come and self._give_up(waiter, number):
            raise CallTimeout(f"{request.method} took longer than {timeout} s; it may still take effect")
        if isinstance(waiter.outcome, PosternError):
            raise waiter.outcome
        return waiter.outcome

    def _read_for(self, waiter: _Waiter, deadline: float | None) -> None:
        while not waiter.is_settled:
            if deadline is not None and not self._readable.poll(max(0, deadline - time.monotonic()) * 1_000):
                return
            if not self._link.read():
                return
            with self._lock:
                self._link.hand_out()

    def _hand_over(self, waiter: _Waiter) -> None:
        with self._lock:
            if self._leader is waiter:
                self._leader = None
            self._find_leader()

    def _give_up(self, waiter: _Waiter, number: int | None) -> bool:
        """Whether the reply has not come yet; it is dropped when it does."""
        with self._lock:
            is_missing = number is not None and self._link.drop(number)
        self._hand_over(waiter)
        return is_missing

    def _find_leader(self, waiter: _Waiter | None = None) -> None:
        """With the lock held: sees to it that somebody reads where something is to come, and that all is written."""
        if self._leader is None and waiter is not None and not self._link.has_unsent:
            self._leader = waiter
        elif self._leader is None and self._link.is_expecting:
            self._wake.ring()
            self._leader = self
        elif self._link.has_unsent:
            self._wake.ring()

    def _attend(self) -> None:
        watched: dict[int, int] = {}
        poll = select.poll()
        while True:
            with self._lock:
                if self._is_abandoned:
                    self._link.hang_up()
                self._link.send_rest()
                if self._leader is self:
                    self._link.hand_out()
                    self._leader = None
                if self._leader is None and self._link.is_expecting:
                    self._leader = self
                wanted = self._wanted()
            if wanted != watched:
                watched = wanted
                poll = select.poll()
                for descriptor, event in watched.items():
                    poll.register(descriptor, event)
            ready = [descriptor for descriptor, _ in poll.poll()]
            if self._wake.descriptor in ready:
                self._wake.reset()
            if self._process.stdout in ready and not self._link.read():
                break
        end = self._process.finish()
        with self._lock:
            self._link.hand_out()
            self._link.end(end)

    def _wanted(self) -> dict[int, int]:
        """What the attendant waits for."""
        wanted = {self._wake.descriptor: select.POLLIN}
        if self._leader is self:
            wanted[self._process.stdout] = select.POLLIN
        if self._link.has_unsent:
            wanted[self._process.stdin] = select.POLLOUT
        return wanted

    def close(self, timeout: float) -> None:
        """Does what the client's `close` does."""
        # A second closer waits for the first.
        with self._closing:
            with self._lock:
                self._link.hang_up()
            self._wake.ring()
            for seconds, end in ((timeout, self._process.terminate), (TERMINATION_SECONDS, self._process.kill)):
                self._attendant.join(seconds)
                if not self._attendant.is_alive():
                    return
                end()
            self._attendant.join()

    def abandon(self) -> None:
        """Says that nobody is left who could make a call; takes no lock, so that a finaliser can say it anywhere."""
        self._is_abandoned = True
        self._wake.ring()
