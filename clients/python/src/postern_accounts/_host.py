"""Messages that the process sends on its own: requests, which the client answers, and notifications."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from .types import ServiceMail

DeliverMail = Callable[[ServiceMail], None]
"""Delivers a mail. An exception means that it was not delivered."""
AsyncDeliverMail = Callable[[ServiceMail], Awaitable[None]]
"""The same for asyncio."""

MAIL_DELIVER = "mail.deliver"
EVENT = "event"
DELIVERIES_MAX = 4
"""How many mails are delivered at the same time. The process opens as many requests, and may open others while a
handler hangs."""

METHOD_NOT_FOUND = -32601
FAILED = -32000
# The process keeps less of it.
_MESSAGE_CHARACTERS_MAX = 2_000


class HostMessage(NamedTuple):
    """A request or notification of the process."""

    method: str
    params: object
    id: object
    """The id of a request."""
    is_request: bool

    @staticmethod
    def from_json(message: dict[str, Any]) -> HostMessage:
        """Reads a message; raises ValueError if it is neither."""
        method = message.get("method")
        if message.get("jsonrpc") != "2.0" or not isinstance(method, str):
            raise ValueError("not a JSON-RPC 2.0 request")
        return HostMessage(method, message.get("params"), message.get("id"), "id" in message)

    def mail(self) -> ServiceMail:
        """The params of `mail.deliver`; raises ValueError if they do not match the contract."""
        return ServiceMail.from_json(self.params)

    def success(self) -> bytes:
        """The line of the response without a value."""
        return self._response("result", None)

    def failure(self, code: int, message: str) -> bytes:
        """The line of an error response."""
        return self._response("error", {"code": code, "message": message})

    def _response(self, name: str, value: object) -> bytes:
        return json.dumps({"jsonrpc": "2.0", "id": self.id, name: value}).encode() + b"\n"


def text_of(error: BaseException) -> str:
    """An exception as the message of an error response: cut, and with lone surrogates replaced, because the process
    refuses a line that is too long or that is not UTF-8."""
    text = f"{type(error).__name__}: {error}"
    return text[:_MESSAGE_CHARACTERS_MAX].encode(errors="replace").decode()
