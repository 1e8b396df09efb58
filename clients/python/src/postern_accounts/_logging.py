"""Passes the lines of stderr on to the program's logging, or else to its stderr."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import select
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress

from ._signals import without_sigpipe

LOGGER = logging.getLogger("postern_accounts")

# time=2016-02-24T22:07:52.371513Z level=warning message="…"
_LOG_LINE = re.compile(r'time=\S+ level=(\w+) message=(".*")')
_LEVELS = {"error": logging.ERROR, "warning": logging.WARNING, "info": logging.INFO}
# A pipe that is ready takes 4,096 bytes without blocking (PIPE_BUF): four of UTF-8 for each character, or the text that
# a formatter adds.
_PIECE_CHARACTERS = 1_000


def log_line(line: str) -> None:
    """Passes a line on to the logger `postern_accounts`, at its level. If no handler is configured, to stderr."""
    if not LOGGER.hasHandlers():
        print_to_stderr(line)
        return
    level, message = _parsed(line)
    if not LOGGER.isEnabledFor(level):
        return
    descriptors = list(_blocking_descriptors())
    if not descriptors:
        LOGGER.log(level, "%s", message)
        return
    for start in range(0, len(message) or 1, _PIECE_CHARACTERS):
        # Before the handler has its lock, for which the program's own threads, and its exit, would have to wait.
        for descriptor in descriptors:
            _wait_until_writable(descriptor)
        with without_sigpipe():
            LOGGER.log(level, "%s", message[start : start + _PIECE_CHARACTERS])


def _parsed(line: str) -> tuple[int, str]:
    """The level and the message of a line. A line that is not one of the log is one with which the program ends: a
    usage error or a crash."""
    match = _LOG_LINE.fullmatch(line)
    if match is None:
        return logging.ERROR, line
    try:
        message = json.loads(match[2])
    except ValueError:
        return logging.ERROR, line
    return _LEVELS.get(match[1], logging.WARNING), str(message)


def _blocking_descriptors() -> Iterator[int]:
    """The pipes, terminals and sockets that the handlers write to."""
    logger: logging.Logger | None = LOGGER
    while logger is not None:
        for handler in logger.handlers:
            # A stream of the program may have no descriptor.
            with suppress(Exception):
                descriptor = handler.stream.fileno()  # type: ignore[attr-defined]
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    yield descriptor
        logger = logger.parent if logger.propagate else None


def print_to_stderr(line: str) -> None:
    """Prints a line to the program's stderr, if it has one. Drops the line if that fails."""
    stream = sys.stderr
    if stream is None:
        # The host started with descriptor 2 closed; print would write to stdout.
        return
    with suppress(OSError, ValueError):
        if stream is not sys.__stderr__ or not isinstance(stream, io.TextIOWrapper):
            with without_sigpipe():
                print(line, file=stream, flush=True)
            return
        # Not through the stream's buffer, which would keep a failed write and repeat it when the interpreter exits.
        _write_all(stream.fileno(), f"{line}\n".encode(stream.encoding, "backslashreplace"))


def _write_all(descriptor: int, data: bytes) -> None:
    # A writable pipe accepts PIPE_BUF bytes without blocking. Under gevent, blocking would stop all greenlets of the
    # host.
    while data:
        _wait_until_writable(descriptor)
        with suppress(BlockingIOError), without_sigpipe():
            data = data[os.write(descriptor, data[: select.PIPE_BUF]) :]


def _wait_until_writable(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll()
