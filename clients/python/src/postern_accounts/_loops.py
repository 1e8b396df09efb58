"""The event loops that an `AsyncPostern` runs in: asyncio, and Trio. A program that uses anyio runs in one of them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ._failures import PosternError

if TYPE_CHECKING:
    import trio

Value = TypeVar("Value")


class AsyncEvent(Protocol):
    """Wakes the tasks that wait for it."""

    def set(self) -> None: ...

    async def wait(self) -> object: ...


class AsyncWaiter(Protocol):
    """A task that waits for its reply."""

    @property
    def reply(self) -> Awaitable[object]:
        """The result, or a PosternError."""

    def settle(self, outcome: object) -> None:
        """Ends the wait, if the task was not cancelled."""


class Loop(Protocol):
    """An event loop. Every function is called in it, except `is_current` and `call_from_thread`."""

    @property
    def is_current(self) -> bool:
        """Whether this code runs in the loop."""

    def event(self) -> AsyncEvent: ...

    def waiter(self) -> AsyncWaiter: ...

    def add_reader(self, descriptor: int, callback: Callable[[], None]) -> object:
        """Calls the function whenever the descriptor is readable."""

    def remove_reader(self, descriptor: int) -> object: ...

    def add_writer(self, descriptor: int, callback: Callable[[], None]) -> object:
        """Calls the function whenever the descriptor is writable."""

    def remove_writer(self, descriptor: int) -> object: ...

    def start(self, task: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Starts a task that catches its exceptions."""

    def call_from_thread(self, callback: Callable[[], None]) -> object:
        """Calls the function in the loop. Raises RuntimeError if the loop has ended."""

    async def within(self, seconds: float, function: Callable[[], Awaitable[Value]]) -> Value:
        """Raises TimeoutError if the function takes longer, and cancels it."""

    def shield(self) -> AbstractContextManager[object]:
        """A block that waits although its task was cancelled before."""


async def happens(loop: Loop, event: AsyncEvent, seconds: float) -> bool:
    """Whether the event is set within so many seconds."""
    try:
        await loop.within(seconds, event.wait)
    except TimeoutError:
        return False
    return True


class Notice:
    """An event that happens again and again."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.next = loop.event()
        """Is set by the next `give`."""

    def give(self) -> None:
        """Wakes the tasks that wait now."""
        given, self.next = self.next, self._loop.event()
        given.set()


def running_loop() -> Loop:
    """The running event loop. Raises PosternError if none is running."""
    if _is_trio_running():
        return _TrioLoop()
    try:
        return _AsyncioLoop(asyncio.get_running_loop())
    except RuntimeError:
        raise PosternError("no event loop runs here: an AsyncPostern is opened in a coroutine") from None


class _AsyncioWaiter:
    __slots__ = ("reply",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.reply: asyncio.Future[object] = loop.create_future()

    def settle(self, outcome: object) -> None:
        if not self.reply.done():
            self.reply.set_result(outcome)


class _AsyncioLoop:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        # The loop keeps only weak references to tasks.
        self._tasks: set[asyncio.Task[None]] = set()
        self.add_reader = loop.add_reader
        self.remove_reader = loop.remove_reader
        self.add_writer = loop.add_writer
        self.remove_writer = loop.remove_writer
        self.call_from_thread = loop.call_soon_threadsafe

    @property
    def is_current(self) -> bool:
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    def event(self) -> AsyncEvent:
        return asyncio.Event()

    def waiter(self) -> AsyncWaiter:
        return _AsyncioWaiter(self._loop)

    def start(self, task: Callable[[], Coroutine[Any, Any, None]]) -> None:
        started = self._loop.create_task(task())
        self._tasks.add(started)
        started.add_done_callback(self._tasks.discard)

    async def within(self, seconds: float, function: Callable[[], Awaitable[Value]]) -> Value:
        try:
            return await asyncio.wait_for(function(), seconds)
        except asyncio.TimeoutError:
            # Python 3.10 has two classes of that name.
            raise TimeoutError from None

    def shield(self) -> AbstractContextManager[object]:
        # A task is cancelled once, so that its next wait is a usual one. The scopes of anyio cancel it again and again.
        if "anyio" not in sys.modules:
            return nullcontext()
        scope: AbstractContextManager[object] = sys.modules["anyio"].CancelScope(shield=True)
        return scope


class _TrioWaiter:
    __slots__ = ("_event", "_outcome")

    def __init__(self) -> None:
        self._event = _trio().Event()
        self._outcome: object = None

    @property
    def reply(self) -> Awaitable[object]:
        return self._wait()

    async def _wait(self) -> object:
        await self._event.wait()
        return self._outcome

    def settle(self, outcome: object) -> None:
        self._outcome = outcome
        self._event.set()


class _TrioLoop:
    """A run of Trio. System tasks watch the descriptors, because a client has no nursery of the program."""

    def __init__(self) -> None:
        self._token = _trio().lowlevel.current_trio_token()
        self._readers: dict[int, trio.CancelScope] = {}
        self._writers: dict[int, trio.CancelScope] = {}

    @property
    def is_current(self) -> bool:
        return _is_trio_running() and _trio().lowlevel.current_trio_token() is self._token

    def event(self) -> AsyncEvent:
        event: AsyncEvent = _trio().Event()
        return event

    def waiter(self) -> AsyncWaiter:
        return _TrioWaiter()

    def add_reader(self, descriptor: int, callback: Callable[[], None]) -> None:
        self._watch(self._readers, _trio().lowlevel.wait_readable, descriptor, callback)

    def add_writer(self, descriptor: int, callback: Callable[[], None]) -> None:
        self._watch(self._writers, _trio().lowlevel.wait_writable, descriptor, callback)

    def remove_reader(self, descriptor: int) -> None:
        self._readers.pop(descriptor).cancel()

    def remove_writer(self, descriptor: int) -> None:
        self._writers.pop(descriptor).cancel()

    def _watch(
        self,
        watched: dict[int, trio.CancelScope],
        wait: Callable[[int], Awaitable[None]],
        descriptor: int,
        callback: Callable[[], None],
    ) -> None:
        watched[descriptor] = scope = _trio().CancelScope()

        async def watch() -> None:
            with scope:
                # Once removed, the descriptor may be closed, also by the callback.
                while not scope.cancel_called:
                    await wait(descriptor)
                    if not scope.cancel_called:
                        callback()

        self.start(watch)

    def start(self, task: Callable[[], Coroutine[Any, Any, None]]) -> None:
        # The run may be ending. Then its tasks end too.
        with suppress(RuntimeError):
            _trio().lowlevel.spawn_system_task(task)

    def call_from_thread(self, callback: Callable[[], None]) -> None:
        self._token.run_sync_soon(callback)

    async def within(self, seconds: float, function: Callable[[], Awaitable[Value]]) -> Value:
        with _trio().move_on_after(seconds):
            return await function()
        raise TimeoutError

    def shield(self) -> AbstractContextManager[object]:
        scope: AbstractContextManager[object] = _trio().CancelScope(shield=True)
        return scope


def _trio() -> Any:
    """The module, which a program without Trio does not have."""
    return sys.modules["trio"]


def _is_trio_running() -> bool:
    # Asked before asyncio, because Trio can be a guest of another loop.
    if "trio" not in sys.modules:
        return False
    try:
        _trio().lowlevel.current_task()
    except RuntimeError:
        return False
    return True
