"""Starts a process again after it has ended, for the calls of threads."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable

from ._calls import result_of
from ._events import EventQueue
from ._failures import anew
from ._process import Process
from ._requests import Request
from ._supervision import Attempts, Restarts, Supervision
from ._traffic import Traffic, bounded, too_late
from ._wake import Wake
from .errors import ClientClosed, PosternError, ProcessEnded, ProtocolError
from .types import Event


class Supervisor:
    """One process after another, with the functions of a `Traffic`. A thread waits for the end of each process, and
    starts the next one. Calls that find no process wait for it.

    The thread refers to this and not to the client, so that a client without other references is garbage.
    """

    def __init__(self, open_traffic: Callable[[], Traffic], settings: Supervision, events: EventQueue | None) -> None:
        """Starts the first process, and waits until it serves. If it cannot, this raises, and nothing is restarted."""
        self._open = open_traffic
        self._settings = settings
        self._events = events
        self._restarts = Restarts(settings.backoff)
        self._owner = os.getpid()
        # Notified when another process serves, or none will follow.
        self._change = threading.Condition()
        self._is_closed = False
        self._final: PosternError | None = None
        # Ends the pause between two processes.
        self._wake = Wake()
        self._traffic = self._serving = self._start(open_traffic())
        self._thread = threading.Thread(target=self._supervise, name="postern-supervisor", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            self._traffic.close(0)
            raise PosternError(f"Postern could not be opened: {error}") from error

    @property
    def process(self) -> Process:
        """The last process that was started."""
        return self._traffic.process

    @property
    def is_open(self) -> bool:
        """Whether a process runs or will follow."""
        if self.is_of_another_process:
            return False
        # After a `close` in `on_exit`, the thread is still alive.
        return self._traffic.is_open or (self._thread.is_alive() and not self._is_closed)

    @property
    def is_of_another_process(self) -> bool:
        """Whether this process is the child of a fork, and its parent opened the client."""
        return os.getpid() != self._owner

    def call(self, request: Request, timeout: float | None) -> object:
        """The result of a call. Raises the errors of the client's `call`."""
        attempts = Attempts(request.method)
        try:
            return self._result(request, timeout, attempts)
        except PosternError as error:
            attempts.raise_unknown_outcome(error)
            raise

    def _result(self, request: Request, timeout: float | None, attempts: Attempts) -> object:
        deadline = None if timeout is None else time.monotonic() + bounded(timeout)
        while True:
            traffic = self._running(request, timeout, deadline)
            try:
                waiter = traffic.send(request)
            except (ProcessEnded, ProtocolError):
                # Nothing was sent.
                continue
            if not waiter.wait(_seconds_until(deadline)):
                raise too_late(request, timeout)
            if traffic.failure is not None and not self._is_closed and attempts.repeats_after(waiter.outcome):
                continue
            return result_of(request.method, waiter.outcome)

    def next_event(self) -> Event:
        """The next event, also of a later process. Raises as `EventQueue.take`."""
        assert self._events is not None
        while True:
            event = self._kept_event()
            if event is not None:
                return event
            try:
                traffic = self._running(None, None, None)
            except PosternError:
                # Events of the last process may have come meanwhile.
                event = self._kept_event()
                if event is not None:
                    return event
                raise
            try:
                return traffic.next_event()
            except (ProcessEnded, ProtocolError):
                if traffic.failure is None:
                    raise

    def _kept_event(self) -> Event | None:
        """An event that has arrived, if no process serves. If one does, `Traffic.next_event` takes it, and reads on."""
        assert self._events is not None
        with self._change:
            is_serving = self._serving.failure is None and self._final is None and not self._is_closed
            return None if is_serving else self._events.kept()

    def close(self, timeout: float) -> None:
        """Implements the client's `close`."""
        with self._change:
            self._is_closed = True
            self._change.notify_all()
            traffic = self._traffic
        self._wake.ring()
        traffic.close(timeout)
        if threading.current_thread() is not self._thread:
            # It may be in the program's `on_exit`.
            self._thread.join(bounded(timeout))

    def abandon(self) -> None:
        """Ends the supervision and the process, because the client is garbage. Takes no lock, so that a finaliser can
        call it at any point."""
        self._is_closed = True
        self._wake.ring()
        self._traffic.abandon()

    def _running(self, request: Request | None, timeout: float | None, deadline: float | None) -> Traffic:
        """The process that serves, for which it waits."""
        with self._change:
            while True:
                if self._is_closed:
                    raise ClientClosed
                if self._final is not None:
                    raise anew(self._final)
                if self._serving.failure is None:
                    return self._serving
                if threading.current_thread() is self._thread:
                    raise PosternError("on_exit cannot make a call: the next process starts when it has returned")
                if not self._change.wait(_seconds_until(deadline)) and request is not None:
                    raise too_late(request, timeout)

    def _supervise(self) -> None:
        try:
            self._restart_until_closed()
        finally:
            # Even after a MemoryError, so that no call waits for ever.
            with self._change:
                self._final = self._final or ClientClosed()
                if self._events is not None:
                    self._events.end(self._final)
                self._change.notify_all()
            self._settings.end()

    def _restart_until_closed(self) -> None:
        while True:
            traffic = self._serving
            traffic.wait_for_end()
            error = traffic.failure
            has_served, seconds = True, time.monotonic() - traffic.opened
            while error is not None:
                if self._is_closed or traffic.is_closing:
                    return
                exit = self._restarts.exit(error, has_served, seconds)
                self._settings.report(exit)
                if exit.delay is None:
                    self._final = error
                    return
                self._pause(exit.delay)
                if self._is_closed:
                    return
                error, has_served, seconds = self._restart(), False, 0.0

    def _restart(self) -> PosternError | None:
        """Starts the next process; returns why it cannot serve."""
        try:
            traffic = self._open()
            with self._change:
                self._traffic = traffic
                # If `close` comes later, it closes this process.
                is_closed = self._is_closed
            if is_closed:
                traffic.close(0)
            self._start(traffic)
        except PosternError as error:
            return error
        with self._change:
            self._serving = traffic
            self._change.notify_all()
        return None

    def _start(self, traffic: Traffic) -> Traffic:
        """Waits until the process serves, and ends it if it cannot."""
        try:
            traffic.ready(is_supervised=True)
        except BaseException:
            traffic.close(0)
            raise
        return traffic

    def _pause(self, seconds: float) -> None:
        """Waits for so many seconds, or until the client is closed."""
        poll = select.poll()
        poll.register(self._wake.descriptor, select.POLLIN)
        poll.poll(seconds * 1_000)


def _seconds_until(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
