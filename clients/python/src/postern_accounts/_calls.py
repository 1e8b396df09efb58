"""The types of the functions with which the generated methods call the process."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from ._reading import Reader
from .errors import BY_API, CallError, PosternError

Value = TypeVar("Value")


class Call(Protocol):
    """Calls a method and reads its result."""

    def __call__(self, method: str, params: dict[str, Any] | None, reader: Reader[Value], /) -> Value:
        """Raises ProtocolError if `reader` rejects the result, and the errors of the client's `call`."""


class AsyncCall(Protocol):
    """The same for asyncio."""

    async def __call__(self, method: str, params: dict[str, Any] | None, reader: Reader[Value], /) -> Value:
        """Raises ProtocolError if `reader` rejects the result, and the errors of the client's `call`."""


def result_of(method: str, outcome: object) -> object:
    """The result of a call. Raises its error, in the class of its slug in the API of the method."""
    if isinstance(outcome, CallError):
        slug = outcome.slug or ""
        # Any method can end with an error of the service itself.
        known = BY_API.get(method.partition(".")[0], {}).get(slug) or BY_API["service"].get(slug)
        if known is not None:
            raise known(outcome.code, outcome.message, outcome.data)
    if isinstance(outcome, PosternError):
        raise outcome
    return outcome
