"""The calls of threads: each thread writes its request and waits. One thread, the attendant, reads all replies. Each
mail that the client delivers has a thread of its own."""

from __future__ import annotations

import select
import threading
import time
from contextlib import suppress
from functools import partial

from ._calls import result_of
from ._contract import check_service
from ._events import EventQueue
from ._failures import anew
from ._host import DeliverMail, HostMessage, text_of
from ._link import Link
from ._process import CLOSING_SECONDS, OPENING_SECONDS, TERMINATION_SECONDS, Process
from ._requests import Request
from ._wake import Wake
from .errors import CallError, CallTimeout, PosternError
from .types import Event


class Waiter:
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
        """Whether the reply arrives within so many seconds. After a timeout nothing is cleaned up; a later reply is
        settled as usual."""
        return self._pending.acquire(timeout=-1 if seconds is None else seconds)


class Traffic:
    """The calls of all threads. The attendant thread refers to this and not to the client, so that a client without
    other references is garbage.

    The handler of Ctrl-C may raise anywhere in the main thread. Therefore a calling thread writes a request only if the
    pipe has room for all of it. The attendant, which runs no signal handlers, writes all other requests, and reads.
    """

    def __init__(self, process: Process, deliver_mail: DeliverMail | None, events: EventQueue | None) -> None:
        self.process = process
        self.opened = time.monotonic()
        """When it was opened, in seconds of the monotonic clock."""
        self._deliver_mail = deliver_mail
        self._events = events
        self._link: Link[Waiter] = Link(process, self._start_delivery if deliver_mail else None, events)
        self._lock = threading.Lock()
        # Notified when there are new events, or no more follow.
        self._arrival = threading.Condition(self._lock)
        # Reentrant: a signal handler may call `close` on a thread that is in `close`.
        self._closing = threading.RLock()
        self._wake = Wake()
        self._is_abandoned = False
        # Whether the attendant does not read.
        self._is_paused = False
        self._attendant = threading.Thread(target=self._attend, name=f"postern-{process.pid}", daemon=True)
        # Before the start of the attendant, which deregisters the process if it ends at once.
        process.at_exit(partial(self.close, CLOSING_SECONDS))
        self._attendant.start()

    @property
    def is_open(self) -> bool:
        """Whether the process was not yet seen to end."""
        return self.process.is_running

    @property
    def is_of_another_process(self) -> bool:
        """Whether this process is the child of a fork, and its parent opened the client."""
        return self.process.is_of_another_process

    @property
    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._link.is_closing

    @property
    def failure(self) -> PosternError | None:
        """Why all calls fail; None while the process serves."""
        return self._link.failure

    def send(self, request: Request) -> Waiter:
        """Sends a request. Raises as `Link.send`."""
        waiter = Waiter()
        with self._lock:
            self._link.send(waiter, request)
            if self._link.has_unsent:
                self._wake.ring()
            self._resume()
        return waiter

    def call(self, request: Request, timeout: float | None) -> object:
        """The result of a call. Raises the errors of the client's `call`."""
        seconds = None if timeout is None else bounded(timeout)
        waiter = self.send(request)
        if not waiter.wait(seconds):
            raise too_late(request, timeout)
        return result_of(request.method, waiter.outcome)

    def ready(self, is_supervised: bool = False) -> None:
        """Waits until the process serves. Raises as the opening of a client."""
        # An error reply also shows that the process serves.
        with suppress(CallError):
            check_service(self.call(Request("system.info", None), OPENING_SECONDS), is_supervised)

    def wait_for_end(self) -> None:
        """Waits until all calls have ended and the process has exited."""
        self._attendant.join()

    def next_event(self) -> Event:
        """The next event, for which it waits. Raises as `EventQueue.take`."""
        assert self._events is not None
        with self._arrival:
            while True:
                event = self._events.take()
                self._resume()
                if event is not None:
                    return event
                if self._link.failure is not None:
                    # A supervised client continues the queue with another process.
                    raise anew(self._link.failure)
                self._arrival.wait()

    def _resume(self) -> None:
        """Wakes the attendant if it does not read and should. The lock must be held."""
        if self._is_paused and not self._link.is_holding:
            self._is_paused = False
            self._wake.ring()

    def _attend(self) -> None:
        try:
            self._move()
        finally:
            # Even after a MemoryError, so that no call waits for ever.
            end = self.process.finish()
            with self._lock:
                self._link.end(end)
                self._arrival.notify_all()

    def _move(self) -> None:
        """Reads replies, and writes unsent bytes, until the process has ended."""
        poll = select.poll()
        poll.register(self._wake.descriptor, select.POLLIN)
        for descriptor in self.process.output_descriptors:
            poll.register(descriptor, select.POLLIN)
        is_writing = False
        is_reading = True
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._wake.descriptor in ready:
                self._wake.reset()
            replies = self._link.read() if ready.intersection(self.process.output_descriptors) else []
            if replies is None:
                return
            with self._lock:
                self._link.hand_out(replies)
                if self._is_abandoned:
                    self._link.hang_up()
                self._link.send_rest()
                has_unsent = self._link.has_unsent
                self._is_paused = is_holding = self._link.is_holding
                self._arrival.notify_all()
            if has_unsent and not is_writing:
                poll.register(self.process.stdin, select.POLLOUT)
            elif is_writing and not has_unsent:
                poll.unregister(self.process.stdin)
            is_writing = has_unsent
            if is_holding and is_reading:
                poll.unregister(self.process.stdout)
            elif not is_holding and not is_reading:
                poll.register(self.process.stdout, select.POLLIN)
            is_reading = not is_holding

    def _start_delivery(self, request: HostMessage) -> None:
        thread = threading.Thread(
            target=self._deliver, args=(request,), name=f"postern-mail-{self.process.pid}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            self._link.answer(request, text_of(error))

    def _deliver(self, request: HostMessage) -> None:
        problem: str | None = None
        try:
            assert self._deliver_mail is not None
            self._deliver_mail(request.mail())
        except BaseException as error:
            # Even SystemExit ends only this thread, and the process must get an answer.
            problem = text_of(error)
        with self._lock:
            self._link.answer(request, problem)
            self._wake.ring()

    def close(self, timeout: float) -> None:
        """Implements the client's `close`."""
        # A second thread waits for the first.
        with self._closing:
            with self._lock:
                self._link.hang_up()
                self._arrival.notify_all()
            self._wake.ring()
            for seconds, end in ((timeout, self.process.terminate), (TERMINATION_SECONDS, self.process.kill)):
                self._attendant.join(bounded(seconds))
                if not self._attendant.is_alive():
                    return
                end()
            self._attendant.join()

    def abandon(self) -> None:
        """Makes the attendant close the process, because the client is garbage. Takes no lock, so that a finaliser can
        call it at any point."""
        self._is_abandoned = True
        self._wake.ring()


def too_late(request: Request, timeout: float | None) -> CallTimeout:
    """The error of a call whose timeout is over."""
    return CallTimeout(f"{request.method} took longer than {timeout} s; it may still take effect")


def bounded(seconds: float) -> float:
    """The seconds, limited to the range that a lock can wait for."""
    return min(max(0, seconds), threading.TIMEOUT_MAX)
