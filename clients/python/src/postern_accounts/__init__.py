"""A client of Postern, a user-accounts backend that runs as a child process.

`Postern` is for threads and scripts, `AsyncPostern` for asyncio and Trio. `postern_accounts.errors` has the errors,
`postern_accounts.types` the types of params and results, and `postern_accounts.testing` fixtures for pytest.
"""

from ._async import AsyncPostern
from ._binary import find_postern_bin
from ._supervision import Backoff, ProcessExit
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
    "Backoff",
    "BinaryNotFound",
    "CallError",
    "CallTimeout",
    "ClientClosed",
    "EventsLost",
    "MessageTooLong",
    "Postern",
    "PosternError",
    "ProcessEnded",
    "ProcessExit",
    "ProtocolError",
    "Unset",
    "__version__",
    "find_postern_bin",
]
