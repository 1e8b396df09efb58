"""Requests on their way out, and replies handed to those who wait for them. Moves no bytes of its own accord: the
clients call it when a pipe is ready. It is not thread-safe."""

from __future__ import annotations

import json
import os
import select
from typing import Generic, Protocol, TypeVar

from ._failures import anew
from ._lines import LineCutter
from ._process import Process
from ._requests import Request
from .errors import BY_SLUG, CallError, ClientClosed, PosternError, ProtocolError

# What a pipe takes at once when it is empty.
_WRITE_BYTES = 65_536
_READ_BYTES = 262_144

# The number of a call, and its result or a PosternError.
Reply = tuple[int, object]
_NO_CALL = 0


class Waiter(Protocol):
    """Who waits for a reply."""

    def settle(self, outcome: object) -> None:
        """Takes the result, or a PosternError. It comes once."""


SomeWaiter = TypeVar("SomeWaiter", bound=Waiter)


class Link(Generic[SomeWaiter]):
    """The calls that a process has been sent, and what of them is still to be written."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._cutter = LineCutter()
        self._last_number = 0
        self._waiting: dict[int, SomeWaiter] = {}
        self._dropped: set[int] = set()
        self._unsent = bytearray()
        self._closing = False
        self._failure: PosternError | None = None

    @property
    def has_unsent(self) -> bool:
        """Whether something waits for the process to read what came before."""
        return bool(self._unsent)

    def send(self, waiter: SomeWaiter, request: Request) -> int:
        """Sends a request, or as much of it as the pipe takes, and gives its number.

        Raises ClientClosed after `hang_up`, why the link ended after its end, and MessageTooLong.
        """
        if self._closing:
            raise ClientClosed
        if self._failure is not None:
            raise anew(self._failure)
        line = request.line(self._last_number + 1)
        self._last_number += 1
        self._waiting[self._last_number] = waiter
        if self._unsent:
            self._unsent += line
        else:
            written = self._write(line)
            if written < len(line):
                self._unsent += line[written:]
        return self._last_number

    def send_rest(self) -> None:
        """Sends what the pipe did not take before. The last byte after `hang_up` closes the pipe."""
        while self._unsent:
            written = self._write(bytes(self._unsent[:_WRITE_BYTES]))
            if not written:
                return
            del self._unsent[:written]
        if self._closing:
            self._process.close_stdin()

    def _write(self, data: bytes) -> int:
        try:
            return os.write(self._process.stdin, data)
        except BlockingIOError:
            return 0
        except OSError:
            # The process is gone. The end of its stdout tells how, so here all counts as sent.
            return len(data)
        except BaseException:
            # A signal handler has raised, a Ctrl-C's for one, and how much was written is not known. Up to PIPE_BUF
            # bytes are written whole or not at all; of more, a part may be gone, and the next line would follow on it.
            if len(data) > select.PIPE_BUF:
                self._break_off("a signal handler raised while a request was being written")
            raise

    def drop(self, number: int) -> bool:
        """Waits no more for a reply; False where it has come already."""
        if self._waiting.pop(number, None) is None:
            return False
        self._dropped.add(number)
        return True

    def hang_up(self) -> None:
        """Takes no further calls, and closes the process's stdin once all is written."""
        self._closing = True
        self.send_rest()

    def end(self, failure: PosternError) -> None:
        """Fails all calls in flight and all later ones."""
        self._failure = self._failure or failure
        waiting, self._waiting = self._waiting, {}
        self._unsent.clear()
        self._process.close_stdin()
        for waiter in waiting.values():
            waiter.settle(anew(self._failure))

    def read(self) -> bytes:
        """Some of what the process has written; nothing once it has closed its stdout."""
        return os.read(self._process.stdout, _READ_BYTES)

    def replies_in(self, chunk: bytes) -> list[Reply]:
        """The replies that end in a chunk."""
        return [_reply(line) for line in self._cutter.cut(chunk)]

    def hand_out(self, replies: list[Reply]) -> None:
        """Settles the calls that replies are for. A reply that is none, or for no call, ends the link."""
        for number, outcome in replies:
            waiter = self._waiting.pop(number, None)
            if waiter is not None:
                waiter.settle(outcome)
            elif number in self._dropped:
                self._dropped.remove(number)
            elif self._failure is None:
                known = isinstance(outcome, ProtocolError)
                self._break_off(str(outcome) if known else f"Postern answered a call {number} that nobody waits for")

    def _break_off(self, problem: str) -> None:
        self.end(ProtocolError(problem))
        self._process.terminate()


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
    return failure if known is None else known(*failure.args)
