"""Clients that start their process again."""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import anyio
import pytest
from support import PERSON, fake_binary, has_ended, run_host, wait_until

from postern_accounts import (
    AsyncPostern,
    Backoff,
    CallTimeout,
    ClientClosed,
    Postern,
    PosternError,
    ProcessEnded,
    ProtocolError,
    _process,
)
from postern_accounts._idempotent import IDEMPOTENT, READ_ONLY
from postern_accounts._supervision import ProcessExit, Restarts
from postern_accounts.errors import BinaryNotFound, operators

FLAGS = ["--no-email-confirmation"]
FAST = Backoff(first=0.01, max=0.05)
Run = Callable[[Callable[[], Any]], Any]


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Run:
    return functools.partial(anyio.run, backend=request.param)


def kill(postern: Postern | AsyncPostern) -> int:
    """Kills the process, and waits until it has ended."""
    pid = postern.pid
    os.kill(pid, signal.SIGKILL)
    assert has_ended(pid, 10)
    return pid


def sign_in(postern: Postern) -> int:
    return postern.operators.signin(email="lasoren@bu.edu", password="password").id


def test_an_idempotent_call_in_flight_is_sent_again(tmp_path: Path) -> None:
    exits: list[ProcessExit] = []
    with (
        Postern(tmp_path / "data", arguments=FLAGS, supervise=True, on_exit=exits.append) as postern,
        ThreadPoolExecutor(4) as threads,
    ):
        luke = postern.operators.register(user=PERSON, password="password")
        os.kill(postern.pid, signal.SIGSTOP)
        read = threads.submit(postern.operators.sessions, user_id=luke.id, session_id=luke.session_id)
        repeated = threads.submit(
            postern.operators.set_metadata, user_id=luke.id, session_id=luke.session_id, metadata={"a": 1}
        )
        in_flight = threads.submit(sign_in, postern)
        time.sleep(0.2)
        pid = kill(postern)
        assert read.result(20).sessions
        assert repeated.result(20).metadata == {"a": 1}
        error = in_flight.exception(20)
        assert isinstance(error, ProcessEnded) and "the outcome is unknown" in str(error)
        assert sign_in(postern) == luke.id
        assert postern.pid != pid
    (exit,) = exits
    assert (exit.signal_number, exit.exit_code, exit.attempt, exit.failed_starts) == (signal.SIGKILL, None, 1, 0)
    assert exit.delay is not None and 0.08 <= exit.delay <= 0.12


def test_an_idempotent_call_of_a_task_is_sent_again(tmp_path: Path, run: Run) -> None:
    exits: list[ProcessExit] = []
    replies: dict[str, Any] = {}

    async def main() -> None:
        async with AsyncPostern(tmp_path / "data", arguments=FLAGS, supervise=True, on_exit=exits.append) as postern:
            luke = await postern.operators.register(user=PERSON, password="password")

            async def read() -> None:
                replies["read"] = await postern.operators.sessions(user_id=luke.id, session_id=luke.session_id)

            async def signs_in() -> None:
                with pytest.raises(ProcessEnded, match="the outcome is unknown"):
                    await postern.operators.signin(email="lasoren@bu.edu", password="password")
                replies["signin"] = await postern.operators.signin(email="lasoren@bu.edu", password="password")

            os.kill(postern.pid, signal.SIGSTOP)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read)
                tasks.start_soon(signs_in)
                await anyio.sleep(0.1)
                kill(postern)
            assert replies["read"].sessions and replies["signin"].id == luke.id

    run(main)
    assert [(exit.signal_number, exit.attempt) for exit in exits] == [(signal.SIGKILL, 1)]


# Replies to system.info. At the first registration it registers and dies; at the second, the email is taken.
REGISTERING = """
for line in sys.stdin:
    request = json.loads(line)
    if request['method'] == 'system.info': answer(line, None); continue
    if os.path.exists('registered'):
        error = {'code': -32011, 'message': 'Taken.', 'data': {'errors': ['operator_exists']}}
        print(json.dumps({'jsonrpc': '2.0', 'id': request['id'], 'error': error}), flush=True)
        continue
    open('registered', 'w').close()
    os._exit(9)
"""


