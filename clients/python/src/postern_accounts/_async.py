"""The client for asyncio."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

from ._async_methods import AsyncMethods
from ._calls import result_of
from ._contract import check_contract
from ._events import NO_EVENTS, EventQueue, flags
from ._host import AsyncDeliverMail, HostMessage, text_of
from ._link import Link
from ._process import CLOSING_SECONDS, OPENING_SECONDS, TERMINATION_SECONDS, Options, Process, StrPath
from ._reading import Reader, read_result
from ._requests import Request
from ._stderr import Log
from .errors import CallError, CallTimeout, ClientClosed, PosternError, ProcessEnded
from .types import Event

Value = TypeVar("Value")


class AsyncPostern(AsyncMethods):
    """A client with its own process. The process ends with `close`, or with the `async with` block.

    Any number of tasks of one event loop can share a client; their calls are in flight at the same time. A call whose
    task is cancelled ends at once; its reply is dropped when it arrives. The call may still take effect.

        async with AsyncPostern("accounts") as postern:
            operator = await postern.operators.signin(email="lasoren@bu.edu", password="a long password")
    """

    def __init__(
        self,
        data: StrPath | None = None,
        *,
        binary: StrPath | None = None,
        arguments: Sequence[str] = (),
        cwd: StrPath | None = None,
        env: Mapping[str, str] | None = None,
        log: Log | None = None,
        deliver_mail: AsyncDeliverMail | None = None,
        events: bool = False,
        events_after: int | None = None,
        wait_until_ready: bool = True,
    ) -> None:
        """Starts the process. The client belongs to the running event loop.

        `async with` and `ready` wait until the process serves. Without them, the first call fails if it cannot serve.

        Args:
            data: The directory of the accounts, or `:memory:`; `./postern-data` by default.
            binary: The binary; by default the one that POSTERN_BIN names, or else `postern` on the PATH.
            arguments: Further flags, such as `--no-email-confirmation`.
            cwd: The working directory of the process; by default that of this process.
            env: The environment of the process; by default a copy of this process's.
            log: Called on its own thread with each line that the process writes to stderr; by default the lines are
                printed to `sys.stderr`. If it is slow, the process does not wait: 16 MiB of lines are buffered, and
                later lines are dropped.
            deliver_mail: Delivers each mail, in a task of its own; the flag `--mail host` is added. If it raises, or
                takes longer than 30 seconds, the process tries again later. Up to four mails are delivered at the same
                time.
            events: Whether the process sends the events of the audit trail, which `events()` returns, from now on; the
                flag `--events` is added.
            events_after: The same, but from the event after the one with this number, or with 0 from the earliest that
                is kept.
            wait_until_ready: Whether `async with` waits as `ready` does.

        Raises:
            BinaryNotFound: The binary was not found.
            PosternError: No event loop is running, or the system refuses to start the process.
        """
        loop = _running_loop()
        if loop is None:
            raise PosternError("no event loop runs here: an AsyncPostern is opened in a coroutine")
        event_flags = flags(events, events_after)
        process = Process(Options(data, binary, arguments, cwd, env, log, deliver_mail is not None, event_flags))
        with process.ended_on_failure():
            queue = EventQueue(events_after) if event_flags else None
            self._connection = _AsyncConnection(process, loop, deliver_mail, queue)
        self._waits_until_ready = wait_until_ready
        super().__init__(self._connection.call_typed)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._connection.process.pid

    async def call(self, method: str, params: Mapping[str, Any] | Sequence[Any] | None = None) -> Any:
        """Calls any method by its name in the protocol, and returns its result as decoded JSON.

        Args:
            method: The name, such as `operators.signin`.
            params: The params; None sends a request without params.

        Raises:
            CallError: The service replied with an error.
            ProcessEnded: The process has ended. The call may have taken effect if it was in flight.
            ClientClosed: The client was closed before.
            MessageTooLong, TypeError, ValueError: The params cannot be sent; nothing was sent.
            PosternError: The client belongs to another event loop.
        """
        return await self._connection.call(method, params)

    def events(self) -> AsyncIterator[Event]:
        """The events of the audit trail, each after it is durable and in the order of `seq`. It waits for the next one,
        and ends when the client is closed.

        Keep the `seq` of the last event that was processed, and open the next client with it as `events_after`: no
        event is missed. An event can come again, always with the same `seq`. Each event comes from one of the
        iterators.

            async for event in postern.events():
                print(event.kind, event.account)

        While 1,000 events are not taken and no call is in flight, the client reads nothing, and the process holds the
        others back. With `deliver_mail`, mails wait too then. Calls get their replies all the same; the events that
        come between these are kept up to 20,000.

        Raises:
            EventsLost: More events were not taken, and later ones were dropped.
            ProcessEnded: The process has ended.
            PosternError: The client was opened without `events` and `events_after`, or belongs to another event loop.
        """
        if not self._connection.has_events:
            raise PosternError(NO_EVENTS)
        return _until_closed(self._connection)

    async def ready(self) -> None:
        """Waits until the process serves, and closes the client if it cannot. `async with` calls it.

        Raises:
            ProcessEnded: The process has ended before it served; the error has its last lines on stderr.
            CallTimeout: The process has not replied within 60 seconds.
            ProtocolError: The contract of the service is older than that of this client.
        """
        try:
            # An error reply also shows that the process serves.
            with suppress(CallError):
                check_contract(await asyncio.wait_for(self.call("system.info"), OPENING_SECONDS))
        except asyncio.TimeoutError:
            await self.close(0)
            raise CallTimeout(f"Postern has not answered within {OPENING_SECONDS:g} s") from None
        except BaseException:
            await self.close(0)
            raise

    async def close(self, timeout: float = CLOSING_SECONDS) -> None:
        """Refuses new calls, waits for the calls and deliveries in flight, and then until the process has exited.

        It is idempotent, and several tasks can call it. In the child of a fork it does nothing.

        Args:
            timeout: After how many seconds the process gets a SIGTERM; five seconds later it gets a SIGKILL.
        """
        await self._connection.close(timeout)

    async def __aenter__(self) -> AsyncPostern:
        if self._waits_until_ready:
            await self.ready()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


async def _until_closed(connection: _AsyncConnection) -> AsyncIterator[Event]:
    with suppress(ClientClosed):
        while True:
            yield await connection.next_event()


class _AsyncWaiter:
    """A task that waits for its reply."""

    __slots__ = ("future",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.future: asyncio.Future[object] = loop.create_future()

    def settle(self, outcome: object) -> None:
        # The task may have been cancelled.
        if not self.future.done():
            self.future.set_result(outcome)


class _AsyncTraffic:
    """The state that the client and the event loop share. The loop refers to this and not to the client, so that a
    client without other references is garbage."""

    def __init__(
        self,
        process: Process,
        loop: asyncio.AbstractEventLoop,
        deliver_mail: AsyncDeliverMail | None,
        events: EventQueue | None,
    ) -> None:
        self._deliver_mail = deliver_mail
        self._events = events
        # Set when there are new events, or no more follow.
        self._arrival = asyncio.Event()
        self._is_reading = True
        self._has_output_ended = False
        # The loop keeps only weak references to tasks.
        self._deliveries: set[asyncio.Task[None]] = set()
        self.link: Link[_AsyncWaiter] = Link(process, self._start_delivery if deliver_mail else None, events)
        self.has_ended = asyncio.Event()
        self._process = process
        self._loop = loop
        self._watches_stdin = False
        for descriptor in process.telling:
            loop.add_reader(descriptor, self._read)

    def send(self, waiter: _AsyncWaiter, request: Request) -> None:
        self.link.send(waiter, request)
        self._write()
        self._watch_stdout()

    def hang_up(self) -> None:
        self.link.hang_up()
        self._arrival.set()
        self._write()
        self._watch_stdout()

    async def next_event(self) -> Event:
        """The next event, for which it waits. Raises as `EventQueue.take`."""
        assert self._events is not None
        while True:
            event = self._events.take()
            self._watch_stdout()
            if event is not None:
                return event
            self._arrival.clear()
            await self._arrival.wait()

    def _watch_stdout(self) -> None:
        """Reads the output, or stops reading it while `is_holding`."""
        if self._has_output_ended or self._is_reading != self.link.is_holding:
            return
        self._is_reading = not self._is_reading
        if self._is_reading:
            self._loop.add_reader(self._process.stdout, self._read)
        else:
            self._loop.remove_reader(self._process.stdout)

    def _read(self) -> None:
        replies = self.link.read()
        if replies is not None:
            self.link.hand_out(replies)
            self._arrival.set()
            self._write()
            self._watch_stdout()
            return
        self._has_output_ended = True
        for descriptor in self._process.telling:
            self._loop.remove_reader(descriptor)
        # On a thread, because waiting for the exit blocks.
        threading.Thread(target=self._finish, name=f"postern-exit-{self._process.pid}", daemon=True).start()

    def _start_delivery(self, request: HostMessage) -> None:
        delivery = self._loop.create_task(self._deliver(request))
        self._deliveries.add(delivery)
        delivery.add_done_callback(self._deliveries.discard)

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
            self.link.answer(request, problem)
            self._write()

    def _finish(self) -> None:
        end = self._process.finish()
        # If the loop is closed, no task waits.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end, end)

    def _end(self, end: ProcessEnded) -> None:
        self.link.end(end)
        self._arrival.set()
        self._watch_stdin()
        self.has_ended.set()

    def _write(self) -> None:
        self.link.send_rest()
        self._watch_stdin()

    def _watch_stdin(self) -> None:
        if self.link.has_unsent == self._watches_stdin:
            return
        self._watches_stdin = self.link.has_unsent
        if self._watches_stdin:
            self._loop.add_writer(self._process.stdin, self._write)
        else:
            self._loop.remove_writer(self._process.stdin)


class _AsyncConnection:
    """A process, and the event loop that reads its output."""

    def __init__(
        self,
        process: Process,
        loop: asyncio.AbstractEventLoop,
        deliver_mail: AsyncDeliverMail | None,
        events: EventQueue | None,
    ) -> None:
        self.process = process
        self.has_events = events is not None
        self._loop = loop
        self.traffic = _AsyncTraffic(process, loop, deliver_mail, events)

    async def next_event(self) -> Event:
        self._check_loop()
        return await self.traffic.next_event()

    async def call_typed(self, method: str, params: Mapping[str, Any] | None, reader: Reader[Value]) -> Value:
        return read_result(method, await self.call(method, params), reader)

    async def call(self, method: str, params: object) -> Any:
        self._check_loop()
        waiter = _AsyncWaiter(self._loop)
        self.traffic.send(waiter, Request(method, params))
        return result_of(method, await waiter.future)

    async def close(self, timeout: float) -> None:
        if self.process.is_of_another_process:
            return
        self._check_loop()
        self.traffic.hang_up()
        for seconds, end in ((timeout, self.process.terminate), (TERMINATION_SECONDS, self.process.kill)):
            try:
                await asyncio.wait_for(self.traffic.has_ended.wait(), seconds)
            except asyncio.TimeoutError:
                end()
            else:
                return
        await self.traffic.has_ended.wait()

    def _check_loop(self) -> None:
        self.process.refuse_after_fork()
        if _running_loop() is not self._loop:
            raise PosternError("this client belongs to another event loop: open one in each")

    def __del__(self) -> None:
        if not self.process.is_running:
            return
        warnings.warn(f"Postern {self.process.pid} was not closed", ResourceWarning, source=self, stacklevel=2)
        try:
            self._loop.call_soon_threadsafe(self.traffic.hang_up)
        except RuntimeError:
            # The loop is closed.
            threading.Thread(target=self.process.close, daemon=True).start()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
