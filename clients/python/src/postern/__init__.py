"""Postern, a user-accounts backend in a process of its own, from Python.

`Postern` is for threads and scripts, `AsyncPostern` for asyncio. What can go wrong is in `postern.errors`, what methods
take and give in `postern.types`, fixtures for pytest in `postern.testing`.
"""

from ._async import AsyncPostern
from ._sync import Postern
from ._unset import UNSET, Unset
from .errors import (
    BinaryNotFound,
    CallError,
    CallTimeout,
    ClientClosed,
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
    "MessageTooLong",
    "Postern",
    "PosternError",
    "ProcessEnded",
    "ProtocolError",
    "Unset",
]