def test_a_repeated_change_that_is_refused_has_an_unknown_outcome(tmp_path: Path, run: Run) -> None:
    """The registration took effect, and its repetition is refused because of that. The refusal would mislead."""
    binary = fake_binary(tmp_path, REGISTERING)
    options: dict[str, Any] = {"binary": binary, "cwd": tmp_path, "supervise": True, "backoff": FAST}
    with Postern(**options) as postern:
        with pytest.raises(ProcessEnded, match="the outcome is unknown") as caught:
            postern.operators.register(user=PERSON, password="password")
        assert isinstance(caught.value.__cause__, operators.OperatorExists)
        with pytest.raises(operators.OperatorExists):
            postern.operators.register(user=PERSON, password="password")
    (tmp_path / "registered").unlink()

    async def main() -> None:
        async with AsyncPostern(**options) as postern:
            with pytest.raises(ProcessEnded):
                await postern.operators.register(user=PERSON, password="password")

    run(main)


def test_a_change_whose_repetition_is_not_sent_has_an_unknown_outcome(tmp_path: Path) -> None:
    binary = fake_binary(tmp_path, REGISTERING)
    exits: list[ProcessExit] = []
    options: dict[str, Any] = {"supervise": True, "backoff": Backoff(first=60, max=60), "on_exit": exits.append}
    with ThreadPoolExecutor(2) as threads, Postern(binary=binary, cwd=tmp_path, **options) as postern:
        change = threads.submit(postern.operators.register, user=PERSON, password="password")
        wait_until(lambda: bool(exits))
        read = threads.submit(postern.system.info)
        time.sleep(0.1)
        postern.close()
        error = change.exception(10)
        assert isinstance(error, ProcessEnded) and isinstance(error.__cause__, ClientClosed)
        assert isinstance(read.exception(10), ClientClosed)


# The first start writes a line that is no reply, and then ignores SIGTERM and the end of its input.
DEAF = """
if not os.path.exists('started'):
    import signal
    open('started', 'w').close()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    answer(sys.stdin.readline(), None)
    sys.stdin.readline()
    print('no reply', flush=True)
    while True: signal.pause()
for line in sys.stdin: answer(line, 'served')
"""


def test_a_process_with_broken_output_is_killed_if_it_ignores_sigterm(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_process, "TERMINATION_SECONDS", 0.3)
    exits: list[ProcessExit] = []
    options: dict[str, Any] = {
        "binary": fake_binary(tmp_path, DEAF),
        "cwd": tmp_path,
        "supervise": True,
        "backoff": FAST,
        "on_exit": exits.append,
    }
    with Postern(**options) as postern:
        pid = postern.pid
        with pytest.raises(ProtocolError):
            postern.call("any")
        assert postern.call("any", timeout=10) == "served"
        assert has_ended(pid, 0)
    assert [type(exit.error) for exit in exits] == [ProtocolError]
    exits.clear()
    (tmp_path / "started").unlink()

    async def main() -> None:
        async with AsyncPostern(**options) as postern:
            pid = postern.pid
            with pytest.raises(ProtocolError):
                await postern.call("any")
            with anyio.fail_after(10):
                assert await postern.call("any") == "served"
            assert has_ended(pid, 0)

    run(main)
    assert [type(exit.error) for exit in exits] == [ProtocolError]


# Dies at each call but system.info, and counts its starts.
DYING = """
with open('starts', 'a') as starts: starts.write('x')
for line in sys.stdin:
    if json.loads(line)['method'] != 'system.info': os._exit(9)
    answer(line, None)
"""


def test_a_call_after_the_end_is_not_in_flight(tmp_path: Path, run: Run) -> None:
    """Nobody could read its request, so it is sent to the next process, although its method is not idempotent."""
    options: dict[str, Any] = {"arguments": FLAGS, "supervise": True, "backoff": FAST}
    with Postern(tmp_path / "data", **options) as postern:
        postern.operators.register(user=PERSON, password="password")
        for _ in range(10):
            kill(postern)
            assert sign_in(postern) == 1

    async def main() -> None:
        async with AsyncPostern(tmp_path / "data", **options) as postern:
            for _ in range(10):
                kill(postern)
                assert (await postern.operators.signin(email="lasoren@bu.edu", password="password")).id == 1

    run(main)


