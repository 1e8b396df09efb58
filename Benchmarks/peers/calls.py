"""The common code of the peers: calls to a framework, as its server would make them but without a server or a network.

Usage: PEER.py FOLDER COUNT. A peer prints the median microseconds of each operation as a JSON object.
"""

import asyncio
import io
import json
import statistics
import sys
import time

PERSON = {"email": "ada@example.com", "password": "a correct horse"}
# The Argon2id parameters of Postern: 19,456 KiB, two passes, one lane.
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1


def folder():
    return sys.argv[1]


def client(number):
    return {"first_name": "Michael", "last_name": "Sorenson", "email": f"c{number}@bu.edu", "address": "14 Barnesdale Rd."}


def wsgi(app):
    """A function that calls a WSGI application and returns the JSON of its response."""

    def call(method, path, body=None, headers=(), query=""):
        data = json.dumps(body).encode() if body is not None else b""
        answered = []
        environ = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost",
            "REMOTE_ADDR": "127.0.0.1", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(data)),
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(data), "wsgi.errors": sys.stderr,
            "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
        }  # fmt: skip
        environ.update({"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers})
        pieces = app(environ, lambda status, headers, exc_info=None: answered.append(status))
        text = b"".join(pieces)
        if hasattr(pieces, "close"):
            pieces.close()
        assert answered[0][0] == "2", (answered, text[:500])
        return json.loads(text) if text else None

    return call


def asgi(app):
    """The same, as an async function, for an ASGI application; `form` is sent as form data."""

    async def call(method, path, body=None, headers=(), query="", form=None):
        data = form.encode() if form else json.dumps(body).encode() if body is not None else b""
        kind = b"application/x-www-form-urlencoded" if form else b"application/json"
        sent = []
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(b"host", b"localhost"), (b"content-type", kind), (b"content-length", str(len(data)).encode())]
            + [(name.lower().encode(), value.encode()) for name, value in headers],
            "client": ("127.0.0.1", 1), "server": ("localhost", 80),
        }  # fmt: skip

        async def receive():
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(message):
            sent.append(message)

        await app(scope, receive, send)
        text = b"".join(message.get("body", b"") for message in sent[1:])
        assert sent[0]["status"] < 300, (sent[0]["status"], text[:500])
        return json.loads(text) if text else None

    return call


def report(who_am_i, create, changed, sign_in):
    """Times the operations and prints the medians; `create` takes the number of its call."""
    try:
        # The coroutine never suspends, so one send runs it to its end. Django refuses to run inside an event loop.
        report_later(who_am_i, create, changed, sign_in).send(None)
    except StopIteration:
        pass


async def report_later(who_am_i, create, changed, sign_in):
    """The same for async operations."""
    count = int(sys.argv[2])
    work = {"who_am_i": (who_am_i, count), "create": (create, count), "changed": (changed, count), "sign_in": (sign_in, max(10, count // 20))}
    medians = {}
    for name, (call, times) in work.items():
        taken = []
        for number in range(times + 3):
            begun = time.perf_counter()
            answer = call(number) if call is create else call()
            if asyncio.iscoroutine(answer):
                answer = await answer
            taken.append(time.perf_counter() - begun)
        # The first three calls load modules and fill caches.
        medians[name] = statistics.median(taken[3:]) * 1e6
    print(json.dumps(medians))
