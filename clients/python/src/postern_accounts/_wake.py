"""Wakes a thread that polls descriptors."""

import os
from contextlib import suppress


class Wake:
    """A pipe within this process. It is closed with its last reference, so that `ring` never writes to a descriptor
    that the system has reused."""

    _ends: tuple[int, ...] = ()

    def __init__(self) -> None:
        self._ends = self.descriptor, self._bell = os.pipe()
        """`descriptor` is readable after `ring`."""
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._bell, False)

    def ring(self) -> None:
        """Wakes the thread. Takes no lock, so that a finaliser can call it at any point."""
        with suppress(BlockingIOError):
            os.write(self._bell, b"!")

    def reset(self) -> None:
        """Empties the pipe, so that `descriptor` is not readable until the next `ring`."""
        with suppress(BlockingIOError):
            os.read(self.descriptor, 4_096)

    def __del__(self) -> None:
        for descriptor in self._ends:
            os.close(descriptor)