def test_a_call_is_sent_again_once(tmp_path: Path, run: Run) -> None:
    options: dict[str, Any] = {
        "binary": fake_binary(tmp_path, DYING),
        "cwd": tmp_path,
        "supervise": True,
        "backoff": FAST,
    }
    with Postern(**options) as postern:
        with pytest.raises(ProcessEnded, match="exited with code 9"):
            postern.operators.metadata(user_id=1, session_id="")
        assert postern.call("system.info") is None
        assert len((tmp_path / "starts").read_text()) == 3

    async def main() -> None:
        async with AsyncPostern(**options) as postern:
            with pytest.raises(ProcessEnded, match="exited with code 9"):
                await postern.operators.metadata(user_id=1, session_id="")
            assert await postern.call("system.info") is None

    run(main)


# Serves at its first start only.
FAILING = """
if os.path.exists('started'):
    print('the disk is gone', file=sys.stderr)
    sys.exit(4)
open('started', 'w').close()
answer(sys.stdin.readline(), None)
sys.stdin.readline()
os._exit(9)
"""


def test_a_client_gives_up_with_the_words_of_the_program(tmp_path: Path, run: Run) -> None:
    binary = fake_binary(tmp_path, FAILING)
    exits: list[ProcessExit] = []
    options: dict[str, Any] = {
        "binary": binary,
        "cwd": tmp_path,
        "supervise": True,
        "on_exit": exits.append,
        "backoff": Backoff(first=0.01, max=0.02, failed_starts_max=3),
        "log": lambda line: None,
    }

    def check() -> None:
        assert [exit.failed_starts for exit in exits] == [0, 1, 2, 3]
        assert [exit.attempt for exit in exits] == [1, 2, 3, 4]
        assert [exit.exit_code for exit in exits] == [9, 4, 4, 4]
        assert [exit.delay is None for exit in exits] == [False, False, False, True]
        assert exits[-1].stderr_lines == ("the disk is gone",)

    with Postern(**options) as postern, ThreadPoolExecutor(5) as threads:
        calls = [threads.submit(postern.call, "system.info") for _ in range(5)]
        assert all("the disk is gone" in str(call.exception(20)) for call in calls)
        with pytest.raises(ProcessEnded, match="the disk is gone"):
            postern.call("system.info")
    check()
    exits.clear()
    (tmp_path / "started").unlink()

    async def main() -> None:
        async with AsyncPostern(**options) as postern:
            for _ in range(2):
                with pytest.raises(ProcessEnded, match="the disk is gone"):
                    await postern.call("system.info")

    run(main)
    check()


def test_a_binary_that_disappears_is_reported(tmp_path: Path) -> None:
    binary = fake_binary(tmp_path, DYING)
    exits: list[ProcessExit] = []
    backoff = Backoff(first=0.01, failed_starts_max=2)
    with Postern(binary=binary, cwd=tmp_path, supervise=True, backoff=backoff, on_exit=exits.append) as postern:
        binary.unlink()
        with pytest.raises(BinaryNotFound):
            postern.call("operators.metadata", {})
    assert [type(exit.error) for exit in exits] == [ProcessEnded, BinaryNotFound, BinaryNotFound]
    assert exits[-1].exit_code is None and exits[-1].stderr_lines == ()


def test_a_first_process_that_cannot_serve_is_not_started_again(tmp_path: Path, run: Run) -> None:
    exits: list[ProcessExit] = []
    options: dict[str, Any] = {
        "arguments": ["--no-such-flag"],
        "log": lambda line: None,
        "supervise": True,
        "on_exit": exits.append,
    }
    with pytest.raises(ProcessEnded, match="--no-such-flag"):
        Postern(tmp_path / "data", **options)

    async def main() -> None:
        with pytest.raises(ProcessEnded, match="--no-such-flag"):
            await AsyncPostern(tmp_path / "data", **options).system.info()
        async with AsyncPostern(tmp_path / "data", **options):
            pass

    with pytest.raises(ProcessEnded, match="--no-such-flag"):
        run(main)
    assert exits == []


@pytest.mark.parametrize(
    "options",
    [{"data": ":memory:"}, {"arguments": ["--data", ":memory:"]}, {"env": {"POSTERN_DATA": ":memory:"}}],
)
def test_a_store_in_memory_is_refused(options: dict[str, Any], run: Run) -> None:
    with pytest.raises(PosternError, match="a store in memory cannot be supervised"):
        Postern(supervise=True, **options)

    async def main() -> None:
        async with AsyncPostern(supervise=True, **options):
            pass

    with pytest.raises(PosternError, match="a store in memory cannot be supervised"):
        run(main)


