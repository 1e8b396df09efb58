"""How a client ends: the process dies, the client is closed, or the output is not JSON-RPC."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support import PERSON, calls_in_flight, fake_binary, has_ended, run_host, wait_until

from postern_accounts import (
    AsyncPostern,
    BinaryNotFound,
    ClientClosed,
    Postern,
    PosternError,
    ProcessEnded,
    ProtocolError,
)
from postern_accounts.testing import deterministic

# Never replies, prints a line for each request, and exits at the third request.
MUTE = """
for number, request in enumerate(sys.stdin, 1):
    print("heard", number, file=sys.stderr, flush=True)
    if number == 3:
        print("farewell", file=sys.stderr)
        sys.exit(3)
"""


def check_mute_end(error: object) -> None:
    assert isinstance(error, ProcessEnded)
    assert (error.exit_code, error.signal_number) == (3, None)
    assert error.stderr_lines == ("heard 1", "heard 2", "heard 3", "farewell")
    assert "exited with code 3" in str(error) and "farewell" in str(error) and "the outcome is unknown" in str(error)


def test_exit_fails_all_calls_of_threads(tmp_path: Path) -> None:
    heard: list[str] = []
    binary = fake_binary(tmp_path, MUTE)
    with Postern(binary=binary, wait_until_ready=False, log=heard.append) as postern, ThreadPoolExecutor(3) as threads:
        calls = [threads.submit(postern.call, "system.info") for _ in range(3)]
        for call in calls:
            check_mute_end(call.exception())
        assert len({id(call.exception()) for call in calls}) == 3
        with pytest.raises(ProcessEnded):
            postern.system.info()
    assert heard == ["heard 1", "heard 2", "heard 3", "farewell"]


def test_exit_fails_all_calls_of_tasks(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncPostern(
            binary=fake_binary(tmp_path, MUTE), wait_until_ready=False, log=lambda line: None
        ) as postern:
            calls = (postern.call("system.info") for _ in range(3))
            for error in await asyncio.gather(*calls, return_exceptions=True):
                check_mute_end(error)
            with pytest.raises(ProcessEnded):
                await postern.system.info()

    asyncio.run(main())


def sign_ins(postern: Postern, threads: ThreadPoolExecutor, count: int) -> list[Future[Any]]:
    """Starts sign-ins, each of which takes about 16 ms, and returns while they are in flight."""
    calls = [
        threads.submit(postern.operators.signin, email="lasoren@bu.edu", password="password") for _ in range(count)
    ]
    wait_until(lambda: calls_in_flight(postern) > count / 2)
    return calls


def test_sigkill_fails_all_calls_and_the_process_is_not_restarted() -> None:
    heard: list[str] = []
    flags = ["--no-email-confirmation", "--log-level", "info"]
    with Postern(":memory:", arguments=flags, log=heard.append) as postern, ThreadPoolExecutor(20) as threads:
        postern.operators.register(user=PERSON, password="password")
        calls = sign_ins(postern, threads, 20)
        os.kill(postern.pid, signal.SIGKILL)
        errors = [error for error in (call.exception() for call in calls) if error is not None]
        assert errors
        for error in errors:
            assert isinstance(error, ProcessEnded)
            assert error.signal_number == signal.SIGKILL and "SIGKILL" in str(error)
            assert error.stderr_lines == tuple(heard[-20:])
        assert heard
        pid = postern.pid
        with pytest.raises(ProcessEnded):
            postern.system.info()
        assert postern.pid == pid


def test_sigkill_between_calls_fails_the_next_call() -> None:
    with Postern(":memory:") as postern:
        postern.system.info()
        os.kill(postern.pid, signal.SIGKILL)
        with pytest.raises(ProcessEnded, match="SIGKILL"):
            postern.system.info()


def test_sigkill_fails_all_calls_of_tasks() -> None:
    async def main() -> None:
        async with AsyncPostern(":memory:", arguments=["--no-email-confirmation"]) as postern:
            await postern.operators.register(user=PERSON, password="password")
            calls = [
                asyncio.create_task(postern.operators.signin(email="lasoren@bu.edu", password="password"))
                for _ in range(20)
            ]
            await asyncio.sleep(0)
            os.kill(postern.pid, signal.SIGKILL)
            errors = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(error) for error in errors} == {ProcessEnded}
            with pytest.raises(ProcessEnded, match="SIGKILL"):
                await postern.system.info()

    asyncio.run(main())


def test_sigkill_fails_a_call_whose_request_is_half_written() -> None:
    async def main() -> None:
        async with AsyncPostern(":memory:") as postern:
            call = asyncio.create_task(postern.call("system.info", {"text": "x" * 1_000_000}))
            os.kill(postern.pid, signal.SIGSTOP)
            await asyncio.sleep(0)
            os.kill(postern.pid, signal.SIGKILL)
            with pytest.raises(ProcessEnded, match="SIGKILL"):
                await call

    asyncio.run(main())
    with Postern(":memory:") as postern, ThreadPoolExecutor(1) as threads:
        os.kill(postern.pid, signal.SIGSTOP)
        call = threads.submit(postern.call, "system.info", {"text": "x" * 1_000_000})
        wait_until(lambda: calls_in_flight(postern) == 1)
        os.kill(postern.pid, signal.SIGKILL)
        assert isinstance(call.exception(), ProcessEnded)


def test_close_waits_for_calls_in_flight() -> None:
    postern = Postern(":memory:", arguments=["--no-email-confirmation"])
    postern.operators.register(user=PERSON, password="password")
    with ThreadPoolExecutor(12) as threads:
        calls = sign_ins(postern, threads, 10)
        closers = [threads.submit(postern.close) for _ in range(2)]
        results: list[Any] = [call.exception() or call.result() for call in calls]
        # A call that was not sent before the close may be refused. Every call ends.
        assert all(isinstance(result, ClientClosed) or result.id == 1 for result in results)
        assert sum(not isinstance(result, ClientClosed) for result in results) > 5
        assert [closer.result() for closer in closers] == [None, None]
    assert has_ended(postern.pid, 0)
    postern.close()
    with pytest.raises(ClientClosed):
        postern.system.info()
    with pytest.raises(ClientClosed):
        postern.call("system.info")


def test_close_waits_for_the_calls_of_tasks() -> None:
    async def main() -> None:
        postern = AsyncPostern(":memory:", arguments=["--no-email-confirmation"])
        await postern.operators.register(user=PERSON, password="password")
        calls = [
            asyncio.create_task(postern.operators.signin(email="lasoren@bu.edu", password="password"))
            for _ in range(10)
        ]
        await asyncio.sleep(0)
        await asyncio.gather(postern.close(), postern.close())
        assert [(await call).id for call in calls] == [1] * 10
        await postern.close()
        with pytest.raises(ClientClosed):
            await postern.system.info()

    asyncio.run(main())


STUBBORN = """
import signal
signal.signal(signal.SIGTERM, lambda *_: (print("asked to end", file=sys.stderr, flush=True), os._exit(0)))
for request in sys.stdin:
    answer(request, None)
