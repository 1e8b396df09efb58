"""Helpers of tests, for a Postern in memory in deterministic mode: times, ids and codes repeat.

pytest has the fixtures `postern_service` and `async_postern_service` without an import. Those of this module, with
shorter names, need one in a `conftest.py`: `pytest_plugins = ["postern_accounts.testing"]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import pytest

from . import AsyncPostern, Postern
from .types import ServiceOutbox

DETERMINISTIC_FLAGS = ("--clock", "2016-02-24T22:07:52.371513Z", "--seed", "7")
"""The flags of deterministic mode: only `system.advance_clock` moves the clock, and mails stay in `system.outbox`."""

# A code, token or temporary password is alone on a line of a mail.
_CODE = re.compile(r"^[0-9a-f-]{16,}$", re.MULTILINE)


def deterministic(*arguments: str) -> Postern:
    """A Postern in memory in deterministic mode, with further flags."""
    return Postern(":memory:", arguments=[*DETERMINISTIC_FLAGS, *arguments])


def async_deterministic(*arguments: str) -> AsyncPostern:
    """The same for asyncio and Trio, not opened yet."""
    return AsyncPostern(":memory:", arguments=[*DETERMINISTIC_FLAGS, *arguments])


def mailed_code(postern: Postern, to: str) -> str:
    """The code, token or temporary password in the last mail to an address. Raises LookupError if there is none."""
    return _last_code(postern.system.outbox(), to)


async def async_mailed_code(postern: AsyncPostern, to: str) -> str:
    """The same for asyncio."""
    return _last_code(await postern.system.outbox(), to)


def _last_code(outbox: ServiceOutbox, to: str) -> str:
    for message in reversed(outbox.messages):
        code = _CODE.search(message.text) if message.to == to else None
        if code is not None:
            return code.group()
    raise LookupError(f"no code was mailed to {to}")


@pytest.fixture
def postern_arguments() -> Sequence[str]:
    """Further flags of `postern` and `async_postern`. A test suite can override this fixture."""
    return ()


@pytest.fixture
def postern(request: pytest.FixtureRequest) -> Iterator[Postern]:
    """A fresh Postern in memory."""
    with deterministic(*suite_arguments(request)) as client:
        yield client


@pytest.fixture
def async_postern(request: pytest.FixtureRequest) -> Callable[[], AsyncPostern]:
    """Opens a fresh Postern in memory in a coroutine: `async with async_postern() as postern`."""
    arguments = suite_arguments(request)
    return lambda: async_deterministic(*arguments)


def suite_arguments(request: pytest.FixtureRequest) -> Sequence[str]:
    """The flags that the fixture `postern_arguments` returns; none if the suite has no such fixture."""
    try:
        arguments: Sequence[str] = request.getfixturevalue("postern_arguments")
    except pytest.FixtureLookupError:
        # The test imported another fixture without this one.
        return ()
    return arguments
