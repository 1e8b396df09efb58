"""Starts and ends the process, and reads its stderr."""

from __future__ import annotations

import atexit
import io
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ._binary import find_binary
from ._log_queue import Log
from ._signals import without_sigpipe
from ._stderr import StderrReader
from .errors import PosternError, ProcessEnded

# How long opening waits for the first reply.
OPENING_SECONDS = 60.0
# How long a process that has closed its stdout may take to exit.
_EXIT_SECONDS = 5
# How long after its stdin is closed the process gets a SIGTERM, and how long after that a SIGKILL.
CLOSING_SECONDS = 30.0
TERMINATION_SECONDS = 5.0

AFTER_FORK = "this client was opened before a fork; open another one in the child process"

StrPath = str | os.PathLike[str]


@dataclass(frozen=True)
class Options:
    """How to start a process. `Postern` and `AsyncPostern` document the options."""

    data: StrPath | None = None
    binary: StrPath | None = None
    arguments: Sequence[str] = ()
    cwd: StrPath | None = None
    env: Mapping[str, str | None] | None = None
    log: Log | None = None
    delivers_mail: bool = False

    def environment(self) -> dict[str, str] | None:
        """The environment of the process; None for the one of this process."""
        if self.env is None:
            return None
        merged = {**os.environ, **self.env}
        return {name: value for name, value in merged.items() if value is not None}

    def command(self, event_flags: Sequence[str]) -> list[str]:
        """The command line."""
        data = [] if self.data is None else ["--data", os.fspath(self.data)]
        framing = ["--replies", "as-completed", "--framing", "line"]
        mail = ["--mail", "host"] if self.delivers_mail else []
        return [find_binary(self.binary), *data, *framing, *self.arguments, *mail, *event_flags]


class Process:
    """A running Postern process and its pipes. A thread reads its stderr, so that the pipe never fills."""

    def __init__(self, options: Options, event_flags: Sequence[str] = ()) -> None:
        """Starts the process. Raises BinaryNotFound, and PosternError if the system refuses to start it."""
        command = options.command(event_flags)
        self.is_of_another_process = False
        """Whether this process is the child of a fork, and its parent started the Postern process."""
        self.has_no_reader = False
        """Whether a write has failed, because the process had closed its stdin."""
        with _low_descriptors_taken():
            self._child, self._stdin, self._stdout, stderr = _spawn(command, options)
            self._exit = _exit_of(self._child)
        self.stdin = self._stdin.fileno()
        self.stdout = self._stdout.fileno()
        os.set_blocking(self.stdin, False)
        os.set_blocking(self.stdout, False)
        # The stderr thread reaps the process, because the client may no longer exist.
        self._stderr = StderrReader(stderr, options.log, self.pid, at_end=self._child.wait)
        self.output_descriptors = [self.stdout] if self._exit is None else [self._exit.fileno(), self.stdout]
        """Descriptors that become readable when stdout has data, or has ended, or the process has exited."""
        _running[self] = self.close
        with self.ended_on_failure():
            self._stderr.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether this process started it and has not yet seen it end."""
        return self in _running

    @contextmanager
    def ended_on_failure(self) -> Iterator[None]:
        """Ends the process if the block, a step of opening a client, fails."""
        try:
            yield
        except BaseException as error:
            self.close_stdin()
            self.kill()
            self.finish()
            self._stderr.close_unless_read()
            if isinstance(error, (OSError, RuntimeError)):
                # The system has no descriptor or no thread left.
                raise PosternError(f"Postern could not be opened: {error}") from error
            raise

    def at_exit(self, close: Callable[[], None]) -> None:
        """Sets what is called, in place of `close`, if the process still runs when the interpreter exits."""
        _running[self] = close

    def write(self, data: bytes) -> int:
        """Writes without blocking, and returns how many bytes were written. If the process has ended, it sets
        `has_no_reader`."""
        try:
            # Command line programs use the default action of SIGPIPE for their own stdout. A closed pipe to the process
            # must not end the host.
            if signal.getsignal(signal.SIGPIPE) is signal.SIG_DFL:
                return _write_without_sigpipe(self.stdin, data)
            return os.write(self.stdin, data)
        except BlockingIOError:
            return 0
        except OSError:
            # The process has ended, which `output_descriptors` report. Nothing is left to be written.
            self.has_no_reader = True
            return len(data)

    def close_stdin(self) -> None:
        """Ends the process's input. The process replies to the requests that it has read, and exits."""
        self._stdin.close()

    def terminate(self) -> None:
        """Sends SIGTERM, at which the process ends as it does at the end of its input."""
        self._child.terminate()

    def kill(self) -> None:
        """Sends SIGKILL."""
        self._child.kill()

    def stop(self) -> None:
        """Sends SIGTERM, and SIGKILL to a process that has not exited five seconds later. Does not wait."""
        self.terminate()
        try:
            threading.Thread(target=self._kill_later, name=f"postern-kill-{self.pid}", daemon=True).start()
        except RuntimeError:
            # The system has no thread left.
            self.kill()

    def _kill_later(self) -> None:
        if not self.has_exited(TERMINATION_SECONDS):
            self.kill()

    def has_exited(self, seconds: float) -> bool:
        """Whether the process exits within so many seconds."""
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def finish(self) -> ProcessEnded:
        """Waits for the process to exit, after the end of its stdout, and returns how it ended."""
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
        """Ends the process and drops the rest of its output."""
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
        """In the child of a fork: closes the pipes, so that only the parent decides when the process ends."""
        self.is_of_another_process = True
        self._stdin.close()
        self._close_outputs()
        self._stderr.close()
        # Otherwise Popen would wait for it as garbage, and it is not a child of this process.
        self._child.returncode = 0


_Spawned = tuple["subprocess.Popen[bytes]", io.FileIO, io.FileIO, io.FileIO]


def _spawn(command: list[str], options: Options) -> _Spawned:
    """Starts a process. The pipes are created here, because those of a Popen patched by gevent are not plain files."""
    ours: list[io.FileIO] = []
    theirs: list[int] = []
    try:
        for mode in ("wb", "rb", "rb"):
            reader, writer = os.pipe()
            ours.append(io.FileIO(writer if mode == "wb" else reader, mode))
            theirs.append(reader if mode == "wb" else writer)
        # In a new session, so that Ctrl-C in the terminal reaches only the host.
        child = subprocess.Popen(
            command,
            stdin=theirs[0],
            stdout=theirs[1],
            stderr=theirs[2],
            cwd=options.cwd,
            env=options.environment(),
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
    """Keeps the pipes from getting the descriptors 0, 1 and 2 if the host has closed those: code that writes to stdout
    or stderr by number would write into a pipe of the process."""
    taken: list[int] = []
    try:
        try:
            while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
                taken.append(descriptor)
            os.close(descriptor)
        except OSError:
            # No descriptor is left; creating the pipes reports that.
            pass
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)


def _exit_of(child: subprocess.Popen[bytes]) -> io.FileIO | None:
    """A pidfd, which is readable once the process has exited, even if a child of the process holds its stdout open.

    None if the system has no pidfds; then only the end of stdout shows that the process has ended.
    """
    try:
        return io.FileIO(os.pidfd_open(child.pid))
    except OSError:
        return None


def _write_without_sigpipe(descriptor: int, data: bytes) -> int:
    with without_sigpipe():
        return os.write(descriptor, data)


# The running processes, and the function that closes each when the interpreter exits.
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