@pytest.mark.parametrize("kind", [Postern, AsyncPostern])
def test_options_that_do_not_fit_are_refused(kind: type[Postern] | type[AsyncPostern]) -> None:
    for options in ({"backoff": FAST}, {"on_exit": print}, {"supervise": True, "wait_until_ready": False}):
        with pytest.raises(ValueError, match="supervise"):
            kind("nowhere", **options)
    for numbers in ({"first": -1}, {"max": -1}, {"reset_after": -1}, {"jitter": 1.1}, {"failed_starts_max": 0}):
        with pytest.raises(ValueError, match="out of range"):
            Backoff(**numbers)
    assert Backoff(first=0, max=0, jitter=0, failed_starts_max=1).failed_starts_max == 1


@pytest.mark.parametrize("kind", [Postern, AsyncPostern])
def test_a_coroutine_function_as_on_exit_is_refused(kind: type[Postern] | type[AsyncPostern]) -> None:
    async def on_exit(exit: ProcessExit) -> None:
        pass

    class OnExit:
        async def __call__(self, exit: ProcessExit) -> None:
            pass

    for function in (on_exit, functools.partial(on_exit), OnExit()):
        with pytest.raises(ValueError, match="on_exit"):
            kind("nowhere", supervise=True, on_exit=function)  # type: ignore[arg-type]


def test_calls_of_threads_survive_kills_in_a_loop(tmp_path: Path) -> None:
    """Every call ends. What was acknowledged is there, and each client at most once."""
    acknowledged: set[str] = set()
    unknown: set[str] = set()
    reads = 0
    is_over = threading.Event()
    with Postern(tmp_path / "data", arguments=FLAGS, supervise=True, backoff=FAST, timeout=30) as postern:
        luke = postern.operators.register(user=PERSON, password="password")
        session = {"user_id": luke.id, "session_id": luke.session_id}

        def create(thread: int) -> None:
            for number in range(10_000):
                if is_over.is_set():
                    return
                email = f"m{thread}-{number}@example.com"
                try:
                    postern.operators.client.create(
                        **session,  # type: ignore[arg-type]
                        client={"user": {**PERSON, "email": email}, "address": "here"},
                    )
                    acknowledged.add(email)
                except ProcessEnded:
                    unknown.add(email)

        def read() -> None:
            nonlocal reads
            while not is_over.is_set():
                assert len(postern.operators.sessions(**session).sessions) == 1  # type: ignore[arg-type]
                reads += 1

        with ThreadPoolExecutor(5) as threads:
            calls = [threads.submit(create, thread) for thread in range(4)]
            calls.append(threads.submit(read))
            for _ in range(8):
                before = len(acknowledged), reads
                wait_until(functools.partial(lambda a, r: len(acknowledged) > a + 20 and reads > r + 2, *before))
                kill(postern)
            is_over.set()
            for call in calls:
                call.result(30)
        listed = [client.user.email for client in postern.operators.clients.get(**session, provision=0).clients]  # type: ignore[arg-type]
    assert len(listed) == len(set(listed))
    assert acknowledged <= set(listed) <= acknowledged | unknown
    assert len(acknowledged) > 100 and unknown


def test_calls_of_tasks_survive_kills_in_a_loop(tmp_path: Path, run: Run) -> None:
    acknowledged: set[int] = set()
    unknown: set[int] = set()

    async def main() -> None:
        async with AsyncPostern(tmp_path / "data", arguments=FLAGS, supervise=True, backoff=FAST) as postern:
            luke = await postern.operators.register(user=PERSON, password="password")
            numbers = iter(range(100_000))
            kills = 0

            async def create() -> None:
                while kills < 5:
                    number = next(numbers)
                    try:
                        await postern.operators.client.create(
                            user_id=luke.id,
                            session_id=luke.session_id,
                            client={"user": {**PERSON, "email": f"m{number}@example.com"}, "address": str(number)},
                        )
                        acknowledged.add(number)
                    except ProcessEnded:
                        unknown.add(number)

            with anyio.fail_after(60):
                async with anyio.create_task_group() as tasks:
                    for _ in range(5):
                        tasks.start_soon(create)
                    while kills < 5:
                        before = len(acknowledged)
                        while len(acknowledged) < before + 20:
                            await anyio.sleep(0.01)
                        os.kill(postern.pid, signal.SIGKILL)
                        kills += 1
            listed = (
                await postern.operators.clients.get(user_id=luke.id, session_id=luke.session_id, provision=0)
            ).clients
            numbers_listed = {int(client.address) for client in listed}
            assert acknowledged <= numbers_listed <= acknowledged | unknown
            assert len(listed) == len(numbers_listed)

    run(main)