while True:
    signal.pause()
"""


def test_close_terminates_a_process_that_does_not_exit(tmp_path: Path) -> None:
    heard: list[str] = []
    postern = Postern(binary=fake_binary(tmp_path, STUBBORN), wait_until_ready=False, log=heard.append)
    postern.call("system.info")
    postern.close(timeout=0.1)
    assert has_ended(postern.pid, 0)
    assert heard == ["asked to end"]


def test_close_of_an_async_client_terminates_a_process_that_does_not_exit(tmp_path: Path) -> None:
    async def main() -> int:
        postern = AsyncPostern(binary=fake_binary(tmp_path, STUBBORN), wait_until_ready=False, log=lambda line: None)
        await postern.call("system.info")
        await postern.close(timeout=0.1)
        return postern.pid

    assert has_ended(asyncio.run(main()), 0)


@pytest.mark.parametrize(
    "reply",
    [
        "good morning",
        '{"jsonrpc": "2.0", "id": 1}',
        '{"jsonrpc": "2.0", "id": 1, "result": 1, "error": {"code": 1, "message": ""}}',
        '{"jsonrpc": "2.0", "id": 1, "error": "no"}',
        '{"jsonrpc": "2.0", "id": "1", "result": 1}',
        '{"jsonrpc": "2.0", "id": 99, "result": 1}',
        '{"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "Parse error"}}',
        '{"id": 1, "result": 1}',
        "[" * 100_000,
    ],
)
def test_output_that_is_not_a_reply_ends_the_client(tmp_path: Path, reply: str) -> None:
    binary = fake_binary(tmp_path, f"for request in sys.stdin:\n    print({reply!r}, flush=True)")

    async def main() -> None:
        async with AsyncPostern(binary=binary, wait_until_ready=False) as postern:
            with pytest.raises(ProtocolError):
                await postern.call("system.info")
            with pytest.raises(ProtocolError):
                await postern.call("system.info")

    with Postern(binary=binary, wait_until_ready=False) as postern:
        with pytest.raises(ProtocolError):
            postern.call("system.info")
        with pytest.raises(ProtocolError):
            postern.call("system.info")
    asyncio.run(main())


def test_broken_replies_are_not_quoted(tmp_path: Path) -> None:
    """Output that may be part of a reply may contain a session."""
    reply = '{"jsonrpc": "2.0", "id": 1, "result": {"session_id": "ab54a98ceb1f0ad2"'
    postern = Postern(binary=fake_binary(tmp_path, f"sys.stdin.readline()\nprint({reply!r})"), wait_until_ready=False)
    with pytest.raises(ProtocolError, match=f": {len(reply)} bytes$") as caught:
        postern.call("system.info")
    postern.close()
    assert "ab54" not in "".join(traceback.format_exception(caught.value))


def test_the_error_for_a_missing_binary_lists_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BinaryNotFound, match=r"/nowhere/postern.*option binary"):
        Postern(binary="/nowhere/postern")
    monkeypatch.setenv("POSTERN_BIN", "/nowhere/else")
    with pytest.raises(BinaryNotFound, match=r"/nowhere/else.*POSTERN_BIN"):
        Postern()
    monkeypatch.delenv("POSTERN_BIN")
    monkeypatch.setenv("PATH", f"{tmp_path}:/nowhere/bin")
    with pytest.raises(BinaryNotFound, match=f"{tmp_path}, /nowhere/bin"):
        Postern()


def test_a_relative_binary_is_resolved_before_cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_binary(tmp_path, "for request in sys.stdin:\n    answer(request, os.getcwd())")
    monkeypatch.chdir(tmp_path)
    with Postern(binary="./postern", cwd="/") as postern:
        assert postern.call("system.info") == "/"


def test_ctrl_c_reaches_only_the_host() -> None:
    with deterministic() as postern:
        assert os.getpgid(postern.pid) != os.getpgid(0)


def test_opening_in_a_missing_directory_fails(tmp_path: Path) -> None:
    with pytest.raises(PosternError, match="could not be started"):
        Postern(cwd=tmp_path / "nowhere")


# Writes more to stderr than the capacity of a pipe.
LOUD = """
for request in sys.stdin:
    for number in range(256):
        sys.stderr.write("x" * 4095 + "\\n")
    answer(request, "done")
