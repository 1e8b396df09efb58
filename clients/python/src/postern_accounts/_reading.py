"""Checks results and converts their properties."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from typing import Any, TypeVar

from .errors import ProtocolError

Value = TypeVar("Value")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
Reader = Callable[[object], Value]


class Mismatch(ValueError):
    """A result lacks a property, or has one of another type."""

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(problem, path)
        self.problem = problem
        self.path = path

    def __str__(self) -> str:
        return f"result{self.path} {self.problem}"

    def within(self, path: str) -> Mismatch:
        """The same mismatch, with the path from the value that contains this one."""
        return Mismatch(self.problem, path + self.path)


def read_result(method: str, result: object, reader: Reader[Value]) -> Value:
    """Reads the result of a method. Raises ProtocolError if it does not match the contract."""
    try:
        return reader(result)
    except Mismatch as mismatch:
        raise ProtocolError(f"{method}: {mismatch}") from None


def read(members: dict[str, Any], name: str, reader: Reader[Value]) -> Value:
    """Reads a required property."""
    if name not in members:
        raise Mismatch("is missing", f".{name}")
    try:
        return reader(members[name])
    except Mismatch as mismatch:
        raise mismatch.within(f".{name}") from None


def read_optional(members: dict[str, Any], name: str, reader: Reader[Value]) -> Value | None:
    """Reads an optional property; None if it is absent."""
    return read(members, name, reader) if name in members else None


def nullable(reader: Reader[Value]) -> Reader[Value | None]:
    """Reads a value that may be null."""
    return lambda value: None if value is None else reader(value)


def listed(reader: Reader[Value]) -> Reader[tuple[Value, ...]]:
    """Reads a list."""

    def read_list(value: object) -> tuple[Value, ...]:
        if not isinstance(value, list):
            raise Mismatch("is no list")
        elements: list[Value] = []
        try:
            for element in value:
                elements.append(reader(element))
        except Mismatch as mismatch:
            raise mismatch.within(f"[{len(elements)}]") from None
        return tuple(elements)

    return read_list


def string(value: object) -> str:
    """Reads a string."""
    if isinstance(value, str):
        return value
    raise Mismatch("is no string")


choice: Reader[Any] = string
"""Reads a string that has choices. Accepts any string, because a newer service may have more choices."""


def integer(value: object) -> int:
    """Reads an integer."""
    if isinstance(value, int) and value is not True and value is not False:
        return value
    raise Mismatch("is no integer")


def boolean(value: object) -> bool:
    """Reads true or false."""
    if isinstance(value, bool):
        return value
    raise Mismatch("is neither true nor false")


def time(value: object) -> datetime:
    """Reads a time, such as 2016-02-24T22:07:52.371513Z."""
    if isinstance(value, str) and value.endswith("Z"):
        try:
            # Python 3.10 does not parse the Z.
            return datetime.fromisoformat(value[:-1] + "+00:00")
        except ValueError:
            pass
    raise Mismatch("is no time")


def epoch(value: object) -> datetime:
    """Reads a Unix time in seconds."""
    try:
        return _EPOCH + timedelta(seconds=integer(value))
    except OverflowError:
        raise Mismatch("is no time") from None


def day(value: object) -> date:
    """Reads a date, such as 1970-12-31."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise Mismatch("is no date")


def object_members(value: object) -> dict[str, Any]:
    """Reads an object whose properties the caller reads."""
    if isinstance(value, dict):
        return value
    raise Mismatch("is no object")


def any_object(value: object) -> dict[str, Any]:
    """Reads an object and keeps it as decoded JSON."""
    return object_members(value)


def nothing(value: object) -> None:
    """Reads null."""
    if value is not None:
        raise Mismatch("is not null")
