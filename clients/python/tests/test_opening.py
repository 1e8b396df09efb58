"""Opening if the program cannot serve."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import fake_binary, run_host

from postern_accounts import AsyncPostern, Postern
from postern_accounts.errors import BinaryNotFound, PosternError, ProcessEnded


def open_and_close(*arguments: str, binary: Path | None = None, data: Path | str = ":memory:") -> None:
    Postern(data, binary=binary, arguments=arguments, log=lambda line: None).close()


async def open_async(*arguments: str, data: Path | str = ":memory:") -> None:
    async with AsyncPostern(data, arguments=arguments, log=lambda line: None):
        pass


def test_a_wrong_flag_fails_at_opening() -> None:
    with pytest.raises(ProcessEnded, match="--no-such-flag"):
        open_and_close("--no-such-flag")
    with pytest.raises(ProcessEnded, match="--no-such-flag"):
        asyncio.run(open_async("--no-such-flag"))


def test_a_directory_that_is_a_file_fails_at_opening(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(ProcessEnded) as caught:
        open_and_close(data=tmp_path / "data")
    assert str(tmp_path / "data") in caught.value.stderr_lines[-1]
    with pytest.raises(ProcessEnded):
        asyncio.run(open_async(data=tmp_path / "data"))


def test_a_damaged_store_fails_at_opening(tmp_path: Path) -> None:
    open_and_close(data=tmp_path)
    (tmp_path / "manifest.json").write_bytes(b"no manifest\n")
    with pytest.raises(ProcessEnded, match=r"manifest\.json"):
        open_and_close(data=tmp_path)
    with pytest.raises(ProcessEnded, match=r"manifest\.json"):
        asyncio.run(open_async(data=tmp_path))


@contextmanager
def held_lock(folder: Path) -> Iterator[None]:
    """Another process holds the lock of a store and is stopped."""
    command = ["flock", "--no-fork", str(folder / "lock"), "sh", "-c", "echo held; kill -STOP $$"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            holder.kill()


def test_a_locked_store_fails_at_opening(tmp_path: Path) -> None:
    open_and_close(data=tmp_path)
    with held_lock(tmp_path):
        with pytest.raises(ProcessEnded, match="is in use by process"):
            open_and_close("--lock-wait", "1", data=tmp_path)
        with pytest.raises(ProcessEnded, match="is in use by process"):
            asyncio.run(open_async("--lock-wait", "1", data=tmp_path))
    open_and_close(data=tmp_path)


def test_opening_without_enough_descriptors_is_a_postern_error_and_leaks_none() -> None:
    host = run_host("""
        import asyncio, os, resource
        from postern_accounts import AsyncPostern, Postern, PosternError
        async def open_async():
            async with AsyncPostern(":memory:", log=lambda line: None):
                pass
        def open_sync():
            Postern(":memory:", log=lambda line: None).close()
        def descriptors():
            return len(os.listdir("/proc/self/fd"))
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        loop = asyncio.new_event_loop()
        for opens in (open_sync, lambda: loop.run_until_complete(open_async())):
            refused = opened = 0
            before = descriptors()
            for limit in range(before - 1, before + 20):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                try:
                    opens()
                    opened += 1
                except PosternError:
                    refused += 1
                finally:
                    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
                assert descriptors() == before, limit
            print(refused >= 8, opened >= 2)
        loop.close()
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            print("no process is left")
    """)
    assert (host.returncode, host.stdout) == (0, "True True\nTrue True\nno process is left\n"), host.stderr


def test_a_program_that_cannot_run_fails_at_opening(tmp_path: Path) -> None:
    with pytest.raises(BinaryNotFound):
        open_and_close(binary=tmp_path / "nothing")
    program = tmp_path / "postern"
    program.write_text("#!/nonexistent/interpreter\n")
    program.chmod(0o755)
    with pytest.raises(PosternError, match="could not be started"):
        open_and_close(binary=program)
    program.chmod(0o644)
    with pytest.raises(PosternError):
        open_and_close(binary=program)


def test_opening_succeeds_if_the_first_reply_is_an_error(tmp_path: Path) -> None:
    body = (
        "for request in sys.stdin:\n"
        "    error = {'code': -32601, 'message': 'Method not found'}\n"
        "    print(json.dumps({'jsonrpc': '2.0', 'id': json.loads(request)['id'], 'error': error}), flush=True)"
    )
    open_and_close(binary=fake_binary(tmp_path, body))
