"""The process: started, listened to on stderr, and ended."""

from __future__ import annotations

import atexit
import io
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ._binary import find_binary
from ._stderr import Log, StderrReader, without_sigpipe
from .errors import PosternError, ProcessEnded

# How long opening waits for the first reply.
OPENING_SECONDS = 60.0
# How long a process that has closed its stdout may take to exit.
_EXIT_SECONDS = 5
# How long after the end of its stdin it gets a SIGTERM, and how long after that it is killed.
CLOSING_SECONDS = 30.0
TERMINATION_SECONDS = 5.0

StrPath = str | os.PathLike[str]


@dataclass(frozen=True)
class Options:
    """How to start a process; the clients say what each is."""

    data: StrPath | None = None
    binary: StrPath | None = None
    arguments: Sequence[str] = ()
    cwd: StrPath | None = None
    env: Mapping[str, str] | None = None
    log: Log | None = None

    def command(self) -> list[str]:
        """The command line."""
        data = [] if self.data is None else ["--data", os.fspath(self.data)]
        framing = ["--replies", "as-completed", "--framing", "line"]
        return [find_binary(self.binary), *data, *framing, *self.arguments]


class Process:
    """A Postern that runs, and its pipes. What it writes to stderr is read by a thread, so that it never fills up."""

    def __init__(self, options: Options) -> None:
        """Starts it; raises BinaryNotFound, and PosternError where the system refuses."""
        command = options.command()
        self.is_of_another_process = False
        """Whether it was started before a fork of which this process is the child."""
        with _low_descriptors_taken():
            self._child, self._stdin, self._stdout, stderr = _spawn(command, options)
            self._exit = _exit_of(self._child)
        self.stdin = self._stdin.fileno()
        self.stdout = self._stdout.fileno()
        os.set_blocking(self.stdin, False)
        os.set_blocking(self.stdout, False)
        # Nobody may be left who asks how it ended.
        self._stderr = StderrReader(stderr, options.log, self.pid, at_end=self._child.wait)
        self.telling = [self.stdout] if self._exit is None else [self._exit.fileno(), self.stdout]
        """Descriptors that are ready to be read once there is something to read from stdout, or nothing any more."""
        _running[self] = self.close
        with self.ended_on_failure():
            self._stderr.start()

    @property
    def pid(self) -> int:
        """The number that the system knows it by."""
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether it is a process of this one's that has not ended, as far as was seen."""
        return self in _running

    @contextmanager
    def ended_on_failure(self) -> Iterator[None]:
        """Leaves no process behind where one of the steps of opening a client fails."""
        try:
            yield
        except BaseException as error:
            self.close_stdin()
            self.kill()
            self.finish()
            self._stderr.close_unless_read()
            if isinstance(error, (OSError, RuntimeError)):
                # No descriptor or no thread is left.
                raise PosternError(f"Postern could not be opened: {error}") from error
            raise

    def at_exit(self, close: Callable[[], None]) -> None:
        """What to do when the interpreter ends and it still runs, in place of `close`."""
        _running[self] = close

    def refuse_after_fork(self) -> None:
        """Raises PosternError in the child of a fork, to which the process does not belong."""
        if self.is_of_another_process:
            raise PosternError("this client was opened before a fork; open another one in the child process")

    def write(self, data: bytes) -> int:
        """How many bytes its stdin took at once."""
        try:
            # A host that lets a SIGPIPE end it, as programs for the command line do, means its own stdout.
            if signal.getsignal(signal.SIGPIPE) is signal.SIG_DFL:
                return _write_without_sigpipe(self.stdin, data)
            return os.write(self.stdin, data)
        except BlockingIOError:
            return 0
        except OSError:
            # The process is gone, which `telling` tells, so here all counts as sent.
            return len(data)

    def close_stdin(self) -> None:
        """Tells it that no more requests come; it answers those that it has read, and exits."""
        self._stdin.close()

    def terminate(self) -> None:
        """Asks it with SIGTERM to end, which it does as at the end of its input."""
        self._child.terminate()

    def kill(self) -> None:
        """Ends it with SIGKILL."""
        self._child.kill()

    def has_exited(self, seconds: float) -> bool:
        """Whether it exits within a time."""
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def finish(self) -> ProcessEnded:
        """Waits for it to exit, once its stdout has ended, and gives how it did."""
        if not self.has_exited(_EXIT_SECONDS):
            self.kill()
            end = ProcessEnded(None, None, self._stderr.last_lines())
            self._child.wait()
        elif self._child.returncode < 0:
            end = ProcessEnded(None, -self._child.returncode, self._stderr.last_lines())
        else:
            end = ProcessEnded(self._child.returncode, None, self._stderr.last_lines())
        self._close_outputs()
        _running.pop(self, None)
        return end

    def close(self) -> None:
        """Ends it without a look at what it still has to say."""
        self.close_stdin()
        self._close_outputs()
        if not self.has_exited(CLOSING_SECONDS):
            self.terminate()
            if not self.has_exited(TERMINATION_SECONDS):
                self.kill()
        self.finish()

    def _close_outputs(self) -> None:
        self._stdout.close()
        if self._exit is not None:
            self._exit.close()

    def leave_to_parent(self) -> None:
        """In the child of a fork: lets go of the pipes, so that the parent alone decides when the process ends."""
        self.is_of_another_process = True
        self._stdin.close()
        self._close_outputs()
        self._stderr.close()
        # Else it would be missed when it is garbage: it is no child of this process.
        self._child.returncode = 0


