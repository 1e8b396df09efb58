"""The errors that any call can raise. `postern_accounts.errors` exports them, and `__module__` names that module."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from typing import TypeVar


class PosternError(Exception):
    """The base of all errors of this package."""

    __module__ = "postern_accounts.errors"

    _was_sent = True
    """False if no process could read the request of the call, so that any call can be sent again."""


class CallError(PosternError):
    """The service replied to a call with an error. Each known slug has a subclass."""

    __module__ = "postern_accounts.errors"

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(code, message, data)
        self.code = code
        """The error code."""
        self.message = message
        """The message, for people."""
        self.data = data
        """The error's data as decoded JSON."""

    def __str__(self) -> str:
        return self.message

    @property
    def errors(self) -> tuple[str, ...]:
        """All slugs of the error."""
        slugs = self._property("errors")
        return tuple(slug for slug in slugs if isinstance(slug, str)) if isinstance(slugs, list) else ()

    @property
    def slug(self) -> str | None:
        """The first of `errors`; None for an error without slugs, such as that of an unknown method."""
        return next(iter(self.errors), None)

    @property
    def field(self) -> str | None:
        """The path of the invalid param: `user.email`."""
        field = self._property("field")
        return field if isinstance(field, str) else None

    @property
    def retry_after(self) -> int | None:
        """How many seconds to wait before a retry."""
        seconds = self._property("retry_after")
        return seconds if isinstance(seconds, int) else None

    def _property(self, name: str) -> object:
        return self.data.get(name) if isinstance(self.data, Mapping) else None


class ProcessEnded(PosternError):
    """The process ended before the client was closed. The outcome of the calls in flight is unknown: each may have
    taken effect."""

    __module__ = "postern_accounts.errors"

    def __init__(self, exit_code: int | None, signal_number: int | None, stderr_lines: Sequence[str] = ()) -> None:
        super().__init__(exit_code, signal_number, tuple(stderr_lines))
        self.exit_code = exit_code
        """The exit code; None if a signal ended the process."""
        self.signal_number = signal_number
        """The signal that ended the process; None if it exited."""
        self.stderr_lines = tuple(stderr_lines)
        """The last lines that the process wrote to stderr, at most 20."""

    def __str__(self) -> str:
        lines = "".join(f"\n    {line}" for line in self.stderr_lines)
        said = f" Its last lines on stderr:{lines}" if lines else " It wrote nothing to stderr."
        return f"Postern {self._end}. Of a call that was in flight, the outcome is unknown.{said}"

    @property
    def _end(self) -> str:
        if self.exit_code is not None:
            return f"exited with code {self.exit_code}"
        if self.signal_number is None:
            return "closed its stdout and did not exit"
        try:
            return f"was ended by signal {self.signal_number} ({signal.Signals(self.signal_number).name})"
        except ValueError:
            return f"was ended by signal {self.signal_number}"


class ClientClosed(PosternError):
    """A call was made after the client was closed."""

    __module__ = "postern_accounts.errors"

    def __init__(self, message: str = "this client is closed") -> None:
        super().__init__(message)


class EventsLost(PosternError):
    """The program took events so slowly that later ones were dropped. All before them were delivered. A new client with
    `events_after` gets the others."""

    __module__ = "postern_accounts.errors"

    def __init__(self, after: int | None) -> None:
        super().__init__(after)
        self.after = after
        """The number of the last event that was delivered; None if there was none."""

    def __str__(self) -> str:
        return f"events were dropped after number {self.after}, because the program did not take them"


class BinaryNotFound(PosternError):
    """The binary was not found. The message lists where the client looked."""

    __module__ = "postern_accounts.errors"


class MessageTooLong(PosternError):
    """A request is longer than the service accepts. It was not sent; later calls work."""

    __module__ = "postern_accounts.errors"


class ProtocolError(PosternError):
    """The output is not JSON-RPC, or a result does not match the contract.

    Output that is not JSON-RPC ends the client. If a result lacks a property, or has one of another type, the error
    names the method and the property, and the client continues; the call has taken effect.
    """

    __module__ = "postern_accounts.errors"


class CallTimeout(PosternError, TimeoutError):
    """A call took longer than its timeout. Its reply is dropped when it arrives. The call may still take effect."""

    __module__ = "postern_accounts.errors"


Failure = TypeVar("Failure", bound=PosternError)


def anew(failure: Failure) -> Failure:
    """A copy of the error. Each caller raises its own copy, because raising an error extends its traceback."""
    return type(failure)(*failure.args)
