"""The application with two workers, the mails that it sends, and a visitor without a browser."""

from __future__ import annotations

import email
import email.policy
import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from html import unescape
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urlsplit

FOLDER = Path(__file__).parents[1]
CLIENT = FOLDER.parents[1] / "clients" / "python" / "src"
WORKERS = 2


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


class Site:
    def __init__(self, folder: Path, application: str = "app:app") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        self.mails = folder / "mails"
        self.data = folder / "accounts"
        self._workers = folder / "workers"
        self._log = folder / "log"
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, [FOLDER, FOLDER / "tests", CLIENT])),
            "WEBAPP": application,
            "WORKERS_LOG": str(self._workers),
            "POSTERN_DATA": str(self.data),
            "POSTERN_MAIL": f"directory:{self.mails}",
            "POSTERN_MAIL_TEMPLATES": str(FOLDER / "mails"),
            "POSTERN_PUBLIC_URL": self.url,
            # The same for the peer.
            "DATABASE": str(folder / "database.sqlite"),
            "MAILS": str(self.mails),
            "PUBLIC_URL": self.url,
            "SECRET": "a secret of the tests only, of 32 bytes",
        }
        if application.startswith("fastapi_users_peer"):
            subprocess.run([sys.executable, "-m", "fastapi_users_peer.database"], env=environment, check=True)
        command = [sys.executable, "-m", "uvicorn", "--workers", str(WORKERS), "--no-access-log"]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), "recorded:app"], env=environment, stdout=log, stderr=log
            )
        wait_until(lambda: self.log.count("Application startup complete") == WORKERS)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def requests_by_worker(self) -> Counter[str]:
        """The number of requests that each worker has served, by its process id."""
        return Counter(line.split()[0] for line in self._workers.read_text().splitlines())

    def posterns(self) -> list[int]:
        """The ids of the workers' Postern processes."""
        return [pid for worker in children(self.process.pid) for pid in children(worker) if program(pid) == "postern"]

    def command(self, *arguments: str) -> str:
        """Runs a command of Postern on the data of the site, and returns its output."""
        command = [os.environ["POSTERN_BIN"], *arguments, "--data", str(self.data)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def make_administrator(self, email: str) -> None:
        self.command("account", "set-app-metadata", f"operators:{email}", '{"admin": true}')

    def link(self, to: str, path: str) -> str:
        """The link in the newest mail to an address that has a link to a path of the application."""
        wait_until(lambda: self._links(to, path))
        return self._links(to, path)[-1]

    def _links(self, to: str, path: str) -> list[str]:
        texts = self._parts(to, "plain")
        return [link for text in texts for link in re.findall(rf"{re.escape(self.url)}{path}\?\S+", text)]

    def html(self, to: str) -> str:
        """The HTML part of the newest mail to an address that has one."""
        wait_until(lambda: self._parts(to, "html"))
        return self._parts(to, "html")[-1]

    def _parts(self, to: str, kind: str) -> list[str]:
        """The text or HTML parts of all mails to an address, the oldest first."""
        files = sorted(self.mails.glob("*.eml"))
        mails = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
        parts = [mail.get_body((kind,)) for mail in mails if mail["To"] == to]
        return [part.get_content() for part in parts if part is not None]


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def program(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


class Visitor:
    """A client that keeps cookies, as a browser does, and whose requests can be forged."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []
        self.headers: http.client.HTTPMessage = http.client.HTTPMessage()
        self.html = ""
        self.location: str | None = None

    @property
    def text(self) -> str:
        """The page, with its escaped characters as a browser shows them."""
        return unescape(self.html)

    def get(self, path: str) -> int:
        return self._request("GET", path, None)

    def post(self, path: str, **fields: str) -> int:
        """Posts a form, with the token of a page that was loaded before."""
        token = self.cookies.get("__Host-form", "")
        return self.forge(path, **{"form_token": token, **fields})

    def forge(self, path: str, **fields: str) -> int:
        """Posts a form without a token."""
        return self._request("POST", path, urlencode(fields))

    def follow(self, link: str, **fields: str) -> int:
        """Opens a link from a mail, and posts its form."""
        parts = urlsplit(link)
        assert self.get(f"{parts.path}?{parts.query}") == 200
        code = re.search(r'name="code" value="([^"]+)"', self.text)
        assert code is not None
        return self.post(parts.path, code=unescape(code[1]), **fields)

    def _request(self, method: str, path: str, body: str | None) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self._site.port, timeout=30)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        self.html = response.read().decode()
        self.headers = response.headers
        self.location = response.headers["Location"]
        self.set_cookies = response.headers.get_all("Set-Cookie") or []
        for header in self.set_cookies:
            for cookie in SimpleCookie(header).values():
                if cookie["max-age"] == "0":
                    self.cookies.pop(cookie.key, None)
                else:
                    self.cookies[cookie.key] = cookie.value
        connection.close()
        return response.status
