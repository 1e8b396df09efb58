"""How the methods reach the process."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from ._reading import Reader

Value = TypeVar("Value")


class Call(Protocol):
    """Calls a method and reads its result."""

    def __call__(self, method: str, params: dict[str, Any] | None, reader: Reader[Value], /) -> Value:
        """Raises ProtocolError where the result is not as it should be, and else what the client's `call` does."""


class AsyncCall(Protocol):
    """The same for asyncio."""

    async def __call__(self, method: str, params: dict[str, Any] | None, reader: Reader[Value], /) -> Value:
        """Raises ProtocolError where the result is not as it should be, and else what the client's `call` does."""
