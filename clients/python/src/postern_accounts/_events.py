"""The events of the audit trail that the program has not taken yet."""

from __future__ import annotations

from collections import deque

from ._failures import EventsLost, PosternError, ProtocolError, anew
from .types import Event

EVENTS_HELD = 1_000
"""With so many events, the client reads no further output unless a call waits for its reply. The process then holds the
other events back, and nothing is lost."""
EVENTS_MAX = 20_000
"""Events that come between replies are dropped above this number."""


class EventQueue:
    """A bounded queue. It is not thread-safe."""

    def __init__(self, after: int | None) -> None:
        self._events: deque[object] = deque()
        self._last_put = after
        self._last_taken = after
        self._has_lost = False
        self._failure: PosternError | None = None

    @property
    def is_full(self) -> bool:
        return len(self._events) >= EVENTS_HELD

    def put(self, event: object) -> None:
        # After an event was lost, the next ones would leave a gap.
        self._has_lost = self._has_lost or len(self._events) >= EVENTS_MAX
        if self._failure is None and not self._has_lost:
            self._events.append(event)
            seq = event.get("seq") if isinstance(event, dict) else None
            self._last_put = seq if isinstance(seq, int) else self._last_put

    def end(self, failure: PosternError) -> None:
        """Ends the queue: `take` raises the failure after the last event."""
        self._failure = self._failure or failure

    def resume(self) -> list[str]:
        """Takes the events of another process, and returns the flags with which it continues after the last event. If
        there was none, it starts with the events from now on."""
        self._failure = None
        return flags(True, self._last_put)

    def take(self) -> Event | None:
        """The next event; None if it is not there yet. Raises EventsLost, ClientClosed and ProcessEnded at the end."""
        event = self.kept()
        if event is None and self._failure is not None:
            raise anew(self._failure)
        return event

    def kept(self) -> Event | None:
        """The next event; None if it is not there, also if none will follow. Raises EventsLost."""
        try:
            event = Event.from_json(self._events.popleft())
        except IndexError:
            if self._has_lost:
                raise EventsLost(self._last_taken) from None
            return None
        except ValueError as error:
            raise ProtocolError(f"an event does not match the contract: {error}") from None
        self._last_taken = event.seq
        return event


def flags(events: bool, after: int | None) -> list[str]:
    """The flags with which the process sends events."""
    if after is not None:
        return ["--events", "--events-after", str(after)]
    return ["--events"] if events else []


NO_EVENTS = "this client gets no events: open it with events=True or events_after"
