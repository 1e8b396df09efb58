"""Finds the binary."""

from __future__ import annotations

import os
import pathlib
import shutil
import sys
import sysconfig
from collections.abc import Iterator

from .errors import BinaryNotFound


def find_binary(binary: str | os.PathLike[str] | None) -> str:
    """The absolute path of the binary: `binary`, or else the one that POSTERN_BIN names, or else the one that pip
    installed with this package, or else `postern` on the PATH.

    Raises BinaryNotFound if it does not exist or is not executable.
    """
    named = os.environ.get("POSTERN_BIN")
    if binary is not None:
        return _find(os.fspath(binary), "the option binary")
    if named:
        return _find(named, "the environment's POSTERN_BIN")
    installed = next(_installed_binaries(), None)
    if installed is not None:
        return installed
    return _find("postern", "no option binary, no POSTERN_BIN in the environment and none installed with this package")


def find_postern_bin() -> str:
    """The path of the binary that pip installed with this package, for programs that start it themselves.

    Raises BinaryNotFound if there is none: a package built from its sources is the client only.
    """
    installed = next(_installed_binaries(), None)
    if installed is None:
        raise BinaryNotFound(f"no program postern in {', '.join(dict.fromkeys(_script_folders()))}")
    return installed


def _installed_binaries() -> Iterator[str]:
    for folder in _script_folders():
        path = os.path.join(folder, "postern")
        if os.path.isfile(path) and os.access(path, os.X_OK):
            yield path


def _script_folders() -> Iterator[str]:
    """The folders into which an installer may have put the wheel's script, the likeliest first."""
    package = pathlib.Path(__file__).resolve().parent
    # In this environment, or in the one below it, of which a virtual environment can see the packages.
    yield sysconfig.get_path("scripts")
    yield sysconfig.get_path("scripts", vars={"base": sys.base_prefix})
    # Beside the package: pip install --prefix, and --target.
    if package.parent.name in ("site-packages", "dist-packages") and len(package.parents) > 3:
        yield str(package.parents[3] / "bin")
    yield str(package.parent / "bin")
    # In the home directory: pip install --user.
    yield sysconfig.get_path("scripts", scheme=sysconfig.get_preferred_scheme("user"))


def _find(name: str, source: str) -> str:
    found = shutil.which(name)
    if found is not None:
        # The process may run in another directory.
        return os.path.abspath(found)
    if os.path.dirname(name):
        raise BinaryNotFound(f"no program at {os.path.abspath(name)} ({source})")
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    raise BinaryNotFound(f"no program {name} ({source}) in {', '.join(places)}, the directories of the PATH")
