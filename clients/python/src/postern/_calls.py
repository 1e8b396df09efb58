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
        """Raises ProtocolError where the result is not as it should be, and else what the client's `call` does."""


def result_of(method: str, outcome: object) -> object:
    """What a call came to; an error is raised, of the class that the API of the method has for its slug."""
    if isinstance(outcome, CallError):
        slug = outcome.slug or ""
        # Errors of the service itself may come from any method.
        known = BY_API.get(method.partition(".")[0], {}).get(slug) or BY_API["service"].get(slug)
        if known is not None:
            raise known(outcome.code, outcome.message, outcome.data)
    if isinstance(outcome, PosternError):
        raise outcome
    return outcome