"""


def test_much_stderr_and_a_log_that_raises_do_not_block_the_process(tmp_path: Path) -> None:
    count = 0

    def log(line: str) -> None:
        nonlocal count
        count += 1
        raise RuntimeError("the log failed")

    with Postern(binary=fake_binary(tmp_path, LOUD), wait_until_ready=False, log=log) as postern:
        assert postern.call("system.info", timeout=20) == "done"
    wait_until(lambda: count == 256)


def test_a_script_without_close_ends_its_process() -> None:
    host = run_host("""
        from postern_accounts import Postern
        postern = Postern(":memory:")
        postern.system.info()
        print(postern.pid)
    """)
    assert host.returncode == 0 and host.stderr == ""
    assert has_ended(int(host.stdout), 0)


def test_a_coroutine_without_close_ends_its_process() -> None:
    host = run_host("""
        import asyncio
        from postern_accounts import AsyncPostern
        async def main():
            postern = AsyncPostern(":memory:")
            await postern.system.info()
            print(postern.pid)
            return postern
        postern = asyncio.run(main())
    """)
    assert host.returncode == 0 and host.stderr == ""
    assert has_ended(int(host.stdout), 0)


def test_garbage_collection_ends_the_process() -> None:
    postern = deterministic()
    postern.system.info()
    pid = postern.pid
    with pytest.warns(ResourceWarning, match="was not closed"):
        del postern
        gc.collect()
    assert has_ended(pid, 5)
    wait_until(lambda: f"postern-{pid}" not in {thread.name for thread in threading.enumerate()})


@pytest.mark.parametrize("sibling", ["subprocess.Popen(['sleep', '60'], close_fds=False).pid", "forked()"])
def test_the_process_ends_when_the_host_is_killed(sibling: str) -> None:
    script = f"""
        import os, signal, subprocess, time
        from postern_accounts import Postern
        def forked():
            pid = os.fork()
            if pid == 0:
                signal.pause()
            return pid
        postern = Postern(":memory:")
        postern.system.info()
        print(postern.pid, {sibling}, flush=True)
        signal.pause()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        postern_pid, sibling_pid = map(int, host.stdout.readline().split())
        try:
            host.kill()
            assert has_ended(postern_pid, 5)
            assert not has_ended(sibling_pid, 0)
        finally:
            os.kill(sibling_pid, signal.SIGKILL)


def in_child(action: Callable[[], bool]) -> bool:
    """Forks, and returns whether the action succeeded in the child."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if action() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def is_refused(postern: Postern) -> bool:
    try:
        postern.system.info()
    except PosternError as error:
        return "before a fork" in str(error)
    return False


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_cannot_use_the_client_and_does_not_affect_it() -> None:
    holder = [deterministic()]
    holder[0].system.info()

    def child() -> bool:
        refused = is_refused(holder[0])
        holder[0].close()
        holder.clear()
        gc.collect()
        with deterministic() as another:
            return refused and another.system.info().name == "postern"

    assert in_child(child)
    assert holder[0].system.info().name == "postern"
    pid = holder[0].pid
    holder[0].close()
    assert has_ended(pid, 0)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_cannot_use_an_async_client() -> None:
    """The error names the fork, although the event loop of the child is another one too."""

    async def main() -> None:
        async with AsyncPostern(":memory:") as postern:

            def child() -> bool:
                try:
                    postern.system.info().send(None)
                except PosternError as error:
                    return "before a fork" in str(error)
                return False

            assert in_child(child)
            assert (await postern.system.info()).name == "postern"

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_close_does_not_wait_for_a_forked_child() -> None:
    postern = deterministic()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    postern.close(timeout=5)
    os.close(writer)
    os.close(reader)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
