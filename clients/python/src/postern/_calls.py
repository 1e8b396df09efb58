"""The types of the functions with which the generated methods call the process."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from ._reading import Reader

Value = TypeVar("Value")


class Call(Protocol):
    """Calls a method and reads its result."""

    def __call__(self, method: str, params: dict[str, Any] | None, reader: Reader[Value], /) -> Value:
        """Raises ProtocolError if `reader` rejects the result, and the errors of the client's `call`."""


class AsyncCall(Protocol):
    """The same for asyncio."""

    async def __call__(self, method: str, params: dict[str, Any] | None, reader: Reader[Value], /) -> Value:
        """Raises ProtocolError if `reader` rejects the result, and the errors of the client's `call`."""
