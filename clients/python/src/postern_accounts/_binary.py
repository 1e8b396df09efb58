"""Finds the binary."""

from __future__ import annotations

import os
import shutil

from .errors import BinaryNotFound


def find_binary(binary: str | os.PathLike[str] | None) -> str:
    """The absolute path of the binary: `binary`, or else the one that POSTERN_BIN names, or else `postern` on the PATH.

    Raises BinaryNotFound if it does not exist or is not executable.
    """
    named = os.environ.get("POSTERN_BIN")
    if binary is not None:
        return _find(os.fspath(binary), "the option binary")
    if named:
        return _find(named, "the environment's POSTERN_BIN")
    return _find("postern", "no option binary and no POSTERN_BIN in the environment, so by default")


def _find(name: str, source: str) -> str:
    found = shutil.which(name)
    if found is not None:
        # The process may run in another directory.
        return os.path.abspath(found)
    if os.path.dirname(name):
        raise BinaryNotFound(f"no program at {os.path.abspath(name)} ({source})")
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    raise BinaryNotFound(f"no program {name} ({source}) in {', '.join(places)}, the directories of the PATH")
