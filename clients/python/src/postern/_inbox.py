"""Cuts what the process writes into replies."""

from __future__ import annotations

import json
import os
from collections import deque

from .errors import BY_SLUG, CallError, ProtocolError

_READ_BYTES = 262_144

# The number of a call, and its result or a PosternError.
Reply = tuple[int, object]
_NO_CALL = 0


class Inbox:
    """What came, as chunks, the line that they have begun, and replies that nobody has been handed yet.

    A thread that reads may be interrupted anywhere, as the handler of a Ctrl-C raises between any two steps of the main
    thread; another one goes on where it was. So the call that reads a chunk keeps it as well, and what is made of
    chunks takes their place in one assignment.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._state: tuple[deque[bytes], list[bytes], deque[Reply]] = deque(), [], deque()

    def read(self) -> bool:
        """Reads what there is, or waits for it; False at the end."""
        chunks = self._state[0]
        chunks.extend(map(os.read, (self._descriptor,), (_READ_BYTES,)))
        return bool(chunks[-1])

    def replies(self) -> deque[Reply]:
        """The replies that have come; each is to be removed once it is handed out."""
        chunks, begun, replies = self._state
        if chunks:
            first, *others = b"".join(chunks).split(b"\n")
            lines = [b"".join([*begun, first]), *others] if others else []
            begun = [lines.pop()] if others else [*begun, first]
            replies = deque([*replies, *map(_reply, lines)])
            self._state = deque(), begun, replies
        return replies


def _reply(line: bytes) -> Reply:
    try:
        reply = json.loads(line.decode())
        if not isinstance(reply, dict) or reply.get("jsonrpc") != "2.0" or ("result" in reply) == ("error" in reply):
            raise ValueError("no response of JSON-RPC 2.0")
        if type(reply.get("id")) is not int:
            raise ValueError("no id of a call")
        return reply["id"], _failure_in(reply["error"]) if "error" in reply else reply["result"]
    except (ValueError, RecursionError) as error:
        excerpt = line[:200].decode(errors="replace")
        return _NO_CALL, ProtocolError(f"Postern sent what is no reply, {error}: {excerpt}")


def _failure_in(error: object) -> CallError:
    """The error of the class that goes with its slug."""
    if not isinstance(error, dict):
        raise ValueError("an error that is no object")
    code, message = error.get("code"), error.get("message")
    if type(code) is not int or not isinstance(message, str):
        raise ValueError("an error without code and message")
    failure = CallError(code, message, error.get("data"))
    known = BY_SLUG.get(failure.slug or "")
    return failure if known is None else known(code, message, failure.data)
