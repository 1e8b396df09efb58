"""Results whose `repr`, which logs and tracebacks show, contains no credential."""

from __future__ import annotations

from dataclasses import fields
from types import MappingProxyType
from typing import Any, Final

SECRET: Final = MappingProxyType({"secret": True})
"""The metadata of a field with a session, token, password or code."""


class Redacting:
    """The base of the dataclasses with such fields."""

    __slots__ = ()

    def __repr__(self) -> str:
        mine: Any = self
        shown = ", ".join(f"{field.name}={_shown(field.metadata, getattr(self, field.name))}" for field in fields(mine))
        return f"{type(self).__qualname__}({shown})"


def _shown(metadata: object, value: object) -> str:
    # An absent value is no secret.
    return "[redacted]" if metadata == SECRET and value is not None else repr(value)
