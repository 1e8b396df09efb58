"""Hosts with signal handlers, with few descriptors or threads, or with POSTERN_ variables in the environment."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import re
import resource
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import fake_binary, has_ended, run_host

from postern_accounts import AsyncPostern, Postern, PosternError, ProcessEnded, _wake

# Leaves a child that holds its pipes. Replies to the first request, and exits at the second.
WITH_CHILD = """
child = os.fork()
if child == 0:
    import time
    time.sleep(60)
answer(sys.stdin.readline(), child)
sys.stdin.readline()
os._exit(3)
"""


def test_the_end_is_reported_while_a_child_holds_the_pipes(tmp_path: Path) -> None:
    with Postern(binary=fake_binary(tmp_path, WITH_CHILD), wait_until_ready=False) as postern:
        child = postern.call("system.info", timeout=10)
        try:
            with pytest.raises(ProcessEnded) as caught:
                postern.call("system.info", timeout=10)
            assert caught.value.exit_code == 3
            postern.close(timeout=10)
        finally:
            os.kill(child, signal.SIGKILL)


def test_the_end_is_reported_to_tasks_while_a_child_holds_the_pipes(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncPostern(binary=fake_binary(tmp_path, WITH_CHILD), wait_until_ready=False) as postern:
            child = await postern.call("system.info")
            try:
                with pytest.raises(ProcessEnded) as caught:
                    await asyncio.wait_for(postern.call("system.info"), 10)
                assert caught.value.exit_code == 3
            finally:
                os.kill(child, signal.SIGKILL)

    asyncio.run(main())


def test_replies_that_were_written_before_the_end_are_returned(tmp_path: Path) -> None:
    """The client returns replies that are in the pipe when it sees that the process has exited."""
    body = "for _ in range(3): answer(sys.stdin.readline(), 'x' * 400_000)\nos._exit(3)"
    with (
        Postern(binary=fake_binary(tmp_path, body), wait_until_ready=False, log=lambda line: None) as postern,
        ThreadPoolExecutor(3) as threads,
    ):
        calls = [threads.submit(postern.call, "system.info", timeout=10) for _ in range(3)]
        assert [len(call.result()) for call in calls] == [400_000] * 3


@pytest.mark.parametrize("size", [1, 100_000])
def test_sigpipe_does_not_end_the_host(tmp_path: Path, size: int) -> None:
    """A write to a process that has closed its stdin does not end a host with the default action for SIGPIPE."""
    body = "answer(sys.stdin.readline(), 1)\nos.close(0)\nprint('closed', file=sys.stderr, flush=True)\n"
    binary = fake_binary(tmp_path, body + "import signal; signal.pause()")
    host = run_host(f"""
        import signal, threading
        from postern_accounts import CallTimeout, Postern
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        has_closed = threading.Event()
        postern = Postern(binary={str(binary)!r}, log=lambda line: has_closed.set(), wait_until_ready=False)
        postern.call("system.info")
        has_closed.wait()
        try:
            postern.call("system.info", ["x" * {size}], timeout=0.2)
        except CallTimeout:
            print("survived")
        postern.close(timeout=0)
    """)
    assert (host.returncode, host.stdout) == (0, "survived\n"), host.stderr


def test_the_end_is_reported_to_a_host_that_ignores_sigchld() -> None:
    """The system keeps no exit code then; the calls fail with ProcessEnded even so."""
    host = run_host("""
        import os, signal
        from postern_accounts import Postern, ProcessEnded
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        with Postern(":memory:") as postern:
            print(postern.system.info().name)
            os.kill(postern.pid, signal.SIGKILL)
            try:
                postern.system.info()
            except ProcessEnded:
                print("ended")
    """)
    assert (host.returncode, host.stdout) == (0, "postern\nended\n"), host.stderr


def test_a_signal_handler_can_close_during_a_close(tmp_path: Path) -> None:
    """A handler that closes, as a handler of SIGTERM does, does not wait for the close that it interrupts."""
    host = run_host(f"""
        import os, signal, threading
        from postern_accounts import Postern
        def end(number, frame):
            postern.close(timeout=0)
            print("closed")
        signal.signal(signal.SIGTERM, end)
        postern = Postern(binary={str(fake_binary(tmp_path, "import time; time.sleep(60)"))!r}, wait_until_ready=False)
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        postern.close()
    """)
    assert (host.returncode, host.stdout) == (0, "closed\n"), host.stderr


def test_a_client_works_with_descriptors_above_1024() -> None:
    """A host may have more descriptors than `select` supports."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 6_000:
        pytest.skip("the hard limit for descriptors is below 6,000")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 6_000), hard))
    others = [os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC) for _ in range(5_000)]

    async def main() -> None:
        async with AsyncPostern(":memory:") as postern:
            assert (await postern.system.info()).name == "postern"

    try:
        with Postern(":memory:") as postern:
            assert postern.system.info().name == "postern"
        asyncio.run(main())
    finally:
        for descriptor in others:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("step", [r"postern-stderr", r"postern-log", r"postern-\d", "pipe"])
