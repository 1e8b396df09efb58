"""Matches requests and replies, and passes on requests of the process. It does no I/O unless it is called: the clients
call it when a pipe is ready. It is not thread-safe."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from ._events import EventQueue
from ._failures import anew
from ._host import DELIVERIES_MAX, EVENT, FAILED, MAIL_DELIVER, METHOD_NOT_FOUND, HostMessage
from ._inbox import Inbox, Message
from ._process import Process
from ._requests import Request
from .errors import ClientClosed, PosternError, ProtocolError

# The capacity of an empty pipe.
_WRITE_BYTES = 65_536


class Waiter(Protocol):
    """A caller that waits for a reply."""

    def settle(self, outcome: object) -> None:
        """Takes the result, or a PosternError."""


SomeWaiter = TypeVar("SomeWaiter", bound=Waiter)


class Link(Generic[SomeWaiter]):
    """The calls in flight, and the bytes of requests that are not written yet."""

    def __init__(
        self,
        process: Process,
        start_delivery: Callable[[HostMessage], None] | None,
        events: EventQueue | None,
    ) -> None:
        """
        Args:
            start_delivery: Starts the delivery of the mail in a request, without blocking; `answer` must be called at
                its end. None if the client delivers no mails.
            events: Takes the events; None if the client gets none.
        """
        self._process = process
        self._events = events
        self._start_delivery = start_delivery
        self._deliveries = 0
        self._inbox = Inbox(process.stdout)
        self._last_number = 0
        self._waiting: dict[int, SomeWaiter] = {}
        self._unsent = bytearray()
        # The calls whose requests no process could read.
        self._unread: set[int] = set()
        self._closing = False
        self._failure: PosternError | None = None

    @property
    def is_closing(self) -> bool:
        """Whether `hang_up` was called."""
        return self._closing

    @property
    def failure(self) -> PosternError | None:
        """The failure given to `end`; None before."""
        return self._failure

    @property
    def has_unsent(self) -> bool:
        """Whether bytes wait until the process reads earlier ones."""
        return bool(self._unsent)

    @property
    def is_holding(self) -> bool:
        """Whether the output must not be read now: many events wait, and nothing else is expected."""
        if self._events is None or not self._events.is_full:
            return False
        return not self._waiting and not self._closing and self._failure is None

    def send(self, waiter: SomeWaiter, request: Request) -> None:
        """Sends the request if the pipe has room for all of it, or else keeps it for `send_rest`.

        Up to PIPE_BUF bytes are written whole or not at all, even if a signal handler raises meanwhile. Raises
        ClientClosed after `hang_up`, the failure given to `end` after `end`, and MessageTooLong.
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
        elif self._process.has_no_reader:
            self._unread.add(self._last_number)

    def send_rest(self) -> None:
        """Writes unsent bytes until the pipe is full. After `hang_up`, closes stdin once all bytes are written and all
        deliveries have ended.

        If a signal handler raises in here, bytes may be written twice, which breaks a line. So only a thread that runs
        no signal handlers calls this, or an event loop, which does not survive such an exception.
        """
        while self._unsent:
            written = self._process.write(bytes(self._unsent[:_WRITE_BYTES]))
            if not written:
                return
            del self._unsent[:written]
        if self._closing and not self._deliveries:
            self._process.close_stdin()

    def hang_up(self) -> None:
        """Refuses new calls, starts no new deliveries and takes no new events; `send_rest` closes the process's stdin
        in the end."""
        self._closing = True
        if self._events is not None:
            self._events.end(ClientClosed())

    def end(self, failure: PosternError) -> None:
        """Fails all calls in flight and all later ones."""
        self._failure = self._failure or failure
        if self._events is not None:
            self._events.end(self._failure)
        waiting, self._waiting = self._waiting, {}
        self._unsent.clear()
        self._process.close_stdin()
        for number, waiter in waiting.items():
            failure = anew(self._failure)
            failure._was_sent = number not in self._unread
            waiter.settle(failure)

    def read(self) -> list[Message] | None:
        """Reads the process's output; None if there is none, which is the end if one of `output_descriptors` is
        readable.

        It shares no state with the other methods, so it can run at the same time as they do.
        """
        return self._inbox.read()

    def hand_out(self, messages: list[Message]) -> None:
        """Settles the calls of these replies, and takes the messages of the process. Other output, or a reply without a
        call, ends the link."""
        for message in messages:
            if isinstance(message, HostMessage):
                self._take(message)
                continue
            number, outcome = message
            waiter = self._waiting.pop(number, None)
            if waiter is not None:
                waiter.settle(outcome)
            elif self._failure is None:
                known = isinstance(outcome, ProtocolError)
                self._break_off(str(outcome) if known else f"Postern replied to call {number}, which is not in flight")

    def _take(self, message: HostMessage) -> None:
        """Starts the delivery of a mail, keeps an event, refuses another request, and drops another notification."""
        if not message.is_request:
            if message.method == EVENT and self._events is not None:
                self._events.put(message.params)
            # Any other is a notification of a newer service.
            return
        if message.method != MAIL_DELIVER or self._start_delivery is None:
            self._respond(message.failure(METHOD_NOT_FOUND, f"Method not found: {message.method}"))
        elif self._deliveries == DELIVERIES_MAX:
            # Some of the requests were given up by the process. To keep others waiting would deliver them late.
            self._respond(message.failure(FAILED, f"{DELIVERIES_MAX} mails are being delivered"))
        elif not self._closing:
            self._deliveries += 1
            self._start_delivery(message)

    def answer(self, request: HostMessage, problem: str | None) -> None:
        """Ends the delivery that a request has started; `problem` is None if the mail is delivered."""
        self._deliveries -= 1
        self._respond(request.success() if problem is None else request.failure(FAILED, problem))

    def _respond(self, line: bytes) -> None:
        """Keeps a response for `send_rest`. After `end`, there is no process to read it."""
        if self._failure is None:
            self._unsent += line

    def _break_off(self, problem: str) -> None:
        self.end(ProtocolError(problem))
        self._process.stop()