# The second start waits for a signal.
STARTING = """
with open('starts', 'a') as starts: starts.write('x')
if len(open('starts').read()) == 2:
    import signal
    with open('pid.new', 'w') as file: file.write(str(os.getpid()))
    os.rename('pid.new', 'pid')
    signal.pause()
for line in sys.stdin:
    if json.loads(line)['method'] == 'die': os._exit(9)
    answer(line, 'served')
"""


def test_a_process_that_is_killed_while_it_starts_is_started_again(tmp_path: Path, run: Run) -> None:
    binary = fake_binary(tmp_path, STARTING)
    exits: list[ProcessExit] = []
    options: dict[str, Any] = {"binary": binary, "cwd": tmp_path, "supervise": True, "on_exit": exits.append}
    pid = tmp_path / "pid"

    def check() -> None:
        assert [(exit.exit_code, exit.signal_number, exit.failed_starts) for exit in exits] == [
            (9, None, 0),
            (None, signal.SIGKILL, 1),
        ]
        delays = [exit.delay or 0 for exit in exits]
        assert 0.08 <= delays[0] <= 0.12 and 0.16 <= delays[1] <= 0.24

    with Postern(**options) as postern, ThreadPoolExecutor(1) as threads:
        with pytest.raises(ProcessEnded):
            postern.call("die")
        waiting = threads.submit(postern.call, "any")
        wait_until(pid.exists)
        os.kill(int(pid.read_text()), signal.SIGKILL)
        assert waiting.result(20) == "served"
    check()
    exits.clear()
    pid.unlink()
    (tmp_path / "starts").unlink()

    async def main() -> None:
        async with AsyncPostern(**options) as postern:
            with pytest.raises(ProcessEnded):
                await postern.call("die")
            while not pid.exists():
                await anyio.sleep(0.01)
            os.kill(int(pid.read_text()), signal.SIGKILL)
            assert await postern.call("any") == "served"

    run(main)
    check()


def test_a_call_that_waits_for_a_process_has_its_timeout(tmp_path: Path, run: Run) -> None:
    options: dict[str, Any] = {"supervise": True, "backoff": Backoff(first=60, max=60)}
    with Postern(tmp_path / "data", **options) as postern:
        kill(postern)
        with pytest.raises(CallTimeout, match=r"system\.info took longer than 0\.2 s"):
            postern.with_timeout(0.2).system.info()
        begun = time.monotonic()
    assert time.monotonic() - begun < 5

    async def main() -> None:
        async with AsyncPostern(tmp_path / "data", **options) as postern:
            kill(postern)
            with anyio.move_on_after(0.2) as scope:
                await postern.system.info()
            assert scope.cancelled_caught

    run(main)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("moment", ["serving", "pause", "start"])
