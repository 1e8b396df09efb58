"""The fixtures `postern_service` and `async_postern_service`: a fresh Postern in memory for each test, in deterministic
mode.

pytest finds this module by its entry point, in every project of an environment with this package. Therefore it is no
part of the package: it imports nothing until a test uses a fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from postern_accounts import AsyncPostern, Postern


@pytest.fixture
def postern_service(request: pytest.FixtureRequest) -> Iterator[Postern]:
    """A fresh Postern in memory, in deterministic mode. A fixture `postern_arguments` of the project gives flags."""
    from postern_accounts.testing import deterministic, suite_arguments

    with deterministic(*suite_arguments(request)) as client:
        yield client


@pytest.fixture
def async_postern_service(request: pytest.FixtureRequest) -> AsyncPostern:
    """The same for asyncio and Trio, not opened yet: `async with async_postern_service as postern`. It works with
    pytest-asyncio and with anyio, because the test opens and closes it in its own event loop."""
    from postern_accounts.testing import async_deterministic, suite_arguments

    return async_deterministic(*suite_arguments(request))