_Spawned = tuple["subprocess.Popen[bytes]", io.FileIO, io.FileIO, io.FileIO]


def _spawn(command: list[str], options: Options) -> _Spawned:
    """Starts a process. The pipes are made here, as those of a Popen that gevent has patched are no plain files."""
    ours: list[io.FileIO] = []
    theirs: list[int] = []
    try:
        for mode in ("wb", "rb", "rb"):
            reader, writer = os.pipe()
            ours.append(io.FileIO(writer if mode == "wb" else reader, mode))
            theirs.append(reader if mode == "wb" else writer)
        # A session of its own, so that a Ctrl-C in the terminal reaches the host alone.
        child = subprocess.Popen(
            command,
            stdin=theirs[0],
            stdout=theirs[1],
            stderr=theirs[2],
            cwd=options.cwd,
            env=options.env,
            start_new_session=True,
        )
    except BaseException as error:
        for pipe in ours:
            pipe.close()
        if isinstance(error, OSError):
            raise PosternError(f"{command[0]} could not be started: {error}") from error
        raise
    finally:
        for descriptor in theirs:
            os.close(descriptor)
    stdin, stdout, stderr = ours
    return child, stdin, stdout, stderr


@contextmanager
def _low_descriptors_taken() -> Iterator[None]:
    """Keeps the pipes away from 0, 1 and 2 where the host has closed those: what writes to stdout or stderr by number
    would write into a pipe of the process."""
    taken: list[int] = []
    try:
        try:
            while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
                taken.append(descriptor)
            os.close(descriptor)
        except OSError:
            # No descriptor is left, which the pipes report.
            pass
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)


def _exit_of(child: subprocess.Popen[bytes]) -> io.FileIO | None:
    """What is ready to be read once a process has exited, as a child of its own may hold its stdout even then.

    None where the system has no such thing; there the end of stdout has to do.
    """
    try:
        return io.FileIO(os.pidfd_open(child.pid))
    except OSError:
        return None


def _write_without_sigpipe(descriptor: int, data: bytes) -> int:
    with without_sigpipe():
        return os.write(descriptor, data)


# The processes that run, and how each is closed when the interpreter ends.
_running: dict[Process, Callable[[], None]] = {}


def _close_all() -> None:
    for close in list(_running.values()):
        close()


def _leave_all_to_parent() -> None:
    for process in list(_running):
        process.leave_to_parent()
    _running.clear()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_leave_all_to_parent)
