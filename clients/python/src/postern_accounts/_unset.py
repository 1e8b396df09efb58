"""The value of a param that is left out."""

from enum import Enum
from typing import Final


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return self.name


UNSET: Final = Unset.UNSET
"""The value of a param that is left out. None sends a null, which often clears the stored value."""


def given(**params: object) -> dict[str, object]:
    """The params that are not `UNSET`."""
    return {name: value for name, value in params.items() if value is not UNSET}
