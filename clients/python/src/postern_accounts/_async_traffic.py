"""The calls of tasks: the event loop writes their requests and reads the replies. Each mail that the client delivers
has a task of its own."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from functools import partial

from ._calls import result_of
from ._contract import check_service
from ._events import EventQueue
from ._failures import anew
from ._host import AsyncDeliverMail, HostMessage, text_of
from ._link import Link
from ._loops import AsyncWaiter, Loop, Notice, happens
from ._process import OPENING_SECONDS, TERMINATION_SECONDS, Process
from ._requests import Request
from .errors import CallError, CallTimeout, PosternError, ProcessEnded
from .types import Event


class AsyncTraffic:
    """A process, and the event loop that reads its output. The loop refers to this and not to the client, so that a
    client without other references is garbage."""

    def __init__(
        self,
        process: Process,
        loop: Loop,
        deliver_mail: AsyncDeliverMail | None,
        events: EventQueue | None,
    ) -> None:
        self.process = process
        self.opened = time.monotonic()
        """When it was opened, in seconds of the monotonic clock."""
        self.has_ended = loop.event()
        """Set when all calls have ended and the process has exited."""
        self._deliver_mail = deliver_mail
        self._events = events
        # There are new events, or no more follow.
        self._arrival = Notice(loop)
        self._is_reading = True
        self._has_output_ended = False
        self._link: Link[AsyncWaiter] = Link(process, self._start_delivery if deliver_mail else None, events)
        self._loop = loop
        self._watches_stdin = False
        for descriptor in process.output_descriptors:
            loop.add_reader(descriptor, self._read)

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

    def send(self, request: Request) -> AsyncWaiter:
        """Sends a request. Raises as `Link.send`."""
        waiter = self._loop.waiter()
        self._link.send(waiter, request)
        self._write()
        self._watch_stdout()
        return waiter

    async def call(self, request: Request) -> object:
        """The result of a call. Raises the errors of the client's `call`."""
        return result_of(request.method, await self.send(request).reply)

    async def ready(self, is_supervised: bool = False) -> None:
        """Waits until the process serves. Raises as the client's `ready`."""
        # An error reply also shows that the process serves.
        with suppress(CallError):
            try:
                info = await self._loop.within(OPENING_SECONDS, partial(self.call, Request("system.info", None)))
            except TimeoutError:
                raise CallTimeout(f"Postern has not answered within {OPENING_SECONDS:g} s") from None
            check_service(info, is_supervised)

    async def next_event(self) -> Event:
        """The next event, for which it waits. Raises as `EventQueue.take`."""
        assert self._events is not None
        while True:
            event = self._events.take()
            self._watch_stdout()
            if event is not None:
                return event
            if self._link.failure is not None:
                # A supervised client continues the queue with another process.
                raise anew(self._link.failure)
            await self._arrival.next.wait()

    def hang_up(self) -> None:
        """Refuses new calls, and ends the process's input after those in flight."""
        self._link.hang_up()
        self._arrival.give()
        self._write()
        self._watch_stdout()

    async def close(self, timeout: float) -> None:
        """Implements the client's `close`."""
        self.hang_up()
        for seconds, end in ((timeout, self.process.terminate), (TERMINATION_SECONDS, self.process.kill)):
            if await happens(self._loop, self.has_ended, seconds):
                return
            end()
        await self.has_ended.wait()

    def abandon(self) -> None:
        """Closes the process, because the client is garbage. A finaliser can call it on any thread."""
        try:
            self._loop.call_from_thread(self.hang_up)
        except RuntimeError:
            # The loop has ended.
            threading.Thread(target=self.process.close, daemon=True).start()

    def _watch_stdout(self) -> None:
        """Reads the output, or stops reading it while `is_holding`."""
        if self._has_output_ended or self._is_reading != self._link.is_holding:
            return
        self._is_reading = not self._is_reading
        if self._is_reading:
            self._loop.add_reader(self.process.stdout, self._read)
        else:
            self._loop.remove_reader(self.process.stdout)

    def _read(self) -> None:
        replies = self._link.read()
        if replies is not None:
            self._link.hand_out(replies)
            if self._events is not None:
                self._arrival.give()
            self._write()
            self._watch_stdout()
            return
        if self._has_output_ended:
            return
        self._has_output_ended = True
        for descriptor in self.process.output_descriptors:
            if self._is_reading or descriptor != self.process.stdout:
                self._loop.remove_reader(descriptor)
        # On a thread, because waiting for the exit blocks.
        threading.Thread(target=self._finish, name=f"postern-exit-{self.process.pid}", daemon=True).start()

    def _start_delivery(self, request: HostMessage) -> None:
        self._loop.start(partial(self._deliver, request))

    async def _deliver(self, request: HostMessage) -> None:
        problem: str | None = "the delivery was cancelled"
        try:
            assert self._deliver_mail is not None
            await self._deliver_mail(request.mail())
            problem = None
        except Exception as error:
            problem = text_of(error)
        finally:
            # Also if the task is cancelled, as at the end of the loop.
            self._link.answer(request, problem)
            self._write()

    def _finish(self) -> None:
        end = self.process.finish()
        # If the loop has ended, no task waits.
        with suppress(RuntimeError):
            self._loop.call_from_thread(partial(self._end, end))

    def _end(self, end: ProcessEnded) -> None:
        self._link.end(end)
        self._arrival.give()
        self._watch_stdin()
        self.has_ended.set()

    def _write(self) -> None:
        self._link.send_rest()
        self._watch_stdin()

    def _watch_stdin(self) -> None:
        if self._link.has_unsent == self._watches_stdin:
            return
        self._watches_stdin = self._link.has_unsent
        if self._watches_stdin:
            self._loop.add_writer(self.process.stdin, self._write)
        else:
            self._loop.remove_writer(self.process.stdin)
