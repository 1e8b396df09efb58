"""What opening checks about the service: the version of its contract, and whether it can be supervised."""

from __future__ import annotations

from collections.abc import Mapping

from ._bounds import CONTRACT_VERSION
from ._failures import PosternError, ProtocolError

UNSUPERVISABLE = "a store in memory cannot be supervised: its accounts end with the process"


def check_service(info: object, is_supervised: bool) -> None:
    """Checks a service by its `system.info`.

    Raises:
        ProtocolError: Its contract does not fit that of this client.
        PosternError: It is supervised, and stores nothing on disk.
    """
    if not isinstance(info, Mapping):
        return
    check_contract(info.get("contract"))
    store = info.get("store")
    if is_supervised and isinstance(store, Mapping) and store.get("kind") == "memory":
        raise PosternError(UNSUPERVISABLE)


def check_contract(version: object) -> None:
    """A minor version adds to the contract, and a major version breaks it. So the major versions must be equal, and the
    service must not be older. Raises ProtocolError with both versions."""
    theirs = _parts(version) if isinstance(version, str) else []
    ours = _parts(CONTRACT_VERSION)
    if theirs[:1] == ours[:1] and theirs >= ours:
        return
    has = f"version {version}" if isinstance(version, str) else "no version"
    needs = f"{CONTRACT_VERSION} or a later {ours[0]}.x"
    raise ProtocolError(f"the contract of this Postern has {has}; this client needs {needs}")


def _parts(version: str) -> list[int]:
    return [int(part) if part.isdecimal() else 0 for part in version.split(".")]