def test_close_is_final(tmp_path: Path, moment: str, run: Run) -> None:
    """Also between two processes, and while one starts: calls that wait are refused, and no process is left."""
    binary = fake_binary(tmp_path, STARTING)
    pid = tmp_path / "pid"
    exits: list[ProcessExit] = []
    options: dict[str, Any] = {
        "binary": binary,
        "cwd": tmp_path,
        "supervise": True,
        "on_exit": exits.append,
        "backoff": Backoff(first=60, max=60) if moment == "pause" else FAST,
    }

    def check(last: int) -> None:
        assert has_ended(last, 0)
        assert len((tmp_path / "starts").read_text()) == (2 if moment == "start" else 1)
        assert len(exits) == (moment != "serving")

    with ThreadPoolExecutor(1) as threads:
        postern = Postern(**options)
        if moment != "serving":
            with pytest.raises(ProcessEnded):
                postern.call("die")
            waiting = threads.submit(postern.call, "any")
            wait_until(lambda: bool(exits) if moment == "pause" else pid.exists())
        postern.close(timeout=0.1)
        with pytest.raises(ClientClosed):
            postern.call("any")
        if moment != "serving":
            assert isinstance(waiting.exception(20), ClientClosed)
    check(postern.pid)
    for name in ("starts", "pid"):
        (tmp_path / name).unlink(missing_ok=True)
    exits.clear()

    async def main() -> int:
        refused: list[bool] = []

        async def wait() -> None:
            with pytest.raises(ClientClosed):
                await postern.call("any")
            refused.append(True)

        async with anyio.create_task_group() as tasks:
            postern = AsyncPostern(**options)
            await postern.ready()
            if moment != "serving":
                with pytest.raises(ProcessEnded):
                    await postern.call("die")
                tasks.start_soon(wait)
                while not (exits if moment == "pause" else pid.exists()):
                    await anyio.sleep(0.01)
            await postern.close(timeout=0.1)
            with pytest.raises(ClientClosed):
                await postern.call("any")
        assert len(refused) == (moment != "serving")
        return postern.pid

    check(run(main))


def test_events_continue_with_the_next_process(tmp_path: Path, run: Run) -> None:
    """No event is missed, also those that were not read when the process ended."""
    options: dict[str, Any] = {"arguments": FLAGS, "supervise": True, "backoff": FAST, "events_after": 0}
    with Postern(tmp_path / "data", **options) as postern:
        postern.operators.register(user=PERSON, password="password")
        events = postern.events()
        assert next(events).kind == "registered"
        for _ in range(3):
            sign_in(postern)
            kill(postern)
            sign_in(postern)
        assert [(event.seq, event.kind) for event in islice(events, 6)] == [(seq, "signed_in") for seq in range(2, 8)]
    assert [event.kind for event in events] == []

    async def main() -> None:
        async with AsyncPostern(tmp_path / "data", **options) as postern:
            seqs: list[int] = []
            async for event in postern.events():
                seqs.append(event.seq)
                if len(seqs) in (2, 5):
                    assert (await postern.system.info()).events
                    kill(postern)
                if len(seqs) == 7:
                    break
            assert seqs == list(range(1, 8))

    run(main)


def test_events_that_have_arrived_are_returned_between_two_processes(tmp_path: Path, run: Run) -> None:
    exits: list[ProcessExit] = []
    options: dict[str, Any] = {
        "arguments": FLAGS,
        "supervise": True,
        "backoff": Backoff(first=60, max=60),
        "events_after": 0,
        "on_exit": exits.append,
    }
    with Postern(tmp_path / "data", **options) as postern, ThreadPoolExecutor(1) as threads:
        postern.operators.register(user=PERSON, password="password")
        sign_in(postern)
        queue = postern._connection.traffic._events
        assert queue is not None
        wait_until(lambda: len(queue._events) == 2)
        kill(postern)
        wait_until(lambda: bool(exits))
        taken = threads.submit(lambda: [event.seq for event in islice(postern.events(), 2)])
        try:
            assert taken.result(10) == [1, 2]
        finally:
            postern.close()
    exits.clear()

    async def main() -> None:
        async with AsyncPostern(tmp_path / "data", **options) as postern:
            queue = postern._connection._events
            assert queue is not None
            with anyio.fail_after(10):
                while len(queue._events) < 2:
                    await anyio.sleep(0.01)
                kill(postern)
                while not exits:
                    await anyio.sleep(0.01)
                events = postern.events()
                assert [(await anext(events)).seq for _ in range(2)] == [1, 2]

    run(main)


