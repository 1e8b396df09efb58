"""The async client under asyncio and Trio, and in a program that uses anyio."""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio
from support import PERSON, calls_in_flight, fake_binary, has_ended

from postern_accounts import AsyncPostern, ClientClosed, PosternError, ProcessEnded
from postern_accounts.types import ServiceMail

FLAGS = ["--no-email-confirmation"]
Run = Callable[[Callable[[], Awaitable[Any]]], Any]


def run_asyncio(main: Callable[[], Any]) -> Any:
    return asyncio.run(main())


@pytest.fixture(params=["asyncio", "trio", "anyio-asyncio", "anyio-trio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine function in an event loop. The tests use anyio within it, which finds out which one it is."""
    runs: dict[str, Run] = {
        "asyncio": run_asyncio,
        "trio": trio.run,
        "anyio-asyncio": functools.partial(anyio.run, backend="asyncio"),
        "anyio-trio": functools.partial(anyio.run, backend="trio"),
    }
    return runs[request.param]


def test_a_client_that_is_created_before_a_loop_runs_is_opened_in_it(run: Run) -> None:
    postern = AsyncPostern(":memory:", arguments=FLAGS)
    with pytest.raises(PosternError, match="no process was started"):
        _ = postern.pid

    async def main() -> int:
        async with postern:
            luke = await postern.operators.register(user=PERSON, password="password")
            assert (await postern.operators.signin(email="lasoren@bu.edu", password="password")).id == luke.id
            with pytest.raises(PosternError, match="Password is incorrect"):
                await postern.operators.signin(email="lasoren@bu.edu", password="another")
        with pytest.raises(ClientClosed):
            await postern.system.info()
        return postern.pid

    assert has_ended(run(main), 0)


def test_a_client_that_was_never_used_needs_no_close(run: Run) -> None:
    AsyncPostern(":memory:")
    gc.collect()
    closed = AsyncPostern(":memory:")

    async def main() -> None:
        await closed.close()
        with pytest.raises(ClientClosed):
            await closed.system.info()

    run(main)


def test_a_client_is_not_used_without_a_loop_and_not_in_two() -> None:
    with pytest.raises(PosternError, match="no event loop"):
        AsyncPostern(":memory:").system.info().send(None)
    postern = AsyncPostern(":memory:")

    async def use() -> None:
        with pytest.raises(PosternError, match="another event loop"):
            await postern.system.info()

    async def main() -> None:
        async with postern:
            await asyncio.to_thread(trio.run, use)
            await asyncio.to_thread(asyncio.run, use())
            assert (await postern.system.info()).name == "postern"

    asyncio.run(main())


def test_concurrent_calls_of_tasks_get_their_own_replies(run: Run) -> None:
    replies: dict[int, str] = {}

    async def main() -> None:
        async with AsyncPostern(":memory:", arguments=FLAGS) as postern:
            luke = await postern.operators.register(user=PERSON, password="password")

            async def create(number: int) -> None:
                client = await postern.operators.client.create(
                    user_id=luke.id,
                    session_id=luke.session_id,
                    client={"user": {**PERSON, "email": f"m{number}@example.com"}, "address": f"House {number}"},
                )
                replies[number] = client.address

            async with anyio.create_task_group() as tasks:
                for number in range(300):
                    tasks.start_soon(create, number)
            # Requests that do not fit into the pipe.
            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(postern.call, "system.info", {"text": "x" * 1_000_000})

    run(main)
    assert replies == {number: f"House {number}" for number in range(300)}


def test_a_cancelled_call_ends_at_once_and_affects_no_other(run: Run, tmp_path: Path) -> None:
    # Replies to the second request only after the third.
    body = """
lines = []
for line in sys.stdin:
    lines.append(line)
    if len(lines) == 1: answer(line, 1)
    if len(lines) == 3: answer(lines[1], 2); answer(line, 3)
    if len(lines) > 3: answer(line, len(lines))
"""

    async def main() -> None:
        async with AsyncPostern(binary=fake_binary(tmp_path, body), wait_until_ready=False) as postern:
            assert await postern.call("first") == 1
            with anyio.move_on_after(0.1) as scope:
                await postern.call("second")
            assert scope.cancelled_caught
            assert await postern.call("third") == 3
            assert await postern.call("fourth") == 4
            assert calls_in_flight(postern) == 0

    run(main)


def test_a_block_whose_task_is_cancelled_closes_the_client(run: Run) -> None:
    """`async with` waits for the end of the process although its task is cancelled."""
    postern = AsyncPostern(":memory:")

    async def main() -> None:
        with anyio.move_on_after(0.2) as scope:
            async with postern:
                await anyio.sleep(60)
        assert scope.cancelled_caught
        assert has_ended(postern.pid, 0)

    run(main)


def test_opening_fails_with_the_words_of_the_program(run: Run) -> None:
    async def main() -> None:
        async with AsyncPostern(":memory:", arguments=["--no-such-flag"], log=lambda line: None):
            pass

    with pytest.raises(ProcessEnded, match="--no-such-flag"):
        run(main)


def test_the_end_of_the_process_fails_calls_in_flight_and_later_ones(run: Run) -> None:
    async def main() -> None:
        async with AsyncPostern(":memory:", arguments=FLAGS) as postern:
            await postern.operators.register(user=PERSON, password="password")
            errors: list[str] = []

            async def sign_in() -> None:
                try:
                    await postern.operators.signin(email="lasoren@bu.edu", password="password")
                except ProcessEnded as error:
                    errors.append(str(error))

            os.kill(postern.pid, signal.SIGSTOP)
            async with anyio.create_task_group() as tasks:
                for _ in range(10):
                    tasks.start_soon(sign_in)
                await anyio.sleep(0.01)
                os.kill(postern.pid, signal.SIGKILL)
            assert len(errors) == 10
            assert all("SIGKILL" in text and "the outcome is unknown" in text for text in errors)
            with pytest.raises(ProcessEnded):
                await postern.system.info()

    run(main)


def test_close_waits_for_calls_in_flight(run: Run) -> None:
    async def main() -> None:
        postern = AsyncPostern(":memory:", arguments=FLAGS)
        await postern.operators.register(user=PERSON, password="password")
        signed_in: list[int] = []

        async def sign_in() -> None:
            signed_in.append((await postern.operators.signin(email="lasoren@bu.edu", password="password")).id)

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(sign_in)
            while calls_in_flight(postern) < 5:
                await anyio.sleep(0)
            tasks.start_soon(postern.close)
            tasks.start_soon(postern.close)
        assert signed_in == [1] * 5
        assert has_ended(postern.pid, 0)

    run(main)


def test_mails_are_delivered_and_events_are_read(run: Run) -> None:
    mails: list[ServiceMail] = []

    async def deliver(mail: ServiceMail) -> None:
        await anyio.sleep(0)
        mails.append(mail)

    async def main() -> None:
        async with AsyncPostern(":memory:", deliver_mail=deliver, events=True) as postern:
            await postern.operators.register(user=PERSON, password="password")
            events = postern.events()
            assert isinstance(events, AsyncIterator)
            kinds = [(await events.__anext__()).kind for _ in range(2)]
            assert kinds == ["registered", "mail_sent"] and [mail.to for mail in mails] == ["lasoren@bu.edu"]

    run(main)


def test_a_client_without_close_ends_its_process(run: Run) -> None:
    async def main() -> int:
        postern = AsyncPostern(":memory:")
        await postern.ready()
        pid = postern.pid
        with pytest.warns(ResourceWarning, match="was not closed"):
            del postern
            gc.collect()
        return pid

    assert has_ended(run(main), 5)


def test_a_client_that_outlives_its_loop_ends_its_process(run: Run) -> None:
    holder: list[AsyncPostern] = []

    async def main() -> int:
        holder.append(AsyncPostern(":memory:"))
        await holder[0].ready()
        return holder[0].pid

    pid = run(main)
    with pytest.warns(ResourceWarning, match="was not closed"):
        holder.clear()
        gc.collect()
    assert has_ended(pid, 5)


def test_a_process_that_does_not_end_is_killed(run: Run, tmp_path: Path) -> None:
    body = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nanswer(sys.stdin.readline(), 1)\n"
    binary = fake_binary(tmp_path, body + "while True: signal.pause()")

    async def main() -> None:
        postern = AsyncPostern(binary=binary, wait_until_ready=False)
        await postern.call("any")
        with anyio.move_on_after(0.1):
            await postern.close(timeout=0)
        # The first `close` was cancelled. The process has had its SIGTERM.
        os.kill(postern.pid, signal.SIGKILL)
        await postern.close()

    run(main)
