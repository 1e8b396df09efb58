"""Wakes a thread that waits for pipes."""

import os
from contextlib import suppress


class Wake:
    """A pipe to itself. It is closed with its last reference, so that `ring` never meets a descriptor of others."""

    _ends: tuple[int, ...] = ()

    def __init__(self) -> None:
        self._ends = self.descriptor, self._bell = os.pipe()
        """`descriptor` is ready to be read once it has rung."""
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._bell, False)

    def ring(self) -> None:
        """Wakes the thread; takes no lock, so that a finaliser can do it anywhere."""
        with suppress(BlockingIOError):
            os.write(self._bell, b"!")

    def reset(self) -> None:
        """Waits for it to ring again."""
        with suppress(BlockingIOError):
            os.read(self.descriptor, 4_096)

    def __del__(self) -> None:
        for descriptor in self._ends:
            os.close(descriptor)
