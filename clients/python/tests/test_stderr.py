"""Hosts whose stderr is closed, full or unread, and lines without a line feed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from support import fake_binary, run_host

from postern_accounts import Postern

# Writes a line to stderr before each reply.
TALKATIVE = "for request in sys.stdin:\n    print('a line', file=sys.stderr, flush=True)\n    answer(request, 1)"


def host(folder: Path, redirection: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a host that makes calls, with a shell redirection."""
    binary = str(fake_binary(folder, TALKATIVE))
    script = f"""
        import signal, time
        {before}
        from postern_accounts import Postern
        with Postern(binary={binary!r}, wait_until_ready=False) as postern:
            for _ in range(20):
                postern.call("any")
                time.sleep(0.01)
        print("the end", flush=True)
        """
    path = folder / "host.py"
    path.write_text(textwrap.dedent(script))
    command = ["bash", "-c", f"{sys.executable} {path} {redirection}"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=20)


@pytest.mark.parametrize("redirection", ["2>&-", "2>&- <&-", "2> >(true)", "2>/dev/full"])
@pytest.mark.parametrize("sigpipe", ["", "signal.signal(signal.SIGPIPE, signal.SIG_DFL)"])
@pytest.mark.parametrize("logging", ["", "import logging; logging.basicConfig(level=0)"])
def test_a_log_line_neither_ends_a_host_nor_lands_on_its_stdout(
    tmp_path: Path, redirection: str, sigpipe: str, logging: str
) -> None:
    done = host(tmp_path, redirection, f"{sigpipe}; {logging}".strip("; "))
    assert done.stdout == "the end\n"
    # If the host's own logging has written to a broken stderr, Python reports that when it ends.
    assert logging or done.returncode == 0


def test_a_log_that_raises_in_a_host_without_stderr_prints_nothing_on_stdout(tmp_path: Path) -> None:
    body = "import postern_accounts._log_queue as queue\n        queue.log_line = lambda line: 1 / 0"
    done = host(tmp_path, "2>&-", body)
    assert (done.returncode, done.stdout) == (0, "the end\n")


def test_no_pipe_of_a_client_gets_a_standard_descriptor() -> None:
    """Otherwise the process would read text that a library writes to descriptor 2 as a request."""
    script = "from postern_accounts import Postern; p = Postern(':memory:'); q = p._connection.traffic.process; \
print(min(q.stdin, q.stdout, q._stderr._pipe.fileno()) > 2); p.close()"
    command = ["bash", "-c", f'{sys.executable} -c "$1" 2>&- <&-', "bash", script]
    assert subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=20).stdout == "True\n"


def test_a_long_line_is_passed_on_in_pieces(tmp_path: Path) -> None:
    body = "sys.stderr.write('x' * 4_000_001)\nsys.stderr.flush()\nfor request in sys.stdin:\n    answer(request, 1)"
    heard: list[str] = []
    with Postern(binary=fake_binary(tmp_path, body), log=heard.append) as postern:
        postern.call("any")
    assert sum(map(len, heard)) == 4_000_001
    assert max(map(len, heard)) <= 1 << 20


def test_log_lines_have_their_levels_in_the_log_of_the_host(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = [
        'time=2016-02-24T22:07:52.371513Z level=error message="the disk is \\"full\\""',
        'time=2016-02-24T22:07:52.371513Z level=warning message="50% of the disk"',
        'time=2016-02-24T22:07:52.371513Z level=info message="opened"',
        'time=2016-02-24T22:07:52.371513Z level=later message="of a newer program"',
        "postern: a usage error",
        'time=2016-02-24T22:07:52.371513Z level=info message="cut',
    ]
    binary = fake_binary(tmp_path, f"print(*{lines!r}, sep='\\n', file=sys.stderr)\nsys.stdin.read()")
    caplog.set_level("INFO", logger="postern_accounts")
    Postern(binary=binary, wait_until_ready=False).close()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", 'the disk is "full"'),
        ("WARNING", "50% of the disk"),
        ("INFO", "opened"),
        ("WARNING", "of a newer program"),
        ("ERROR", "postern: a usage error"),
        ("ERROR", lines[5]),
    ]
    caplog.clear()
    caplog.set_level("ERROR", logger="postern_accounts")
    Postern(binary=binary, wait_until_ready=False).close()
    assert {record.levelname for record in caplog.records} == {"ERROR"} and len(caplog.records) == 3


def test_the_lines_of_the_program_are_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="postern_accounts")
    Postern(":memory:", arguments=["--log-level", "info"]).close()
    assert {record.levelname for record in caplog.records} == {"INFO"}
    assert not any("time=" in record.getMessage() for record in caplog.records)


def test_a_host_without_logging_gets_the_lines_on_stderr(tmp_path: Path) -> None:
    binary = str(fake_binary(tmp_path, TALKATIVE))
    done = run_host(f"""
        from postern_accounts import Postern
        with Postern(binary={binary!r}) as postern:
            postern.call("any")
    """)
    assert (done.returncode, done.stderr) == (0, "a line\na line\n")


