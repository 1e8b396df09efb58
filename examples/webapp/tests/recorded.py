"""The application that WEBAPP names, as `module:name`, with a log of the workers that serve requests.

Each response closes its connection, so that the next request can reach the other worker.
"""

import importlib
import os

from starlette.types import Message, Receive, Scope, Send

module, _, name = os.environ["WEBAPP"].partition(":")
application = getattr(importlib.import_module(module), name)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        await application(scope, receive, send)
        return

    async def close_after(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    with open(os.environ["WORKERS_LOG"], "a") as log:
        log.write(f"{os.getpid()} {scope['method']} {scope['path']}\n")
    await application(scope, receive, close_after)
