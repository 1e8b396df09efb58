"""The client for threads."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from ._process import CLOSING_SECONDS, OPENING_SECONDS, Options, Process, StrPath
from ._reading import Reader, read_result
from ._requests import Request
from ._stderr import Log
from ._sync_methods import SyncMethods
from ._traffic import Traffic
from .errors import CallError

Value = TypeVar("Value")


class Postern(SyncMethods):
    """A Postern of one's own: a process that is started here and ends with `close`, or with the `with` block.

    Any number of threads may share one; their calls are in flight at the same time.

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
        env: Mapping[str, str] | None = None,
        log: Log | None = None,
        timeout: float | None = None,
        wait_until_ready: bool = True,
    ) -> None:
        """Starts the process, and waits until it serves.

        Args:
            data: The directory that keeps the accounts, or `:memory:`; `./postern-data` if nothing is said.
            binary: The program; else what the environment's POSTERN_BIN names, else `postern` on the PATH.
            arguments: Further flags, such as `--no-email-confirmation`.
            cwd: The directory to run in, if not the current one.
            env: The environment of the process, if not a copy of this one's.
            log: Called on a thread of its own with each line that the process writes to stderr; if not given, the
                lines are printed to `sys.stderr`. It may be slow: the process never waits for it, and past 16 MiB of
                lines that wait some are left out.
            timeout: How many seconds a call may take; None for as long as it takes.
            wait_until_ready: Whether to wait for the reply to a `system.info`, so that a process that cannot serve
                (a wrong flag, a damaged store) fails here. Otherwise the first call fails.

        Raises:
            BinaryNotFound: There is no such program.
            ProcessEnded: It has ended before it served; the error has its last lines on stderr.
            CallTimeout: It has not answered within 60 seconds.
            PosternError: The system refuses to start it.
        """
        process = Process(Options(data, binary, arguments, cwd, env, log))
        with process.ended_on_failure():
            connection = _Connection(process)
        if wait_until_ready:
            try:
                connection.wait_until_ready()
            except BaseException:
                connection.close(0)
                raise
        self._open(connection, timeout)

    def _open(self, connection: _Connection, timeout: float | None) -> None:
        self._connection = connection
        self._timeout = timeout
        super().__init__(partial(connection.call_typed, timeout))

    @property
    def pid(self) -> int:
        """The number that the system knows the process by."""
        return self._connection.process.pid

    def call(
        self, method: str, params: Mapping[str, Any] | Sequence[Any] | None = None, *, timeout: float | None = None
    ) -> Any:
        """Calls any method by its name on the wire, and gives its result as JSON has it.

        Args:
            method: The name, such as `operators.signin`.
            params: The params; None for none at all.
            timeout: How many seconds it may take, if not the client's own timeout.

        Raises:
            CallError: The service answered with an error.
            CallTimeout: It took too long. It may still take effect.
            ProcessEnded: The process has ended. The call may have taken effect if it was in flight.
            ClientClosed: The client was closed before.
            MessageTooLong, TypeError, ValueError: This cannot be sent; it was not.
        """
        return self._connection.call(method, params, self._timeout if timeout is None else timeout)

    def with_timeout(self, seconds: float | None) -> Postern:
        """The same client, whose calls may take so many seconds; None for as long as they take."""
        other = Postern.__new__(Postern)
        other._open(self._connection, seconds)
        return other

    def close(self, timeout: float = CLOSING_SECONDS) -> None:
        """Takes no further calls, lets those in flight end, and waits until the process has exited.

        It may be called again, and from several threads. In the child of a fork it does nothing.

        Args:
            timeout: After how many seconds the process gets a SIGTERM; five seconds later it is killed.
        """
        self._connection.close(timeout)

    def __enter__(self) -> Postern:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _Connection:
    """A process, which ends when nobody holds this any more."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.traffic = Traffic(process)

    def call_typed(
        self, timeout: float | None, method: str, params: Mapping[str, Any] | None, reader: Reader[Value]
    ) -> Value:
        return read_result(method, self.call(method, params, timeout), reader)

    def call(self, method: str, params: object, timeout: float | None) -> object:
        self.process.refuse_after_fork()
        return self.traffic.call(Request(method, params), timeout)

    def wait_until_ready(self) -> None:
        # An error that the service answers with is an answer as well.
        with suppress(CallError):
            self.call("system.info", None, OPENING_SECONDS)

    def close(self, timeout: float) -> None:
        if not self.process.is_of_another_process:
            self.traffic.close(timeout)

    def __del__(self) -> None:
        if self.process.is_running:
            warnings.warn(f"Postern {self.process.pid} was not closed", ResourceWarning, source=self, stacklevel=2)
            self.traffic.abandon()