def test_a_long_line_reaches_a_pipe_of_the_hosts_log_in_pieces(tmp_path: Path) -> None:
    body = "sys.stderr.write('x' * 10_001)\nsys.stderr.flush()\nsys.stdin.read()"
    done = run_host(f"""
        import logging
        from postern_accounts import Postern
        logging.basicConfig()
        Postern(binary={str(fake_binary(tmp_path, body))!r}, wait_until_ready=False).close()
    """)
    assert done.stderr == ("ERROR:postern_accounts:" + "x" * 1_000 + "\n") * 10 + "ERROR:postern_accounts:x\n"


@contextmanager
def full_pipe() -> Iterator[int]:
    """The write end of a full pipe, on which writes block."""
    reader, writer = os.pipe()
    try:
        os.set_blocking(writer, False)
        with suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * 4096)
        os.set_blocking(writer, True)
        yield writer
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("patched", [False, True])
@pytest.mark.parametrize("logging", ["", "import logging; logging.basicConfig(level=0)"])
def test_a_full_pipe_as_stderr_does_not_block_a_host(tmp_path: Path, patched: bool, logging: str) -> None:
    """Unwritten lines must not fill the stderr of the process, nor stop the greenlets of gevent."""
    if patched:
        pytest.importorskip("gevent")
    body = "for request in sys.stdin:\n    print('x' * 200_000, file=sys.stderr, flush=True)\n    answer(request, 1)"
    script = f"""
        {"from gevent import monkey; monkey.patch_all()" if patched else ""}
        {logging}
        from postern_accounts import Postern
        with Postern(binary={str(fake_binary(tmp_path, body))!r}) as postern:
            print(sum(postern.call("any", timeout=10) for _ in range(5)))
        """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with full_pipe() as stderr:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (0, "5\n")


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("logging", ["", "import logging; logging.basicConfig(level=30)"])
def test_an_exception_of_on_exit_does_not_block_a_restart_if_stderr_is_a_full_pipe(
    tmp_path: Path, is_async: bool, logging: str
) -> None:
    with_threads = """
        with Postern(data, supervise=True, on_exit=on_exit) as postern:
            for _ in range(2):
                os.kill(postern.pid, signal.SIGKILL)
                print(postern.with_timeout(10).system.info().name)
        """
    with_tasks = """
        async def main():
            async with AsyncPostern(data, supervise=True, on_exit=on_exit) as postern:
                for _ in range(2):
                    os.kill(postern.pid, signal.SIGKILL)
                    print((await asyncio.wait_for(postern.system.info(), 10)).name)
        asyncio.run(main())
        """
    script = f"""
        import asyncio, os, signal
        {logging}
        from postern_accounts import AsyncPostern, Postern
        data = {str(tmp_path / "data")!r}
        def on_exit(exit):
            raise RuntimeError("on_exit failed")
        """
    text = textwrap.dedent(script) + textwrap.dedent(with_tasks if is_async else with_threads)
    with full_pipe() as stderr:
        command = [sys.executable, "-c", text]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=40)
    assert (done.returncode, done.stdout) == (0, "postern\npostern\n")


def test_a_slow_log_does_not_block_the_process(tmp_path: Path) -> None:
    """The log waits for a reply that the process sends only after it has written more than the capacity of a pipe."""
    body = "for request in sys.stdin:\n    print('x' * 2_000_000, file=sys.stderr, flush=True)\n    answer(request, 1)"
    is_answered = threading.Event()
    heard: list[str] = []

    def log(line: str) -> None:
        is_answered.wait(10)
        heard.append(line)

    with Postern(binary=fake_binary(tmp_path, body), wait_until_ready=False, log=log) as postern:
        for _ in range(20):
            postern.call("any", timeout=5)
        assert not heard
        is_answered.set()
    assert (16 << 20) - 2_000_000 < sum(len(line) for line in heard if "x" in line) <= (18 << 20)
    assert any(
        re.fullmatch(r"postern: \d+ lines of its stderr are left out, as the log is slow", line) for line in heard
    )


def test_calls_do_not_block_the_greenlets_of_a_host_patched_by_gevent() -> None:
    script = """
        from gevent import monkey
        monkey.patch_all()
        import gevent
        from postern_accounts import Postern
        from postern_accounts.errors import ProcessEnded
        ticks = []
        def tick():
            while True:
                ticks.append(1)
                gevent.sleep(0.001)
        gevent.spawn(tick)
        user = {"first_name": "Luke", "last_name": "Sorenson", "email": "lasoren@bu.edu"}
        with Postern(":memory:", arguments=["--no-email-confirmation"]) as postern:
            postern.operators.register(user=user, password="password")
            before = len(ticks)
            signin = postern.operators.signin
            calls = [gevent.spawn(signin, email="lasoren@bu.edu", password="password") for _ in range(8)]
            gevent.joinall(calls, timeout=10, raise_error=True)
            print(len({call.value.session_id for call in calls}), len(ticks) - before > 5)
        try:
            Postern(":memory:", arguments=["--no-such-flag"], log=lambda line: None)
        except ProcessEnded as error:
            print("--no-such-flag" in str(error))
        """
    pytest.importorskip("gevent")
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "8 True\nTrue\n", "")
