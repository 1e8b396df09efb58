"""Hosts of all kinds: with handlers of signals, short of descriptors or threads, with environments of their own."""

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

from postern import AsyncPostern, Postern, PosternError, ProcessEnded, _wake

# Leaves a child that holds its pipes, and ends with the first request, which it answers.
WITH_CHILD = """
child = os.fork()
if child == 0:
    import time
    time.sleep(60)
answer(sys.stdin.readline(), child)
sys.stdin.readline()
os._exit(3)
"""


def test_end_while_a_child_holds_the_pipes(tmp_path: Path) -> None:
    with Postern(binary=fake_binary(tmp_path, WITH_CHILD), wait_until_ready=False) as postern:
        child = postern.call("system.info", timeout=10)
        try:
            with pytest.raises(ProcessEnded) as caught:
                postern.call("system.info", timeout=10)
            assert caught.value.exit_code == 3
            postern.close(timeout=10)
        finally:
            os.kill(child, signal.SIGKILL)


def test_end_while_a_child_holds_the_pipes_for_tasks(tmp_path: Path) -> None:
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


def test_all_is_read_before_the_end(tmp_path: Path) -> None:
    """What came is handed out also where the process has exited before anybody looked."""
    body = "for _ in range(3): answer(sys.stdin.readline(), 'x' * 400_000)\nos._exit(3)"
    with (
        Postern(binary=fake_binary(tmp_path, body), wait_until_ready=False, log=lambda line: None) as postern,
        ThreadPoolExecutor(3) as threads,
    ):
        calls = [threads.submit(postern.call, "system.info", timeout=10) for _ in range(3)]
        assert [len(call.result()) for call in calls] == [400_000] * 3


@pytest.mark.parametrize("size", [1, 100_000])
def test_host_with_default_sigpipe(tmp_path: Path, size: int) -> None:
    """What is written to a process that does not read ends no host that lets a SIGPIPE end it."""
    body = "answer(sys.stdin.readline(), 1)\nos.close(0)\nprint('closed', file=sys.stderr, flush=True)\n"
    binary = fake_binary(tmp_path, body + "import signal; signal.pause()")
    host = run_host(f"""
        import signal, threading
        from postern import CallTimeout, Postern
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


def test_host_that_ignores_sigchld() -> None:
    """The system keeps no exit code then; the end is told all the same."""
    host = run_host("""
        import os, signal
        from postern import Postern, ProcessEnded
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


def test_close_in_a_handler_while_closing(tmp_path: Path) -> None:
    """A handler that closes, as those of SIGTERM do, does not wait for the close that it interrupts."""
    host = run_host(f"""
        import os, signal, threading
        from postern import Postern
        def end(number, frame):
            postern.close(timeout=0)
            print("closed")
        signal.signal(signal.SIGTERM, end)
        postern = Postern(binary={str(fake_binary(tmp_path, "import time; time.sleep(60)"))!r}, wait_until_ready=False)
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        postern.close()
    """)
    assert (host.returncode, host.stdout) == (0, "closed\n"), host.stderr


def test_many_descriptors() -> None:
    """A host may have more descriptors than select can wait for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 6_000:
        pytest.skip("so many descriptors are not allowed here")
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
def test_failure_to_open_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str) -> None:
    """A host that is short of threads or descriptors does not run out of processes as well."""
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
    # What other tests have left to be collected is none of this one's.
    gc.collect()
    before = descriptors()
    with pytest.raises(PosternError, match="could not be opened"):
        Postern(binary=binary)
    # The error's traceback holds what it failed in.
    gc.collect()
    assert descriptors() == before
    assert not pid_file.exists() or has_ended(int(pid_file.read_text()), 0)


def test_no_failed_start_leaves_descriptors(tmp_path: Path) -> None:
    binary = tmp_path / "postern"
    binary.write_text("no program")
    binary.chmod(0o755)
    before = descriptors()
    for _ in range(20):
        with pytest.raises(Exception, match="could not be started"):
            Postern(binary=binary)
    assert descriptors() == before


@pytest.mark.parametrize("name", ["-accounts", "--help", "two words", "ünïcode"])
def test_names_of_directories(tmp_path: Path, name: str) -> None:
    with Postern(name, cwd=tmp_path) as postern:
        assert postern.system.info().store.kind == "directory"
    assert (tmp_path / name / "manifest.json").exists()


def test_environment_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the client relies on is not the environment's to change."""
    monkeypatch.setenv("POSTERN_REPLIES", "in-order")
    monkeypatch.setenv("POSTERN_FRAMING", "header")
    monkeypatch.setenv("POSTERN_DATA", "/nowhere")
    with Postern(":memory:") as postern:
        assert postern.system.info().store.kind == "memory"


def test_all_kinds_of_lines_on_stderr(tmp_path: Path) -> None:
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
