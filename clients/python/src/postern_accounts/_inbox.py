"""Splits the output of the process into replies, and the messages that it sends on its own."""

from __future__ import annotations

import json
import os

from ._failures import CallError, ProtocolError
from ._host import HostMessage

# The capacity of a pipe. A buffer of twice that is allocated from the system for each read, which takes longer than a
# call.
_READ_BYTES = 65_536

# The id of a call, and its result or a PosternError.
Reply = tuple[int, object]
Message = Reply | HostMessage
_NO_CALL = 0


class Inbox:
    """The output of a process, and the incomplete last line."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._begun: list[bytes] = []

    def read(self) -> list[Message] | None:
        """Reads once, and returns the messages that are complete; None if there is nothing to read."""
        try:
            chunk = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return None
        if not chunk:
            return None
        first, *others = chunk.split(b"\n")
        self._begun.append(first)
        if not others:
            return []
        lines = [b"".join(self._begun), *others]
        self._begun = [lines.pop()]
        return [_message(line) for line in lines]


def _message(line: bytes) -> Message:
    try:
        reply = json.loads(line.decode())
        if isinstance(reply, dict) and "method" in reply:
            return HostMessage.from_json(reply)
        if not isinstance(reply, dict) or reply.get("jsonrpc") != "2.0" or ("result" in reply) == ("error" in reply):
            raise ValueError("not a JSON-RPC 2.0 response")
        if type(reply.get("id")) is not int:
            raise ValueError("the id is not an integer")
        return reply["id"], _failure_in(reply["error"]) if "error" in reply else reply["result"]
    except (ValueError, RecursionError) as error:
        return _NO_CALL, ProtocolError(f"Postern sent a line that is not a reply ({error}): {_excerpt(line)}")


def _excerpt(line: bytes) -> str:
    """The start of a line, for a message; only the length if the line may be part of a reply with a session."""
    return f"{len(line)} bytes" if b"{" in line else line[:200].decode(errors="replace")


def _failure_in(error: object) -> CallError:
    """The error, as a plain CallError, because a reply does not contain the method."""
    if not isinstance(error, dict):
        raise ValueError("the error is not an object")
    code, message = error.get("code"), error.get("message")
    if type(code) is not int or not isinstance(message, str):
        raise ValueError("the error has no code or no message")
    return CallError(code, message, error.get("data"))
