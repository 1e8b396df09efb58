"""A web application whose accounts Postern keeps, for any number of worker processes.

    gunicorn --workers 4 --threads 8 web:application

Each worker has a Postern of its own, and all of them use the directory that ACCOUNTS names, or `accounts`. It is plain
WSGI, so what is here for Postern's sake is the same in Flask or Django.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from postern import Postern
from postern.errors import CallError, CallTimeout, ClientClosed, ProcessEnded, operators

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Accounts:
    """The Postern of this worker process: opened with the first request, and anew after it has died.

    It is opened in the worker, not before the workers are forked, as a process belongs to whoever started it. Where it
    has died, the request that met with it fails, for nobody knows whether it took effect; the next one gets a new
    process. Whatever was answered is in the directory.
    """

    def __init__(self, data: str) -> None:
        self._data = data
        self._lock = threading.Lock()
        self._postern: Postern | None = None

    def postern(self) -> Postern:
        """The process that serves now."""
        with self._lock:
            if self._postern is None:
                self._postern = Postern(self._data, arguments=["--no-email-confirmation"], timeout=10)
            return self._postern

    def drop(self, postern: Postern) -> None:
        """Has the next request open another one, unless a request beside this one has seen to it."""
        with self._lock:
            if self._postern is postern:
                self._postern = None
        postern.close()


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
    """The status and the body of an answer."""
    route = ROUTES.get(path)
    if route is None:
        return "404 Not Found", {}
    postern = accounts.postern()
    try:
        return "200 OK", route(postern, given)
    except operators.AuthenticationFailed:
        return "401 Unauthorized", {}
    except CallError as error:
        return "400 Bad Request", {"errors": error.errors, "field": error.field}
    except CallTimeout:
        return "504 Gateway Timeout", {}
    except (ProcessEnded, ClientClosed):
        accounts.drop(postern)
        return "503 Service Unavailable", {}


def application(environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The application, as WSGI has it (PEP 3333)."""
    body = environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
    status, result = answer(environment["PATH_INFO"], json.loads(body or b"{}"))
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(result).encode()]
