"""Encodes requests."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone

from ._bounds import MESSAGE_BYTES_MAX, NESTING_DEPTH_MAX
from .errors import MessageTooLong


def wire_value(value: object) -> object:
    """The JSON value of a date, or of a time: UTC with microseconds. Raises TypeError for other values that JSON cannot
    represent."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, datetime):
        # The message has only the type, because the value may be a password.
        raise TypeError(f"a {type(value).__name__} cannot be a param")
    if value.tzinfo is None:
        raise ValueError(f"the time {value} has no time zone")
    return value.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=wire_value).encode


class Request:
    """A request without its id.

    It refuses requests that the service would reply to without an id, because no caller would get such a reply.
    """

    __slots__ = ("_rest", "method")

    def __init__(self, method: str, params: object) -> None:
        self.method = method
        text = _encode(method) if params is None else f'{_encode(method)},"params":{_encode(params)}'
        if text.count("{") + text.count("[") >= NESTING_DEPTH_MAX and _depth(params) >= NESTING_DEPTH_MAX:
            raise ValueError(f"{method}: params are nested deeper than a request's {NESTING_DEPTH_MAX} levels")
        self._rest = f',"method":{text}}}\n'.encode()

    def line(self, number: int) -> bytes:
        """The line to send. Raises MessageTooLong if it is longer than the service accepts."""
        line = b'{"jsonrpc":"2.0","id":%d%b' % (number, self._rest)
        if len(line) - 1 > MESSAGE_BYTES_MAX:
            raise MessageTooLong(f"{self.method}: a request of {len(line) - 1} bytes; {MESSAGE_BYTES_MAX} is the most")
        return line


def _depth(value: object) -> int:
    """The nesting depth of objects and arrays, counted up to NESTING_DEPTH_MAX."""
    depth = 0
    level = [value]
    while depth < NESTING_DEPTH_MAX:
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            break
        depth += 1
    return depth


def _inner(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values()) or [None]
    return list(value) or [None] if isinstance(value, (list, tuple)) else []