def test_a_failed_opening_leaves_no_process_and_no_descriptor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str
) -> None:
    """The system has no thread or no descriptor left at one step of opening."""
    start = threading.Thread.start
    pid_file = tmp_path / "pid"

    def refuse_to_start(thread: threading.Thread) -> None:
        if re.match(step, thread.name):
            raise RuntimeError("can't start new thread")
        start(thread)

    def refuse_pipe() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(threading.Thread, "start", refuse_to_start)
    if step == "pipe":
        monkeypatch.setattr(_wake, "os", SimpleNamespace(pipe=refuse_pipe))
    body = f"open({str(pid_file)!r}, 'w').write(str(os.getpid()))\nsys.stdin.read()"
    binary = fake_binary(tmp_path, body)
    # Collects garbage of other tests, which may hold descriptors.
    gc.collect()
    before = descriptors()
    with pytest.raises(PosternError, match="could not be opened"):
        Postern(binary=binary)
    # The error's traceback holds objects of the failed opening.
    gc.collect()
    assert descriptors() == before
    assert not pid_file.exists() or has_ended(int(pid_file.read_text()), 0)


def test_a_failed_start_leaves_no_descriptor(tmp_path: Path) -> None:
    binary = tmp_path / "postern"
    binary.write_text("no program")
    binary.chmod(0o755)
    before = descriptors()
    for _ in range(20):
        with pytest.raises(Exception, match="could not be started"):
            Postern(binary=binary)
    assert descriptors() == before


@pytest.mark.parametrize("name", ["-accounts", "--help", "two words", "ünïcode"])
def test_a_data_directory_can_have_any_name(tmp_path: Path, name: str) -> None:
    with Postern(name, cwd=tmp_path) as postern:
        assert postern.system.info().store.kind == "directory"
    assert (tmp_path / name / "manifest.json").exists()


def test_the_clients_flags_override_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client passes the settings that it relies on as flags, so POSTERN_ variables cannot change them."""
    monkeypatch.setenv("POSTERN_REPLIES", "in-order")
    monkeypatch.setenv("POSTERN_FRAMING", "header")
    monkeypatch.setenv("POSTERN_DATA", "/nowhere")
    with Postern(":memory:") as postern:
        assert postern.system.info().store.kind == "memory"


def test_stderr_lines_can_have_bad_bytes_any_length_and_no_line_feed(tmp_path: Path) -> None:
    body = r"""
os.write(2, b"bad \xff byte\r\n" + b"x" * (1 << 20) + b"\n\nno line feed")
answer(sys.stdin.readline(), "done")
"""
    heard: list[str] = []
    with Postern(binary=fake_binary(tmp_path, body), wait_until_ready=False, log=heard.append) as postern:
        assert postern.call("system.info") == "done"
        with pytest.raises(ProcessEnded) as caught:
            postern.call("system.info")
    assert heard == ["bad \ufffd byte\r", "x" * (1 << 20), "", "no line feed"]
    assert list(caught.value.stderr_lines) == heard
