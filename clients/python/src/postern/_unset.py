"""What stands for a param that is left out."""

from enum import Enum
from typing import Final


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return self.name


UNSET: Final = Unset.UNSET
"""Stands for a param that is left out; None sends a null, which often clears what is there."""


def given(**params: object) -> dict[str, object]:
    """The params without those that are left out."""
    return {name: value for name, value in params.items() if value is not UNSET}
