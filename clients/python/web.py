"""A web application that uses Postern for its accounts, with any number of worker processes.

    gunicorn --workers 4 --threads 8 web:application

Each worker has its own client, and all of them use the directory that ACCOUNTS names, or `accounts`. It is plain WSGI;
the use of the client is the same in Flask or Django.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from postern_accounts import Postern, ProcessExit
from postern_accounts.errors import CallError, CallTimeout, PosternError, operators

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LOGGER = logging.getLogger("accounts")


class Accounts:
    """The client of this worker process: opened by the first request, and supervised.

    It is opened in the worker and not before the fork, because a client belongs to the process that opened it. If its
    Postern process dies, the client starts another one; if it gives up, the next request opens another client. A
    request that was in flight fails if it cannot be repeated, because whether it took effect is not known. All
    acknowledged writes are in the directory.
    """

    def __init__(self, data: str) -> None:
        self._data = data
        self._lock = threading.Lock()
        self._postern: Postern | None = None

    def postern(self) -> Postern:
        """The open client; opens one if needed."""
        with self._lock:
            if self._postern is None:
                self._postern = Postern(
                    self._data, arguments=["--no-email-confirmation"], timeout=10, supervise=True, on_exit=report
                )
            return self._postern

    def forget(self) -> None:
        """Closes the client, which has given up."""
        with self._lock:
            postern, self._postern = self._postern, None
        if postern is not None:
            postern.close()


def report(exit: ProcessExit) -> None:
    """Called when the Postern process has ended."""
    LOGGER.error("%s", exit.error)
    if exit.delay is None:
        accounts.forget()


accounts = Accounts(os.environ.get("ACCOUNTS", "accounts"))


def register(postern: Postern, given: dict[str, Any]) -> Any:
    """POST /register"""
    operator = postern.operators.register(user=given["user"], password=given["password"])
    return {"user_id": operator.id, "session_id": operator.session_id}


def add_client(postern: Postern, given: dict[str, Any]) -> Any:
    """POST /clients"""
    session = {"user_id": given["user_id"], "session_id": given["session_id"]}
    return {"id": postern.operators.client.create(**session, client=given["client"]).id}


def list_clients(postern: Postern, given: dict[str, Any]) -> Any:
    """POST /clients/list"""
    session = {"user_id": given["user_id"], "session_id": given["session_id"]}
    changed = postern.operators.clients.get(**session, provision=given.get("provision", 0))
    return {"clients": [client.address for client in changed.clients], "provision": changed.provision}


ROUTES: dict[str, Callable[[Postern, dict[str, Any]], Any]] = {
    "/register": register,
    "/clients": add_client,
    "/clients/list": list_clients,
}


def answer(path: str, given: dict[str, Any]) -> tuple[str, Any]:
    """The status and the body of the response."""
    route = ROUTES.get(path)
    if route is None:
        return "404 Not Found", {}
    try:
        return "200 OK", route(accounts.postern(), given)
    except operators.AuthenticationFailed:
        return "401 Unauthorized", {}
    except CallError as error:
        return "400 Bad Request", {"errors": error.errors, "field": error.field}
    except CallTimeout:
        return "504 Gateway Timeout", {}
    except PosternError as error:
        # The process has ended, or it could not be started.
        LOGGER.error("%s", error)
        return "503 Service Unavailable", {}


def application(environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The WSGI application (PEP 3333)."""
    body = environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
    status, result = answer(environment["PATH_INFO"], json.loads(body or b"{}"))
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(result).encode()]
