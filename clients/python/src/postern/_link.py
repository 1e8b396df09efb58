"""Requests on their way out, and replies handed to those who wait for them. Moves no bytes of its own accord: the
clients call it when a pipe is ready. It is not thread-safe."""

from __future__ import annotations

import select
from typing import Generic, Protocol, TypeVar

from ._failures import anew
from ._inbox import Inbox, Reply
from ._process import Process
from ._requests import Request
from .errors import ClientClosed, PosternError, ProtocolError

# What a pipe takes at once when it is empty.
_WRITE_BYTES = 65_536


class Waiter(Protocol):
    """Who waits for a reply."""

    def settle(self, outcome: object) -> None:
        """Takes the result, or a PosternError."""


SomeWaiter = TypeVar("SomeWaiter", bound=Waiter)


class Link(Generic[SomeWaiter]):
    """The calls that a process has been sent, and what of them is still to be written."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._inbox = Inbox(process.stdout)
        self._last_number = 0
        self._waiting: dict[int, SomeWaiter] = {}
        self._unsent = bytearray()
        self._closing = False
        self._failure: PosternError | None = None

    @property
    def has_unsent(self) -> bool:
        """Whether something waits for the process to read what came before."""
        return bool(self._unsent)

    def send(self, waiter: SomeWaiter, request: Request) -> None:
        """Sends a request that the pipe takes whole, and keeps any other for `send_rest`.

        Up to PIPE_BUF bytes are written whole or not at all, also where a signal's handler raises meanwhile. Raises
        ClientClosed after `hang_up`, why the link ended after its end, and MessageTooLong.
        """
        if self._closing:
            raise ClientClosed
        if self._failure is not None:
            raise anew(self._failure)
        line = request.line(self._last_number + 1)
        self._last_number += 1
        self._waiting[self._last_number] = waiter
        if self._unsent or len(line) > select.PIPE_BUF or not self._process.write(line):
            self._unsent += line

    def send_rest(self) -> None:
        """Sends as much as the pipe takes of what is left; the last byte after `hang_up` closes it.

        A signal's handler that raises in here breaks a line. So it is for a thread that none interrupts, and for an
        event loop, which does not outlive one.
        """
        while self._unsent:
            written = self._process.write(bytes(self._unsent[:_WRITE_BYTES]))
            if not written:
                return
            del self._unsent[:written]
        if self._closing:
            self._process.close_stdin()

    def hang_up(self) -> None:
        """Takes no further calls; `send_rest` closes the process's stdin once all is written."""
        self._closing = True

    def end(self, failure: PosternError) -> None:
        """Fails all calls in flight and all later ones."""
        self._failure = self._failure or failure
        waiting, self._waiting = self._waiting, {}
        self._unsent.clear()
        self._process.close_stdin()
        for waiter in waiting.values():
            waiter.settle(anew(self._failure))

    def read(self) -> list[Reply] | None:
        """Reads what the process has written; None where there is nothing, which is the end once `telling` tells.

        It touches nothing that the others do, so it may run beside them.
        """
        return self._inbox.read()

    def hand_out(self, replies: list[Reply]) -> None:
        """Settles the calls that were answered. A reply that is none, or for no call, ends the link."""
        for number, outcome in replies:
            waiter = self._waiting.pop(number, None)
            if waiter is not None:
                waiter.settle(outcome)
            elif self._failure is None:
                known = isinstance(outcome, ProtocolError)
                self._break_off(str(outcome) if known else f"Postern answered a call {number} that nobody waits for")

    def _break_off(self, problem: str) -> None:
        self.end(ProtocolError(problem))
        self._process.terminate()
