"""The client for threads."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from ._events import NO_EVENTS, EventQueue
from ._host import DeliverMail
from ._log_queue import Log
from ._process import AFTER_FORK, CLOSING_SECONDS, Options, Process, StrPath
from ._reading import Reader, read_result
from ._requests import Request
from ._supervision import Backoff, OnExit, supervision
from ._supervisor import Supervisor
from ._sync_methods import SyncMethods
from ._traffic import Traffic
from .errors import ClientClosed, PosternError
from .types import Event

Value = TypeVar("Value")


class Postern(SyncMethods):
    """A client with its own process. The process ends with `close`, or with the `with` block.

    Any number of threads can share a client; their calls are in flight at the same time.

        with Postern("accounts") as postern:
            operator = postern.operators.signin(email="lasoren@bu.edu", password="a long password")
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
        timeout: float | None = None,
        deliver_mail: DeliverMail | None = None,
        events: bool = False,
        events_after: int | None = None,
        wait_until_ready: bool = True,
        supervise: bool = False,
        on_exit: OnExit | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """Starts the process, and waits until it serves.

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
            timeout: How many seconds a call may take; None for no limit.
            deliver_mail: Delivers each mail, on a thread of its own; the flag `--mail host` is added. If it raises, or
                takes longer than 30 seconds, the process tries again later. Up to four mails are delivered at the same
                time.
            events: Whether the process sends the events of the audit trail, which `events()` returns, from now on; the
                flag `--events` is added.
            events_after: The same, but from the event after the one with this number, or with 0 from the earliest that
                is kept.
            wait_until_ready: Whether to wait for the reply to a `system.info`, so that a process that cannot serve
                (a wrong flag, a damaged store) fails here. Otherwise the first call fails.
            supervise: Whether the process is started again after it has ended. Calls wait for the next process. A call
                that was in flight is sent once more if its method is idempotent, and fails with ProcessEnded otherwise.
                A store in memory cannot be supervised.
            on_exit: Called on a thread of the client at each end of a process and at each start that failed.
            backoff: The delays between the end of a process and the next start.

        Raises:
            BinaryNotFound: The binary was not found.
            ProcessEnded: The process has ended before it served; the error has its last lines on stderr.
            CallTimeout: The process has not replied within 60 seconds.
            ProtocolError: The contract of the service does not fit that of this client.
            PosternError: The system refuses to start the process, or a store in memory is to be supervised.
            ValueError: `on_exit` or `backoff` was given without `supervise`, or `wait_until_ready=False` with it, or
                `on_exit` is a coroutine function.
        """
        settings = supervision(supervise, on_exit, backoff, data, wait_until_ready, log)
        options = Options(data, binary, arguments, cwd, env, log, deliver_mail is not None)
        queue = EventQueue(events_after) if events or events_after is not None else None
        start = partial(_start, options, deliver_mail, queue)
        if settings is not None:
            self._open(_Connection(Supervisor(start, settings, queue), queue is not None), timeout)
            return
        traffic = start()
        if wait_until_ready:
            try:
                traffic.ready()
            except BaseException:
                traffic.close(0)
                raise
        self._open(_Connection(traffic, queue is not None), timeout)

    def _open(self, connection: _Connection, timeout: float | None) -> None:
        self._connection = connection
        self._timeout = timeout
        super().__init__(partial(connection.call_typed, timeout))

    @property
    def pid(self) -> int:
        """The process id; of a supervised client, that of the last process."""
        return self._connection.traffic.process.pid

    def call(
        self, method: str, params: Mapping[str, Any] | Sequence[Any] | None = None, *, timeout: float | None = None
    ) -> Any:
        """Calls any method by its name in the protocol, and returns its result as decoded JSON.

        Args:
            method: The name, such as `operators.signin`.
            params: The params; None sends a request without params.
            timeout: How many seconds the call may take; by default the client's timeout.

        Raises:
            CallError: The service replied with an error.
            CallTimeout: The call took longer than its timeout. It may still take effect.
            ProcessEnded: The process has ended. The call may have taken effect if it was in flight.
            ClientClosed: The client was closed before.
            MessageTooLong, TypeError, ValueError: The params cannot be sent; nothing was sent.
        """
        return self._connection.call(method, params, self._timeout if timeout is None else timeout)

    def events(self) -> Iterator[Event]:
        """The events of the audit trail, each after it is durable and in the order of `seq`. It waits for the next one,
        and ends when the client is closed.

        Keep the `seq` of the last event that was processed, and open the next client with it as `events_after`: no
        event is missed. An event can come again, always with the same `seq`. Each event comes from one of the
        iterators.

            for event in postern.events():
                print(event.kind, event.account)

        While 1,000 events are not taken and no call is in flight, the client reads nothing, and the process holds the
        others back. With `deliver_mail`, mails wait too then. Calls get their replies all the same; the events that
        come between these are kept up to 20,000.

        Raises:
            EventsLost: More events were not taken, and later ones were dropped.
            ProcessEnded: The process has ended.
            PosternError: The client was opened without `events` and `events_after`.
        """
        if not self._connection.has_events:
            raise PosternError(NO_EVENTS)
        return _until_closed(self._connection)

    def with_timeout(self, seconds: float | None) -> Postern:
        """The same client with another timeout for its calls, in seconds; None for no limit."""
        other = Postern.__new__(Postern)
        other._open(self._connection, seconds)
        return other

    def close(self, timeout: float = CLOSING_SECONDS) -> None:
        """Refuses new calls, waits for the calls and deliveries in flight, and then until the process has exited.

        It is idempotent, and several threads can call it. In the child of a fork it does nothing.

        Args:
            timeout: After how many seconds the process gets a SIGTERM; five seconds later it gets a SIGKILL.
        """
        self._connection.close(timeout)

    def __enter__(self) -> Postern:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _until_closed(connection: _Connection) -> Iterator[Event]:
    with suppress(ClientClosed):
        while True:
            yield connection.next_event()


class _Connection:
    """A process that ends when this object is garbage, or one process after another."""

    def __init__(self, traffic: Traffic | Supervisor, has_events: bool) -> None:
        self.traffic = traffic
        self.has_events = has_events

    def next_event(self) -> Event:
        self._refuse_after_fork()
        return self.traffic.next_event()

    def call_typed(
        self, timeout: float | None, method: str, params: Mapping[str, Any] | None, reader: Reader[Value]
    ) -> Value:
        return read_result(method, self.call(method, params, timeout), reader)

    def call(self, method: str, params: object, timeout: float | None) -> object:
        self._refuse_after_fork()
        return self.traffic.call(Request(method, params), timeout)

    def close(self, timeout: float) -> None:
        if not self.traffic.is_of_another_process:
            self.traffic.close(timeout)

    def _refuse_after_fork(self) -> None:
        if self.traffic.is_of_another_process:
            raise PosternError(AFTER_FORK)

    def __del__(self) -> None:
        if self.traffic.is_open:
            pid = self.traffic.process.pid
            warnings.warn(f"Postern {pid} was not closed", ResourceWarning, source=self, stacklevel=2)
            self.traffic.abandon()


def _start(options: Options, deliver_mail: DeliverMail | None, events: EventQueue | None) -> Traffic:
    process = Process(options, [] if events is None else events.resume())
    with process.ended_on_failure():
        return Traffic(process, deliver_mail, events)
