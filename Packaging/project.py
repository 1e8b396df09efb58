"""What the packages say about the project: its version, its words, its files and the machines that it runs on."""

import dataclasses
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
BUILD = ROOT / ".build/dist"
VERSION = (ROOT / "VERSION").read_text().strip()
SUMMARY = "User-accounts backend for any program, over stdin and stdout"
DESCRIPTION = (
    "Registration, sign-in, sessions, password resets, email confirmation and administration for programs in any "
    "language, which spawn one process and exchange lines of JSON-RPC 2.0 with it. The data are a directory of JSON "
    "files that a person can read and that survives a crash."
)
# A project without a home on the network has no address of its own: packages that must have one get these.
MAINTAINER = "The Postern authors <postern@localhost>"
NOTICES = [ROOT / "LICENSE", ROOT / "NOTICE"]
SHELLS = ["bash", "zsh", "fish"]


@dataclasses.dataclass(frozen=True)
class Machine:
    """A kind of machine, by the name that each kind of package uses for it."""

    name: str
    debian: str
    node: str
    container: str

    @property
    def binary(self) -> pathlib.Path:
        """The stripped binary, which `make dist` builds."""
        return BUILD / self.name / "postern"


MACHINES = [Machine("x86_64", "amd64", "x64", "amd64"), Machine("aarch64", "arm64", "arm64", "arm64")]


def selected_machines() -> list[Machine]:
    """The machines that the environment's MACHINES names; by default all."""
    names = os.environ.get("MACHINES", "").split() or [machine.name for machine in MACHINES]
    unknown = set(names) - {machine.name for machine in MACHINES}
    if unknown:
        raise SystemExit(f"MACHINES names unknown machines: {', '.join(sorted(unknown))}")
    return [machine for machine in MACHINES if machine.name in names]


def date_of_sources() -> int:
    """The time that every file of a package gets, in Unix seconds: SOURCE_DATE_EPOCH, or else the last commit's."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        given = subprocess.run(["git", "-C", ROOT, "log", "-1", "--format=%ct"], check=True, capture_output=True, text=True).stdout
    if not re.fullmatch(r"\d+", given.strip()):
        raise SystemExit("SOURCE_DATE_EPOCH is not a number of seconds")
    return int(given)


def files_below(folder: pathlib.Path) -> list[pathlib.Path]:
    """The files of the repository in a folder, without what an editor or a test has left there."""
    names = subprocess.run(["git", "-C", folder, "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    return sorted(folder / name for name in names.split("\0") if name and (folder / name).is_file())


def printed_by_program(*arguments: str) -> bytes:
    """What the program of this machine prints, such as its man page."""
    program = next(machine for machine in MACHINES if machine.name == os.uname().machine).binary
    return subprocess.run([program, *arguments], check=True, capture_output=True, env={}).stdout
