"""A client of Postern, a user-accounts backend that runs as a child process.

`Postern` is for threads and scripts, `AsyncPostern` for asyncio. `postern.errors` has the errors, `postern.types` the
types of params and results, and `postern.testing` fixtures for pytest.
"""

from ._async import AsyncPostern
from ._sync import Postern
from ._unset import UNSET, Unset
from ._version import __version__
from .errors import (
    BinaryNotFound,
    CallError,
    CallTimeout,
    ClientClosed,
    EventsLost,
    MessageTooLong,
    PosternError,
    ProcessEnded,
    ProtocolError,
)

__all__ = [
    "UNSET",
    "AsyncPostern",
    "BinaryNotFound",
    "CallError",
    "CallTimeout",
    "ClientClosed",
    "EventsLost",
    "MessageTooLong",
    "Postern",
    "PosternError",
    "ProcessEnded",
    "ProtocolError",
    "Unset",
    "__version__",
]
