"""web.py under gunicorn, with four workers on one directory."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support import PACKAGE, PERSON, has_ended, wait_until

import web
from postern_accounts import Backoff, Postern, ProcessExit

WORKERS = 4


class Site:
    """The application, called over HTTP on this machine."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "--workers",
            str(WORKERS),
            "--threads",
            "8",
            "--bind",
            "127.0.0.1:0",
        ]
        self.process = subprocess.Popen(
            [*command, "--log-file", str(self.log), "--worker-tmp-dir", "/dev/shm", "web:application"],
            cwd=PACKAGE,
            env={**os.environ, "ACCOUNTS": str(folder / "accounts")},
        )
        wait_until(lambda: len(re.findall("Booting worker", self._log_text())) == WORKERS)
        found = re.search(r"Listening at: (http://\S+)", self._log_text())
        assert found is not None
        self.url = found.group(1)

    def _log_text(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def post(self, path: str, given: object) -> tuple[int, Any]:
        request = urllib.request.Request(self.url + path, json.dumps(given).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def posterns(self) -> set[int]:
        """The ids of the workers' Postern processes."""
        return {child for worker in children(self.process.pid) for child in children(worker)}


def children(pid: int) -> list[int]:
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.process.terminate()
    site.process.wait(20)


def test_four_workers_share_a_directory(site: Site) -> None:
    status, session = site.post("/register", {"user": PERSON, "password": "a long password"})
    assert status == 200
    # An email is unique across all workers.
    assert site.post("/register", {"user": PERSON, "password": "p"}) == (
        400,
        {"errors": ["operator_exists"], "field": None},
    )

    def add(number: int) -> tuple[int, Any]:
        person = {**PERSON, "email": f"client{number}@example.com"}
        return site.post("/clients", {**session, "client": {"user": person, "address": f"House {number}"}})

    with ThreadPoolExecutor(16) as threads:
        replies = list(threads.map(add, range(200)))
        # A worker opens its client at its first request. On a busy machine, other workers may get all requests.
        deadline = time.monotonic() + 30
        while len(site.posterns()) < WORKERS and time.monotonic() < deadline:
            list(threads.map(lambda _: site.post("/clients/list", session), range(4 * WORKERS)))
    assert {status for status, _ in replies} == {200}
    assert len({reply["id"] for _, reply in replies}) == 200
    assert len(site.posterns()) == WORKERS
    status, listed = site.post("/clients/list", session)
    assert status == 200
    assert sorted(listed["clients"]) == sorted(f"House {number}" for number in range(200))
    assert site.post("/clients/list", {**session, "session_id": "0"})[0] == 401


def test_a_worker_starts_its_process_again_after_a_kill(site: Site) -> None:
    _, session = site.post("/register", {"user": PERSON, "password": "a long password"})
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda _: site.post("/clients/list", session), range(200)))
    before = site.posterns()
    assert before

    def add(number: int) -> int:
        person = {**PERSON, "email": f"client{number}@example.com"}
        return site.post("/clients", {**session, "client": {"user": person, "address": "here"}})[0]

    with ThreadPoolExecutor(16) as threads:
        lists = [threads.submit(site.post, "/clients/list", session) for _ in range(200)]
        added = [threads.submit(add, number) for number in range(200)]
        for pid in before:
            os.kill(pid, signal.SIGKILL)
            assert has_ended(pid, 5)
    # A list is read again. A client that was being added when the process died may have been added.
    assert {call.result()[0] for call in lists} == {200}
    statuses = [call.result() for call in added]
    assert set(statuses) <= {200, 503}
    assert statuses.count(503) <= 16 * len(before)
    count = len(site.post("/clients/list", session)[1]["clients"])
    assert statuses.count(200) <= count <= 200
    assert not before & site.posterns()


def test_no_process_is_left_when_all_workers_are_killed(site: Site) -> None:
    _, session = site.post("/register", {"user": PERSON, "password": "a long password"})
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda _: site.post("/clients/list", session), range(100)))
    workers, posterns = children(site.process.pid), site.posterns()
    assert posterns
    for pid in [site.process.pid, *workers]:
        os.kill(pid, signal.SIGKILL)
    assert all(has_ended(pid, 5) for pid in posterns)


def test_a_worker_opens_another_client_after_one_has_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary, away = tmp_path / "postern", tmp_path / "away"
    binary.symlink_to(os.environ["POSTERN_BIN"])
    exits: list[ProcessExit] = []
    report = web.report

    def recording_report(exit: ProcessExit) -> None:
        report(exit)
        exits.append(exit)

    backoff = Backoff(first=0.01, max=0.01, failed_starts_max=2)
    monkeypatch.setattr(web, "Postern", partial(Postern, binary=binary, backoff=backoff))
    monkeypatch.setattr(web, "report", recording_report)
    monkeypatch.setattr(web, "accounts", web.Accounts(str(tmp_path / "accounts")))
    status, session = web.answer("/register", {"user": PERSON, "password": "a long password"})
    assert status == "200 OK"
    pid = web.accounts.postern().pid
    binary.rename(away)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: bool(exits) and exits[-1].delay is None)
    for _ in range(2):
        assert web.answer("/clients/list", session)[0] == "503 Service Unavailable"
    away.rename(binary)
    assert web.answer("/clients/list", session) == ("200 OK", {"clients": [], "provision": 1})
    web.accounts.forget()
