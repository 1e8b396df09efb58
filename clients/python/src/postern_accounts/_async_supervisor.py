"""Starts a process again after it has ended, for the calls of tasks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from ._async_traffic import AsyncTraffic
from ._calls import result_of
from ._events import EventQueue
from ._failures import anew
from ._loops import Loop, Notice, happens
from ._process import Process
from ._requests import Request
from ._supervision import Attempts, Restarts, Supervision
from .errors import ClientClosed, PosternError, ProcessEnded, ProtocolError
from .types import Event


class AsyncSupervisor:
    """One process after another, with the functions of an `AsyncTraffic`. A task waits for the end of each process, and
    starts the next one. Calls that find no process wait for it.

    The task refers to this and not to the client, so that a client without other references is garbage.
    """

    def __init__(
        self,
        open_traffic: Callable[[], AsyncTraffic],
        loop: Loop,
        settings: Supervision,
        events: EventQueue | None,
    ) -> None:
        """Starts the first process."""
        self._open = open_traffic
        self._loop = loop
        self._settings = settings
        self._events = events
        self._restarts = Restarts(settings.backoff)
        self._owner = os.getpid()
        # Another process serves, or none will follow.
        self._change = Notice(loop)
        self._closing = loop.event()
        self._is_closed = False
        self._has_finished = loop.event()
        self._final: PosternError | None = None
        self._traffic = open_traffic()
        # The process that serves; between two processes the last one.
        self._serving: AsyncTraffic | None = None
        loop.start(self._supervise)

    @property
    def process(self) -> Process:
        """The last process that was started."""
        return self._traffic.process

    @property
    def is_open(self) -> bool:
        """Whether a process runs or will follow."""
        # The supervision ends with its loop, the process does not.
        return not self.is_of_another_process and (self._final is None or self._traffic.is_open)

    @property
    def is_of_another_process(self) -> bool:
        """Whether this process is the child of a fork, and its parent opened the client."""
        return os.getpid() != self._owner

    async def ready(self) -> None:
        """Waits until a process serves. If the first one cannot, this raises, and nothing is restarted."""
        await self._running()

    async def call(self, request: Request) -> object:
        """The result of a call. Raises the errors of the client's `call`."""
        attempts = Attempts(request.method)
        try:
            return await self._result(request, attempts)
        except PosternError as error:
            attempts.raise_unknown_outcome(error)
            raise

    async def _result(self, request: Request, attempts: Attempts) -> object:
        while True:
            traffic = await self._running()
            try:
                waiter = traffic.send(request)
            except (ProcessEnded, ProtocolError):
                # Nothing was sent.
                continue
            outcome = await waiter.reply
            if traffic.failure is not None and not self._is_closed and attempts.repeats_after(outcome):
                continue
            return result_of(request.method, outcome)

    async def next_event(self) -> Event:
        """The next event, also of a later process. Raises as `EventQueue.take`."""
        assert self._events is not None
        while True:
            event = self._kept_event()
            if event is not None:
                return event
            try:
                traffic = await self._running()
            except PosternError:
                # Events of the last process may have come meanwhile.
                event = self._kept_event()
                if event is not None:
                    return event
                raise
            try:
                return await traffic.next_event()
            except (ProcessEnded, ProtocolError):
                if traffic.failure is None:
                    raise

    def _kept_event(self) -> Event | None:
        """An event that has arrived, if no process serves. If one does, `AsyncTraffic.next_event` takes it, and reads
        on."""
        assert self._events is not None
        serving = self._serving
        is_serving = serving is not None and serving.failure is None and self._final is None and not self._is_closed
        return None if is_serving else self._events.kept()

    def hang_up(self) -> None:
        """Refuses new calls, and ends the supervision and the process's input."""
        self._is_closed = True
        self._closing.set()
        self._change.give()
        self._traffic.hang_up()

    async def close(self, timeout: float) -> None:
        """Implements the client's `close`."""
        self.hang_up()
        await self._traffic.close(timeout)
        await self._has_finished.wait()

    def abandon(self) -> None:
        """Ends the supervision and the process, because the client is garbage. Can be called on any thread."""
        try:
            self._loop.call_from_thread(self.hang_up)
        except RuntimeError:
            # The loop has ended, and the supervision with it.
            self._traffic.abandon()

    async def _running(self) -> AsyncTraffic:
        """The process that serves, for which it waits."""
        while True:
            if self._is_closed:
                raise ClientClosed
            if self._final is not None:
                raise anew(self._final)
            if self._serving is not None and self._serving.failure is None:
                return self._serving
            await self._change.next.wait()

    async def _supervise(self) -> None:
        try:
            self._final = await self._start(self._traffic)
            if self._final is None:
                await self._restart_until_closed()
        finally:
            # Also if the task is cancelled, as at the end of the loop.
            self._final = self._final or ClientClosed()
            if self._events is not None:
                self._events.end(self._final)
            self._settings.end()
            self._has_finished.set()
            self._change.give()

    async def _restart_until_closed(self) -> None:
        while self._serving is not None:
            traffic = self._serving
            await traffic.has_ended.wait()
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
                if await happens(self._loop, self._closing, exit.delay):
                    return
                error, has_served, seconds = await self._restart(), False, 0.0

    async def _restart(self) -> PosternError | None:
        """Starts the next process; returns why it cannot serve."""
        if self._is_closed:
            return ClientClosed()
        try:
            self._traffic = self._open()
        except PosternError as error:
            return error
        return await self._start(self._traffic)

    async def _start(self, traffic: AsyncTraffic) -> PosternError | None:
        """Waits until the process serves, and ends it if it cannot; returns why."""
        try:
            await traffic.ready(is_supervised=True)
        except PosternError as error:
            await traffic.close(0)
            return error
        self._serving = traffic
        self._change.give()
        return None
