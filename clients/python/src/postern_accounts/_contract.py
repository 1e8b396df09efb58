"""The version of the contract."""

from __future__ import annotations

from collections.abc import Mapping

from ._bounds import CONTRACT_VERSION
from ._failures import ProtocolError


def check_contract(info: object) -> None:
    """Raises ProtocolError if the service, by its `system.info`, has an older contract than this client."""
    if not isinstance(info, Mapping):
        return
    version = info.get("contract")
    if not isinstance(version, str) or _parts(version) < _parts(CONTRACT_VERSION):
        has = f"version {version}" if isinstance(version, str) else "no version"
        raise ProtocolError(f"the contract of this Postern has {has}; this client needs {CONTRACT_VERSION} or later")


def _parts(version: str) -> list[int]:
    return [int(part) if part.isdecimal() else 0 for part in version.split(".")]
