"""Single calls: invalid params, timeouts and results."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import threading
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from support import PERSON, calls_in_flight, fake_binary, wait_until

from postern_accounts import (
    UNSET,
    AsyncPostern,
    CallError,
    CallTimeout,
    MessageTooLong,
    Postern,
    PosternError,
    ProcessEnded,
    ProtocolError,
)
from postern_accounts._bounds import MESSAGE_BYTES_MAX
from postern_accounts._reading import day, epoch, time
from postern_accounts._requests import wire_value
from postern_accounts.errors import care, operators
from postern_accounts.types import OperatorsClient

# Replies to each request with its params, and to a request without params when the next one with params arrives.
ECHO = """
late = []
for request in sys.stdin:
    params = json.loads(request).get("params")
    if params is None:
        late.append(request)
        continue
    for each in late:
        answer(each, "late")
    late.clear()
    answer(request, params)
"""


def test_a_call_times_out_and_its_reply_is_dropped(tmp_path: Path) -> None:
    with Postern(binary=fake_binary(tmp_path, ECHO), wait_until_ready=False) as postern:
        with pytest.raises(CallTimeout, match=r"system.info took longer than 0.05 s") as caught:
            postern.call("system.info", timeout=0.05)
        assert isinstance(caught.value, TimeoutError) and isinstance(caught.value, PosternError)
        with pytest.raises(CallTimeout):
            postern.with_timeout(0.05).system.info()
        # Both late replies arrive before this one.
        assert postern.call("system.info", [1]) == [1]
        assert calls_in_flight(postern) == 0
        assert postern.with_timeout(5).call("system.info", [2]) == [2]
        assert postern.call("system.info", [3]) == [3]


def test_the_clients_timeout_applies_to_its_calls(tmp_path: Path) -> None:
    with (
        Postern(binary=fake_binary(tmp_path, ECHO), wait_until_ready=False, timeout=0.05) as postern,
        pytest.raises(CallTimeout),
    ):
        postern.rpc.discover()


@pytest.mark.parametrize("endless", [float("inf"), 1e12])
def test_a_timeout_can_be_infinite(tmp_path: Path, endless: float) -> None:
    """A lock rejects times greater than threading.TIMEOUT_MAX."""
    postern = Postern(binary=fake_binary(tmp_path, ECHO), wait_until_ready=False, timeout=endless)
    assert postern.call("system.info", [1]) == [1]
    postern.close(timeout=endless)


@pytest.mark.parametrize("past", [0, -1, -5])
def test_a_timeout_that_is_not_positive_is_over_at_once(tmp_path: Path, past: float) -> None:
    """A lock with a timeout of -1 waits for ever."""
    with Postern(binary=fake_binary(tmp_path, ECHO), wait_until_ready=False) as postern, pytest.raises(CallTimeout):
        postern.call("system.info", timeout=past)


def test_calls_time_out_while_the_process_is_stopped() -> None:
    with Postern(":memory:") as postern:
        postern.system.info()
        os.kill(postern.pid, signal.SIGSTOP)
        # More than the capacity of a pipe, so that part of it is not written yet.
        with pytest.raises(CallTimeout):
            postern.call("system.info", {"text": "x" * 1_000_000}, timeout=0.05)
        with pytest.raises(CallTimeout):
            postern.call("system.info", timeout=0.05)
        os.kill(postern.pid, signal.SIGCONT)
        assert postern.system.info().name == "postern"


def test_a_cancelled_task_ends_its_call_and_the_reply_is_dropped(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncPostern(binary=fake_binary(tmp_path, ECHO), wait_until_ready=False) as postern:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(postern.call("system.info"), 0.05)
            task = asyncio.create_task(postern.call("system.info"))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await postern.call("system.info", [1]) == [1]
            assert calls_in_flight(postern) == 0
            assert await postern.call("system.info", [2]) == [2]

    asyncio.run(main())


class Interrupt(BaseException):
    """The exception of the signal handler, as KeyboardInterrupt is that of Ctrl-C."""


def test_interrupts_lose_no_reply(tmp_path: Path) -> None:
    """A signal handler that raises at any point of a call ends only that call."""

    def raise_interrupt(number: int, frame: object) -> None:
        if is_calling:
            raise Interrupt

    is_calling = False
    interrupts = 0
    before = signal.signal(signal.SIGALRM, raise_interrupt)
    try:
        with Postern(binary=fake_binary(tmp_path, ECHO), wait_until_ready=False) as postern:
            results: list[Any] = []
            other = threading.Thread(
                target=lambda: results.extend(postern.call("system.info", [n]) for n in range(2_000))
            )
            other.start()
            for number in range(2_000):
                delay = 20e-6 + number % 100 * 1e-6
                try:
                    is_calling = True
                    signal.setitimer(signal.ITIMER_REAL, delay)
                    assert postern.call("system.info", [number], timeout=10) == [number]
                    is_calling = False
                except Interrupt:
                    is_calling = False
                    interrupts += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
            other.join(20)
            assert results == [[number] for number in range(2_000)]
            assert postern.call("system.info", ["last"], timeout=10) == ["last"]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupts > 100


def test_a_request_that_is_too_long_is_not_sent() -> None:
    async def main() -> None:
        async with AsyncPostern(":memory:") as postern:
            with pytest.raises(MessageTooLong):
                await postern.call("system.info", {"text": "x" * MESSAGE_BYTES_MAX})
            assert (await postern.system.info()).name == "postern"

    with Postern(":memory:") as postern:
        with pytest.raises(MessageTooLong, match="8388608 is the most"):
            postern.call("system.info", {"text": "é" * (MESSAGE_BYTES_MAX // 2)})
        assert postern.system.info().name == "postern"
        # The longest request that the service accepts.
        envelope = len('{"jsonrpc":"2.0","id":2,"method":"system.info","params":{"text":""}}')
        assert postern.call("system.info", {"text": "x" * (MESSAGE_BYTES_MAX - envelope)})["name"] == "postern"
        with pytest.raises(MessageTooLong):
            postern.call("system.info", {"text": "x" * (MESSAGE_BYTES_MAX - envelope + 1)})
    asyncio.run(main())


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"a": "\ud800"}, ValueError),
        ({"a": float("nan")}, ValueError),
        ({"a": datetime(2016, 2, 24)}, ValueError),
        ({"a": object()}, TypeError),
        (nested(128), ValueError),
        (nested(100_000), RecursionError),
    ],
)
def test_params_that_json_cannot_represent_are_errors(postern: Postern, params: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        postern.call("system.info", params)
    assert postern.system.info().name == "postern"


def test_a_request_at_the_nesting_limit_is_sent(postern: Postern) -> None:
    with pytest.raises(CallError, match="Invalid params"):
        postern.call("system.info", nested(127))


def test_a_result_that_does_not_match_the_contract_fails_its_call(tmp_path: Path) -> None:
    body = """
