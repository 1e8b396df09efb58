"""The client for asyncio and Trio."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from ._async_methods import AsyncMethods
from ._async_supervisor import AsyncSupervisor
from ._async_traffic import AsyncTraffic
from ._events import NO_EVENTS, EventQueue
from ._host import AsyncDeliverMail
from ._log_queue import Log
from ._loops import Loop, running_loop
from ._process import AFTER_FORK, CLOSING_SECONDS, Options, Process, StrPath
from ._reading import Reader, read_result
from ._requests import Request
from ._supervision import Backoff, OnExit, Supervision, supervision
from .errors import ClientClosed, PosternError
from .types import Event

Value = TypeVar("Value")


class AsyncPostern(AsyncMethods):
    """A client with its own process, for asyncio, Trio and anyio. The process ends with `close`, or with the
    `async with` block.

    A client can be created before an event loop runs. Its first use, usually `async with`, starts the process; from
    then on it belongs to that event loop. Any number of tasks of the loop can share it; their calls are in flight at
    the same time. A call whose task is cancelled ends at once; its reply is dropped when it arrives. The call may still
    take effect.

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
        env: Mapping[str, str | None] | None = None,
        log: Log | None = None,
        deliver_mail: AsyncDeliverMail | None = None,
        events: bool = False,
        events_after: int | None = None,
        wait_until_ready: bool = True,
        supervise: bool = False,
        on_exit: OnExit | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """Starts nothing yet.

        `async with` and `ready` start the process and wait until it serves. Without them, the first call starts it, and
        fails if it cannot serve.

        Args:
            data: The directory of the accounts, or `:memory:`; `./postern-data` by default.
            binary: The binary; by default the one that POSTERN_BIN names, or else the one that pip installed with this
                package, or else `postern` on the PATH.
            arguments: Further flags, such as `--no-email-confirmation`.
            cwd: The working directory of the process; by default that of this process.
            env: Variables that are added to the environment of this process or replace some of it; None removes one.
            log: Called on its own thread with each line that the process writes to stderr; by default the lines go to
                the logger `postern_accounts`, or to `sys.stderr` if logging is not configured. If it is slow, the
                process does not wait: 16 MiB of lines are buffered, and later lines are dropped.
            deliver_mail: Delivers each mail, in a task of its own; the flag `--mail host` is added. If it raises, or
                takes longer than 30 seconds, the process tries again later. Up to four mails are delivered at the same
                time.
            events: Whether the process sends the events of the audit trail, which `events()` returns, from now on; the
                flag `--events` is added.
            events_after: The same, but from the event after the one with this number, or with 0 from the earliest that
                is kept.
            wait_until_ready: Whether `async with` waits as `ready` does.
            supervise: Whether the process is started again after it has ended. Calls wait for the next process. A call
                that was in flight is sent once more if its method is idempotent, and fails with ProcessEnded otherwise.
                A store in memory cannot be supervised.
            on_exit: Called in the event loop at each end of a process and at each start that failed.
            backoff: The delays between the end of a process and the next start.

        Raises:
            PosternError: A store in memory is to be supervised.
            ValueError: `on_exit` or `backoff` was given without `supervise`, or `wait_until_ready=False` with it, or
                `on_exit` is a coroutine function.
        """
        settings = supervision(supervise, on_exit, backoff, data, wait_until_ready, log)
        options = Options(data, binary, arguments, cwd, env, log, deliver_mail is not None)
        queue = EventQueue(events_after) if events or events_after is not None else None
        self._connection = _AsyncConnection(options, deliver_mail, queue, settings)
        self._waits_until_ready = wait_until_ready
        super().__init__(self._connection.call_typed)

    @property
    def pid(self) -> int:
        """The process id; of a supervised client, that of the last process. PosternError before the first use."""
        traffic = self._connection.traffic
        if traffic is None:
            raise PosternError("no process was started: the first use in a coroutine starts it")
        return traffic.process.pid

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
            BinaryNotFound: The binary was not found.
            PosternError: The client belongs to another event loop, or none is running, or the system refuses to start
                the process.
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
        return _Events(self._connection)

    async def ready(self) -> None:
        """Waits until the process serves, and closes the client if it cannot. `async with` calls it.

        Raises:
            BinaryNotFound: The binary was not found.
            ProcessEnded: The process has ended before it served; the error has its last lines on stderr.
            CallTimeout: The process has not replied within 60 seconds.
            ProtocolError: The contract of the service does not fit that of this client.
            PosternError: The system refuses to start the process, no event loop is running, or a store in memory is
                supervised.
        """
        try:
            await self._connection.ready()
        except BaseException:
            await self._connection.close(0, is_shielded=True)
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
        await self._connection.close(CLOSING_SECONDS, is_shielded=True)