def test_on_exit_may_raise_and_close_and_makes_no_calls(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    refused: list[str] = []

    def on_exit(exit: ProcessExit) -> None:
        try:
            postern.system.info()
        except PosternError as error:
            refused.append(str(error))
        if exit.attempt == 2:
            postern.close()
        raise RuntimeError("on_exit failed")

    postern = Postern(tmp_path / "data", supervise=True, on_exit=on_exit, backoff=FAST)
    kill(postern)
    assert postern.system.info().name == "postern"
    kill(postern)
    wait_until(lambda: len(refused) == 2)
    wait_until(lambda: not postern._connection.traffic.is_open)
    with pytest.raises(ClientClosed):
        postern.system.info()
    assert all("on_exit cannot make a call" in text for text in refused)
    wait_until(lambda: "on_exit failed" in caplog.text)
    postern.close()


def test_an_exception_of_on_exit_is_passed_on_to_the_log(tmp_path: Path, run: Run) -> None:
    heard: list[str] = []

    def on_exit(exit: ProcessExit) -> None:
        raise RuntimeError(f"on_exit failed at {exit.attempt}")

    def check() -> None:
        wait_until(lambda: len(heard) == 2)
        assert [line.splitlines()[0] for line in heard] == ["on_exit raised an exception"] * 2
        assert [line.splitlines()[-1] for line in heard] == [f"RuntimeError: on_exit failed at {n}" for n in (1, 2)]
        wait_until(lambda: "postern-log-on-exit" not in {thread.name for thread in threading.enumerate()})

    options: dict[str, Any] = {"supervise": True, "on_exit": on_exit, "backoff": FAST, "log": heard.append}
    with Postern(tmp_path / "data", **options) as postern:
        for _ in range(2):
            kill(postern)
            assert postern.system.info().name == "postern"
    check()
    heard.clear()

    async def main() -> None:
        async with AsyncPostern(tmp_path / "data", **options) as postern:
            for _ in range(2):
                kill(postern)
                assert (await postern.system.info()).name == "postern"

    run(main)
    check()


def test_on_exit_does_not_end_the_supervision(tmp_path: Path, run: Run) -> None:
    """Exceptions that are no `Exception`: of `sys.exit`, and of a future that was cancelled."""
    heard: list[str] = []
    raised = [SystemExit(3), asyncio.CancelledError("on_exit"), KeyboardInterrupt("on_exit")]
    left: list[BaseException] = []

    def on_exit(exit: ProcessExit) -> None:
        raise left.pop(0)

    options: dict[str, Any] = {"supervise": True, "on_exit": on_exit, "backoff": FAST, "log": heard.append}
    left[:] = raised
    with Postern(tmp_path / "data", **options) as postern:
        while left:
            kill(postern)
            assert postern.with_timeout(10).system.info().name == "postern"
    wait_until(lambda: len(heard) == 3)
    assert "SystemExit: 3" in heard[0]

    async def main() -> None:
        async with AsyncPostern(tmp_path / "data", **options) as postern:
            while left:
                kill(postern)
                with anyio.fail_after(10):
                    assert (await postern.system.info()).name == "postern"

    left[:] = raised[:2]
    run(main)
    wait_until(lambda: len(heard) == 5)


def test_ctrl_c_in_on_exit_ends_an_event_loop(tmp_path: Path) -> None:
    host = run_host(f"""
        import asyncio, os, signal
        from postern_accounts import AsyncPostern
        def on_exit(exit):
            raise KeyboardInterrupt
        async def main():
            async with AsyncPostern({str(tmp_path / "data")!r}, supervise=True, on_exit=on_exit) as postern:
                os.kill(postern.pid, signal.SIGKILL)
                await postern.system.info()
        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print("interrupted")
    """)
    assert (host.returncode, host.stdout) == (0, "interrupted\n"), host.stderr


def test_a_supervised_client_without_close_ends_its_process(tmp_path: Path, run: Run) -> None:
    postern: Postern | AsyncPostern | None = Postern(tmp_path / "data", supervise=True)
    assert postern is not None
    pid = postern.pid
    with pytest.warns(ResourceWarning, match="was not closed"):
        postern = None
        gc.collect()
    assert has_ended(pid, 5)
    wait_until(lambda: "postern-supervisor" not in {thread.name for thread in threading.enumerate()})

    holder: list[AsyncPostern] = []

    async def outlive() -> int:
        holder.append(AsyncPostern(tmp_path / "data", supervise=True))
        await holder[0].ready()
        return holder[0].pid

    pid = run(outlive)
    with pytest.warns(ResourceWarning, match="was not closed"):
        holder.clear()
        gc.collect()
    assert has_ended(pid, 5)

    async def main() -> int:
        postern = AsyncPostern(tmp_path / "data", supervise=True)
        await postern.ready()
        pid = postern.pid
        with pytest.warns(ResourceWarning, match="was not closed"):
            del postern
            gc.collect()
        return pid

    assert has_ended(run(main), 5)


def test_a_script_without_close_ends_its_supervised_process(tmp_path: Path) -> None:
    host = run_host(f"""
        from postern_accounts import Postern
        postern = Postern({str(tmp_path / "data")!r}, supervise=True, on_exit=print)
        print(postern.pid)
    """)
    assert host.returncode == 0 and host.stderr == ""
    assert has_ended(int(host.stdout), 0)


def test_a_supervised_client_works_in_a_host_patched_by_gevent(tmp_path: Path) -> None:
    pytest.importorskip("gevent")
    host = run_host(f"""
        from gevent import monkey
        monkey.patch_all()
        import gevent, os, signal
        from postern_accounts import Postern
        ticks = []
        def tick():
            while True:
                ticks.append(1)
                gevent.sleep(0.001)
        gevent.spawn(tick)
        exits = []
        with Postern({str(tmp_path / "data")!r}, supervise=True, on_exit=exits.append) as postern:
            for _ in range(3):
                calls = [gevent.spawn(postern.system.info) for _ in range(5)]
                os.kill(postern.pid, signal.SIGKILL)
                gevent.joinall(calls, timeout=10, raise_error=True)
                print({{call.value.name for call in calls}})
        print(len(exits), [exit.signal_number for exit in exits] == [9] * len(exits), len(ticks) > 100)
    """)
    assert (host.returncode, host.stdout) == (0, "{'postern'}\n" * 3 + "3 True True\n"), host.stderr


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_cannot_use_a_supervised_client(tmp_path: Path) -> None:
    with Postern(tmp_path / "data", supervise=True, backoff=Backoff(first=60, max=60)) as postern:
        kill(postern)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                postern.close()
                postern.system.info()
            except PosternError as error:
                code = 0 if "before a fork" in str(error) else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_delays_double_up_to_the_longest_and_vary() -> None:
    error = ProcessEnded(1, None)

    def delays(restarts: Restarts, count: int) -> Iterator[float]:
        for _ in range(count):
            delay = restarts.exit(error, has_served=True, seconds=9.9).delay
            assert delay is not None
            yield delay

    exact = list(delays(Restarts(Backoff(jitter=0)), 8))
    assert exact == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    for _ in range(100):
        varied = list(delays(Restarts(Backoff()), 8))
        assert all(0.8 * delay <= given <= 1.2 * delay for delay, given in zip(exact, varied, strict=True))
    assert len({next(delays(Restarts(Backoff()), 1)) for _ in range(100)}) > 50


def test_delays_start_again_after_a_healthy_run_and_failed_starts_after_a_reply() -> None:
    restarts = Restarts(Backoff(jitter=0))
    error = ProcessEnded(1, None)
    for _ in range(9):
        assert restarts.exit(error, has_served=False, seconds=0).delay is not None
    exit = restarts.exit(error, has_served=True, seconds=1)
    assert (exit.attempt, exit.failed_starts, exit.delay) == (10, 0, 5.0)
    exit = restarts.exit(error, has_served=True, seconds=10)
    assert (exit.attempt, exit.failed_starts, exit.delay) == (1, 0, 0.1)
    last = [restarts.exit(error, has_served=False, seconds=0) for _ in range(10)][-1]
    assert (last.failed_starts, last.delay) == (10, None)


def test_the_idempotent_methods_are_those_of_the_service() -> None:
    """The hints of the service's own tools, by the Model Context Protocol."""
    with Postern(":memory:", arguments=["--admin"]) as postern:
        version = {f"io.modelcontextprotocol/{name}": value for name, value in HANDSHAKE.items()}
        tools = postern.call("tools/list", {"_meta": version})["tools"]
        methods = postern.system.info().methods
    hints = {method: tool["annotations"] for tool in tools for method in methods if named(method) == tool["name"]}
    assert len(hints) > 40
    assert {method for method in hints if hints[method]["readOnlyHint"]} == READ_ONLY & set(hints)
    assert {method for method in hints if hints[method]["idempotentHint"]} == IDEMPOTENT & set(hints)
    assert READ_ONLY <= IDEMPOTENT <= {*methods, "system.outbox"}


HANDSHAKE = {"protocolVersion": "2026-07-28", "clientCapabilities": {}}


def named(method: str) -> str:
    return method.replace(".", "_")
