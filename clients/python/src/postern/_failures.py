"""What can go wrong with a call, whatever the method; handed out by `postern.errors`, under whose name it goes."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from typing import TypeVar


class PosternError(Exception):
    """The base of all errors of this package."""

    __module__ = "postern.errors"


class CallError(PosternError):
    """The service answered a call with an error. Errors that have a slug are of a class of its own."""

    __module__ = "postern.errors"

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(code, message, data)
        self.code = code
        """The error's number."""
        self.message = message
        """What is wrong, for a person."""
        self.data = data
        """What came with the error, as it came."""

    def __str__(self) -> str:
        return self.message

    @property
    def errors(self) -> tuple[str, ...]:
        """All that is wrong, as fixed words."""
        slugs = self._member("errors")
        return tuple(slug for slug in slugs if isinstance(slug, str)) if isinstance(slugs, list) else ()

    @property
    def slug(self) -> str | None:
        """The first of `errors`; None for an error without any, such as a method that there is not."""
        return next(iter(self.errors), None)

    @property
    def field(self) -> str | None:
        """The param at fault, with dots where it is within another: `user.email`."""
        field = self._member("field")
        return field if isinstance(field, str) else None

    @property
    def retry_after(self) -> int | None:
        """After how many seconds it is worth trying again."""
        seconds = self._member("retry_after")
        return seconds if isinstance(seconds, int) else None

    def _member(self, name: str) -> object:
        return self.data.get(name) if isinstance(self.data, Mapping) else None


class ProcessEnded(PosternError):
    """The process ended while it was needed. Whether the calls in flight took effect is not known."""

    __module__ = "postern.errors"

    def __init__(self, exit_code: int | None, signal_number: int | None, stderr_lines: Sequence[str] = ()) -> None:
        super().__init__(exit_code, signal_number, tuple(stderr_lines))
        self.exit_code = exit_code
        """What it exited with; None where a signal ended it."""
        self.signal_number = signal_number
        """The signal that ended it; None where it exited."""
        self.stderr_lines = tuple(stderr_lines)
        """The last lines that it wrote to stderr, 20 at most."""

    def __str__(self) -> str:
        lines = "".join(f"\n    {line}" for line in self.stderr_lines)
        said = f" Its last lines on stderr:{lines}" if lines else " It said nothing on stderr."
        return f"Postern {self._end}; whether the calls in flight took effect is not known.{said}"

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

    __module__ = "postern.errors"

    def __init__(self, message: str = "this client is closed") -> None:
        super().__init__(message)


class BinaryNotFound(PosternError):
    """There is no binary to run at any of the places that were looked at, which the message names."""

    __module__ = "postern.errors"


class MessageTooLong(PosternError):
    """A request is longer than the service takes. It was not sent; the next call is served."""

    __module__ = "postern.errors"


class ProtocolError(PosternError):
    """A reply is not what it should be.

    Where the stream itself is broken, the client ends with it. Where a single result lacks a member, or has one of
    another type, the error names the method and the member, and the client goes on; the call has taken effect.
    """

    __module__ = "postern.errors"


class CallTimeout(PosternError, TimeoutError):
    """A call took longer than its timeout. Its reply is dropped when it comes; it may still take effect."""

    __module__ = "postern.errors"


Failure = TypeVar("Failure", bound=PosternError)


def anew(failure: Failure) -> Failure:
    """The same error once more: each caller raises one of its own, as a traceback grows where an error is raised."""
    return type(failure)(*failure.args)
