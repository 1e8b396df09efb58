"""SIGPIPE, with whose default action a write to a pipe without a reader would end the host."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_sigpipe() -> Iterator[None]:
    """Blocks SIGPIPE in this thread."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
    try:
        yield
    finally:
        # Consumes the pending signal, which would be delivered when the mask is restored. The block may have caught the
        # BrokenPipeError.
        if signal.SIGPIPE not in before and signal.SIGPIPE in signal.sigpending():
            signal.sigtimedwait({signal.SIGPIPE}, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
