"""What a request needs of the accounts: the Postern process of this worker, the visitor's session and origin."""

import asyncio
import re
from typing import Annotated, TypedDict

from fastapi import Depends, Request
from postern_accounts import AsyncPostern
from postern_accounts.types import OperatorsOriginInput

SESSION_COOKIE = "__Host-session"


class Accounts:
    """The client of this worker: opened at start, and again after its process has died.

    All workers use the directory that POSTERN_DATA names. A request that was in flight when the process died fails,
    because whether it took effect is not known; all acknowledged writes are in the directory.
    """

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._lock = asyncio.Lock()
        self._postern: AsyncPostern | None = None

    async def open(self) -> AsyncPostern:
        """The open client; opens one if needed."""
        async with self._lock:
            if self._postern is None:
                postern = AsyncPostern(arguments=self._arguments)
                await postern.ready()
                self._postern = postern
            return self._postern

    async def drop(self, postern: AsyncPostern) -> None:
        """Closes a client whose process has died, so that the next request opens another one."""
        if self._postern is postern:
            self._postern = None
        await postern.close()

    async def close(self) -> None:
        """Answers the calls in flight and ends the process."""
        if self._postern is not None:
            await self._postern.close()


# NIST SP 800-63B: at least 15 characters, and no common or personal password. With --admin, the process also serves the
# methods of administration; only admin.py calls them, for administrators.
accounts = Accounts("--password-policy", "nist", "--admin")


async def client_of_request(request: Request) -> AsyncPostern:
    postern = await accounts.open()
    request.state.postern = postern
    return postern


Postern = Annotated[AsyncPostern, Depends(client_of_request)]


class NotSignedIn(Exception):
    """The request has no session."""


class Session(TypedDict):
    user_id: int
    session_id: str


def session(request: Request) -> Session:
    found = re.fullmatch(r"([0-9]{1,15})\.([0-9a-f]{128})", request.cookies.get(SESSION_COOKIE, ""))
    if found is None:
        raise NotSignedIn
    return {"user_id": int(found[1]), "session_id": found[2]}


SignedIn = Annotated[Session, Depends(session)]


def origin(request: Request) -> OperatorsOriginInput:
    """Where a request comes from. Behind a proxy, uvicorn takes it from the proxy's headers."""
    return {"ip": request.client.host if request.client else None, "agent": request.headers.get("user-agent")}


Origin = Annotated[OperatorsOriginInput, Depends(origin)]