flags = {"contract": "1.0.0", "apis": [], "admin": False, "events": False, "deterministic": False}
results = [
    {"name": "postern"},
    {"name": "postern", "version": 1, "methods": [], "store": {"kind": "memory"}},
    {"name": "postern", "version": "1", "methods": ["a", 1], "store": {"kind": "memory"}},
    {"name": "postern", "version": "1", "methods": [], "store": {}, "more": 1},
    None,
    {"name": "postern", "version": "1", "methods": ["a"], "store": {"kind": "memory", "more": 1}, "more": 1} | flags,
]
for request, result in zip(sys.stdin, results):
    answer(request, result)
"""
    with Postern(binary=fake_binary(tmp_path, body), wait_until_ready=False) as postern:
        for problem in (
            "system.info: result.version is missing",
            "system.info: result.version is no string",
            r"system.info: result.methods\[1\] is no string",
            "system.info: result.store.kind is missing",
            "system.info: result is no object",
        ):
            with pytest.raises(ProtocolError, match=problem):
                postern.system.info()
        assert postern.system.info().methods == ("a",)


def test_metadata_is_a_dictionary_with_any_values(postern: Postern) -> None:
    operator = postern.operators.register(user=PERSON, password="a long password")
    metadata: dict[str, Any] = {"": [None, True, {"é": 12345678901234567890, "": {}}], "half": 0.5}
    stored = postern.operators.set_metadata(user_id=operator.id, session_id=operator.session_id, metadata=metadata)
    assert (stored.metadata, stored.app_metadata) == (metadata, {})
    shown = postern.operators.metadata(user_id=operator.id, session_id=operator.session_id)
    assert shown == stored and type(shown.metadata[""][2]["é"]) is int


def test_metadata_of_another_type_does_not_match_the_contract(tmp_path: Path) -> None:
    body = """
for request, metadata in zip(sys.stdin, [[], None, "{}", {}]):
    answer(request, {"metadata": {"a": 1}, "app_metadata": metadata})
