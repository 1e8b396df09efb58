"""What the trials of packages share: commands in a clean environment, and a first session with a program."""

import json
import os
import pathlib
import subprocess
import time
from collections.abc import Mapping, Sequence

from project import ROOT, Machine

SECONDS_MAX = 180
# From an empty folder to the first reply.
FIRST_REPLY_SECONDS_MAX = 15
INFO = '{"jsonrpc":"2.0","id":1,"method":"system.info"}\n'


class Failed(Exception):
    """A trial failed."""


def environment(folder: pathlib.Path, **variables: str) -> dict[str, str]:
    """The environment of a user who has only the system's programs."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder), "LANG": "C.UTF-8", **variables}


def run(
    *command: str | os.PathLike[str],
    folder: pathlib.Path,
    variables: Mapping[str, str] = {},
    given: str = "",
    code: int = 0,
) -> str:
    """Runs a command in a clean environment, and returns stdout. Fails if the exit code is another."""
    outcome = subprocess.run(
        command,
        cwd=folder,
        env=environment(folder, **variables),
        input=given,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    if outcome.returncode != code:
        words = " ".join(str(word) for word in command)
        raise Failed(f"{words}: exit code {outcome.returncode}, not {code}\n{outcome.stdout[-800:]}{outcome.stderr[-2000:]}")
    return outcome.stdout


def expect(condition: bool, what: str) -> None:
    """Fails if a condition does not hold."""
    if not condition:
        raise Failed(what)


def runner(machine: Machine) -> list[str]:
    """What runs a program for that machine on this one."""
    if machine.name == os.uname().machine:
        return []
    return [f"qemu-{machine.name}-static"]


def expect_info(reply: str) -> None:
    """Fails if that is not a reply to INFO."""
    expect(json.loads(reply)["result"]["name"] == "postern", f"the first reply is {reply!r}")


def play_tour(command: Sequence[str | os.PathLike[str]], folder: pathlib.Path) -> None:
    """Plays the tour of all three APIs, and compares each reply."""
    flags = (ROOT / "schema/cases/flags.txt").read_text().split()
    replies = run(*command, *flags, folder=folder, given=(ROOT / "examples/tour.jsonl").read_text())
    expect(replies == (ROOT / "examples/tour.replies.jsonl").read_text(), "the replies of the tour differ")


class Times:
    """The seconds from an empty folder to the first reply, by the way that a person takes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def first_reply(self, way: str, started: float) -> None:
        seconds = time.monotonic() - started
        self.seconds[way] = round(seconds, 1)
        if seconds > FIRST_REPLY_SECONDS_MAX:
            raise Failed(f"{way}: {seconds:.1f} s from an empty folder to the first reply, over {FIRST_REPLY_SECONDS_MAX}")
