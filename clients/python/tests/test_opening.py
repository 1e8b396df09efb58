"""What becomes of opening where the program cannot serve."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support import fake_binary

from postern import AsyncPostern, Postern
from postern.errors import BinaryNotFound, PosternError, ProcessEnded


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
    for file in tmp_path.iterdir():
        file.write_bytes(b"no store\n")
    with pytest.raises(ProcessEnded) as caught:
        open_and_close(data=tmp_path)
    assert caught.value.stderr_lines


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


def test_a_program_that_answers_with_an_error_is_open(tmp_path: Path) -> None:
    body = (
        "for request in sys.stdin:\n"
        "    error = {'code': -32601, 'message': 'Method not found'}\n"
        "    print(json.dumps({'jsonrpc': '2.0', 'id': json.loads(request)['id'], 'error': error}), flush=True)"
    )
    open_and_close(binary=fake_binary(tmp_path, body))