"""
    with Postern(binary=fake_binary(tmp_path, body), wait_until_ready=False) as postern:
        for _ in range(3):
            with pytest.raises(ProtocolError, match=r"result\.app_metadata is no object"):
                postern.operators.metadata(user_id=1, session_id="")
        assert postern.operators.metadata(user_id=1, session_id="").metadata == {"a": 1}


def test_times_keep_their_microseconds() -> None:
    for text in ("2016-02-24T22:07:52.371513Z", "0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"):
        assert wire_value(time(text)) == text
    assert time("2016-02-24T22:07:52.371513Z").utcoffset() == timedelta(0)
    assert wire_value(datetime(2016, 2, 24, 1, tzinfo=timezone(timedelta(hours=2)))) == "2016-02-23T23:00:00.000000Z"


def test_dates_are_dates_and_unix_times_are_times(postern: Postern) -> None:
    patients = postern.care.patients
    postern.care.user.register(email="a@example.com", password="password", role="user")
    token = postern.care.auth.token(email="a@example.com", password="password").access_token
    patient = patients.create(access_token=token, first_name="Ann", birthdate=date(1970, 12, 31))
    assert patient.birthdate == date(1970, 12, 31)
    with pytest.raises(care.InvalidBirthdate):
        patients.create(access_token=token, first_name="Ann", birthdate="yesterday")
    customer = postern.sales.user.create_customer(
        email="b@example.com",
        password="password",
        referral_code=postern.system.invite(role="customer").referral_code,
        source="a friend",
        name={"first": "Mary", "last": "Major"},
    )
    assert customer.created == datetime(2016, 2, 24, 22, 7, 52, tzinfo=timezone.utc)
    for value, reads in (("1970-13-31", day), (10**15, epoch), ("1", epoch), (None, day)):
        with pytest.raises(ValueError, match="is no"):
            reads(value)


def test_the_environment_is_merged_with_that_of_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_HOST", "1")
    monkeypatch.setenv("REPLACED", "1")
    monkeypatch.setenv("REMOVED", "1")
    names = ["OF_HOST", "REPLACED", "REMOVED", "ADDED"]
    binary = fake_binary(tmp_path, f"for line in sys.stdin: answer(line, [os.environ.get(name) for name in {names!r}])")
    env = {"REPLACED": "2", "REMOVED": None, "ADDED": "2"}
    with Postern(binary=binary, env=env) as postern:
        assert postern.call("any") == ["1", "2", None, "2"]


def test_from_json_rejects_a_result_without_a_required_property(postern: Postern) -> None:
    with pytest.raises(ValueError, match=r"result\.id is missing"):
        OperatorsClient.from_json({})


def test_the_repr_of_a_result_has_no_session(postern: Postern) -> None:
    operator = postern.operators.register(user=PERSON, password="password")
    assert len(operator.session_id) == 128
    assert operator.session_id not in f"{operator} {operator!r}" and "Luke" in repr(operator)
    assert repr(operator).endswith("session_id=[redacted])")


def test_none_clears_a_value_and_unset_keeps_it(postern: Postern) -> None:
    care = postern.care
    care.user.register(email="a@example.com", password="password", role="user", phone="6171234567")
    token = care.auth.token(email="a@example.com", password="password").access_token
    assert care.user.change(access_token=token, phone=UNSET, last_name="Major").phone == "6171234567"
    assert care.user.change(access_token=token, phone=None).phone == ""


def test_errors_can_be_pickled() -> None:
    data = {"errors": ["wrong_password"], "field": "password", "retry_after": 5}
    error = pickle.loads(pickle.dumps(operators.WrongPassword(-9, "Password is incorrect for this account.", data)))
    assert type(error) is operators.WrongPassword
    assert (error.code, error.slug, error.field, error.retry_after) == (-9, "wrong_password", "password", 5)
    assert str(error) == "Password is incorrect for this account."
    for failure in (ProcessEnded(None, 9, ["a"]), CallTimeout("late"), ProtocolError("odd"), MessageTooLong("long")):
        again = pickle.loads(pickle.dumps(failure))
        assert (type(again), str(again)) == (type(failure), str(failure))


@pytest.mark.parametrize("slugs", [["newer_than_this"], ["newer_than_this", "wrong_password"], []])
def test_an_error_with_an_unknown_slug_is_a_call_error(tmp_path: Path, slugs: list[str]) -> None:
    body = (
        "for request in sys.stdin:\n"
        f"    error = {{'code': 7, 'message': 'New.', 'data': {{'errors': {slugs!r}, 'retry_after': 3}}}}\n"
        "    print(json.dumps({'jsonrpc': '2.0', 'id': json.loads(request)['id'], 'error': error}), flush=True)"
    )
    with Postern(binary=fake_binary(tmp_path, body)) as postern, pytest.raises(CallError) as caught:
        postern.operators.signin(email="lasoren@bu.edu", password="password")
    assert type(caught.value) is CallError
    assert (caught.value.code, caught.value.errors, caught.value.retry_after) == (7, tuple(slugs), 3)
    assert caught.value.slug == (slugs[0] if slugs else None)


def test_errors_name_the_field(postern: Postern) -> None:
    with pytest.raises(operators.FieldInvalid) as caught:
        postern.operators.register(user={**PERSON, "email": "nobody"}, password="password")
    assert (caught.value.field, caught.value.errors) == ("user.email", ("field_invalid",))


def test_a_client_refuses_calls_from_another_event_loop() -> None:
    postern: AsyncPostern | None = None

    async def open_it() -> None:
        nonlocal postern
        postern = AsyncPostern(":memory:")
        await postern.ready()

    async def use_it() -> None:
        assert postern is not None
        with pytest.raises(PosternError, match="another event loop"):
            await postern.system.info()

    async def close_it() -> None:
        assert postern is not None
        await postern.close()

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(open_it())
        asyncio.run(use_it())
        loop.run_until_complete(close_it())
    finally:
        loop.close()


def test_a_waiting_thread_does_not_block_other_threads(tmp_path: Path) -> None:
    with Postern(binary=fake_binary(tmp_path, ECHO), wait_until_ready=False) as postern:
        results: list[Any] = []
        waiting = threading.Thread(target=lambda: results.append(postern.call("system.info")))
        waiting.start()
        wait_until(lambda: calls_in_flight(postern) == 1)
        assert postern.call("system.info", [1], timeout=10) == [1]
        waiting.join(10)
        assert results == ["late"]