class _Events:
    """The events until the client is closed. No generator, because Trio warns about one that is not exhausted."""

    def __init__(self, connection: _AsyncConnection) -> None:
        self._connection = connection

    def __aiter__(self) -> _Events:
        return self

    async def __anext__(self) -> Event:
        try:
            return await self._connection.next_event()
        except ClientClosed:
            raise StopAsyncIteration from None


class _AsyncConnection:
    """The process of a client, or one process after another. The first use in an event loop starts it."""

    def __init__(
        self,
        options: Options,
        deliver_mail: AsyncDeliverMail | None,
        events: EventQueue | None,
        settings: Supervision | None,
    ) -> None:
        self._options = options
        self._deliver_mail = deliver_mail
        self._events = events
        self._settings = settings
        self._opened: tuple[Loop, AsyncTraffic | AsyncSupervisor] | None = None
        self._is_closed = False

    @property
    def has_events(self) -> bool:
        return self._events is not None

    @property
    def traffic(self) -> AsyncTraffic | AsyncSupervisor | None:
        """None before the first use."""
        return None if self._opened is None else self._opened[1]

    async def ready(self) -> None:
        await self._open().ready()

    async def next_event(self) -> Event:
        return await self._open().next_event()

    async def call_typed(self, method: str, params: Mapping[str, Any] | None, reader: Reader[Value]) -> Value:
        return read_result(method, await self.call(method, params), reader)

    async def call(self, method: str, params: object) -> Any:
        return await self._open().call(Request(method, params))

    async def close(self, timeout: float, is_shielded: bool = False) -> None:
        self._is_closed = True
        if self._opened is None or self._opened[1].is_of_another_process:
            return
        loop, traffic = self._opened
        self._check(loop, traffic)
        with loop.shield() if is_shielded else nullcontext():
            await traffic.close(timeout)

    def _open(self) -> AsyncTraffic | AsyncSupervisor:
        """The process, or the supervisor, of the running event loop; starts it at the first use."""
        if self._opened is None:
            if self._is_closed:
                raise ClientClosed
            loop = running_loop()
            start = partial(_start, self._options, self._deliver_mail, self._events, loop)
            supervised = self._settings and AsyncSupervisor(start, loop, self._settings, self._events)
            self._opened = loop, supervised or start()
            return self._opened[1]
        self._check(*self._opened)
        return self._opened[1]

    def _check(self, loop: Loop, traffic: AsyncTraffic | AsyncSupervisor) -> None:
        if traffic.is_of_another_process:
            raise PosternError(AFTER_FORK)
        if not loop.is_current:
            raise PosternError("this client belongs to another event loop: open one in each")

    def __del__(self) -> None:
        traffic = self.traffic
        if traffic is None or not traffic.is_open:
            return
        warnings.warn(f"Postern {traffic.process.pid} was not closed", ResourceWarning, source=self, stacklevel=2)
        traffic.abandon()


def _start(
    options: Options, deliver_mail: AsyncDeliverMail | None, events: EventQueue | None, loop: Loop
) -> AsyncTraffic:
    process = Process(options, [] if events is None else events.resume())
    with process.ended_on_failure():
        return AsyncTraffic(process, loop, deliver_mail, events)
