"""Functions that several tests use."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from postern_accounts import AsyncPostern, Postern
from postern_accounts._async_traffic import AsyncTraffic
from postern_accounts._link import Link
from postern_accounts._traffic import Traffic
from postern_accounts.types import OperatorsPersonInput

PACKAGE = Path(__file__).resolve().parents[1]

os.environ.setdefault("POSTERN_BIN", str(PACKAGE.parents[1] / ".build/release/postern"))
# For the programs that the tests run.
os.environ["PYTHONPATH"] = str(PACKAGE / "src")


def fake_binary(folder: Path, body: str) -> Path:
    """An executable in place of Postern: a Python script with `sys`, `os`, `json` and `answer(request, result)`."""
    path = folder / "postern"
    path.write_text(
        f"#!{sys.executable} -SE\n"
        "import json, os, sys\n"
        "def answer(request, result):\n"
        "    reply = {'jsonrpc': '2.0', 'id': json.loads(request)['id'], 'result': result}\n"
        "    print(json.dumps(reply), flush=True)\n"
        f"{body}\n"
    )
    path.chmod(0o755)
    return path


def wait_until(condition: Callable[[], bool]) -> None:
    """Waits for a condition that another thread makes true; fails after 10 seconds."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "the condition is still false"
        time.sleep(0.001)


def calls_in_flight(postern: Postern | AsyncPostern) -> int:
    """How many calls wait for their replies."""
    return len(link_of(postern)._waiting)


def link_of(postern: Postern | AsyncPostern) -> Link[Any]:
    """The internal state of a client that is not supervised."""
    traffic = postern._connection.traffic
    assert isinstance(traffic, (Traffic, AsyncTraffic))
    return traffic._link


def has_ended(pid: int, seconds: float) -> bool:
    """Whether a process, child of this one or not, ends within so many seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def run_host(script: str) -> subprocess.CompletedProcess[str]:
    """Runs a program that uses the client, with warnings as errors."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script)]
    return subprocess.run(command, capture_output=True, text=True, timeout=20)


def run_pytest(pytester: pytest.Pytester, *arguments: str) -> dict[str, int]:
    """Runs pytest in the folder of `pytester`, with warnings as errors, and returns how many tests passed and so on."""
    plugins = ("-p", "no:asyncio", "-p", "pytest_postern_accounts")
    return pytester.runpytest_subprocess("-W", "error", *plugins, *arguments).parseoutcomes()


PERSON: OperatorsPersonInput = {"first_name": "Luke", "last_name": "Sorenson", "email": "lasoren@bu.edu"}
