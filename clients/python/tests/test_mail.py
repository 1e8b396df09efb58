"""Mails that the host delivers itself, and other messages that the process sends on its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import PERSON, fake_binary, wait_until

from postern_accounts import AsyncPostern, Postern
from postern_accounts.types import OperatorsPersonInput, ServiceMail


def person(number: int) -> OperatorsPersonInput:
    return {**PERSON, "email": f"luke{number}@bu.edu"}


def state(data: Path) -> list[list[str]]:
    """The columns of `postern outbox list`."""
    command = [os.environ["POSTERN_BIN"], "outbox", "list", "--data", str(data)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split("\t") for line in listing.splitlines()]


def test_a_function_delivers_mails(tmp_path: Path) -> None:
    mails: list[ServiceMail] = []
    with Postern(tmp_path / "data", arguments=["--public-url", "https://x.co"], deliver_mail=mails.append) as postern:
        postern.operators.register(user=PERSON, password="password", locale="pt-BR")
        wait_until(lambda: len(mails) == 1)
        (mail,) = mails
        assert mail.locale == "pt-BR" and mail.html is None
        assert mail.to == PERSON["email"] and mail.kind == "operators-confirmation"
        assert mail.code is not None and mail.code in mail.text.splitlines()
        assert mail.link == f"https://x.co/operators/confirm?code={mail.code}"
        assert mail.code not in repr(mail)
        assert postern.operators.confirm_email(code=mail.code).email == PERSON["email"]
        postern.care.user.register(email="a@b.co", password="password", role="user")
        postern.care.user.reset_password(email="a@b.co")
        wait_until(lambda: len(mails) == 3)
        assert mails[2].link is None and mails[2].code is not None
    assert [row[2] for row in state(tmp_path / "data")] == ["delivered"] * 3


def test_a_coroutine_delivers_mails(tmp_path: Path) -> None:
    async def main() -> None:
        mails: asyncio.Queue[ServiceMail] = asyncio.Queue()
        async with AsyncPostern(tmp_path / "data", deliver_mail=mails.put) as postern:
            await postern.operators.register(user=PERSON, password="password")
            mail = await asyncio.wait_for(mails.get(), 10)
            assert mail.code is not None
            await postern.operators.confirm_email(code=mail.code)

    asyncio.run(main())
    assert [row[2] for row in state(tmp_path / "data")] == ["delivered"]


class Refusal(BaseException):
    """Not an Exception, so that an `except Exception` does not catch it."""


@pytest.mark.parametrize("error", [ValueError("relay says no"), SystemExit(3), Refusal("relay says no")])
def test_an_exception_of_a_function_is_a_failed_attempt(tmp_path: Path, error: BaseException) -> None:
    def refuse(mail: ServiceMail) -> None:
        raise error

    with Postern(tmp_path / "data", log=lambda line: None, deliver_mail=refuse) as postern:
        postern.operators.register(user=PERSON, password="password")
        wait_until(lambda: state(tmp_path / "data")[0][5] == "1")
        assert postern.system.info().name == "postern"
    (row,) = state(tmp_path / "data")
    assert row[2] == "waiting" and row[7] == f"the host answered with error -32000: {type(error).__name__}: {error}"


def test_an_exception_of_a_coroutine_is_a_failed_attempt(tmp_path: Path) -> None:
    async def refuse(mail: ServiceMail) -> None:
        raise ValueError("relay says no")

    async def main() -> None:
        async with AsyncPostern(tmp_path / "data", log=lambda line: None, deliver_mail=refuse) as postern:
            await postern.operators.register(user=PERSON, password="password")
            while state(tmp_path / "data")[0][5] == "0":
                await asyncio.sleep(0.01)
            assert (await postern.system.info()).name == "postern"

    asyncio.run(asyncio.wait_for(main(), 10))
    (row,) = state(tmp_path / "data")
    assert row[2] == "waiting" and row[7].endswith("ValueError: relay says no")


def test_calls_do_not_wait_for_deliveries() -> None:
    may_end = threading.Event()
    mails: list[ServiceMail] = []

    def deliver(mail: ServiceMail) -> None:
        mails.append(mail)
        assert may_end.wait(20)

    with Postern(":memory:", deliver_mail=deliver) as postern:
        for number in range(6):
            postern.operators.register(user=person(number), password="password")
        wait_until(lambda: len(mails) == 4)
        assert postern.system.info().name == "postern"
        may_end.set()
        wait_until(lambda: len(mails) == 6)


def test_closing_waits_for_a_delivery(tmp_path: Path) -> None:
    begun = threading.Event()

    def deliver(mail: ServiceMail) -> None:
        begun.set()
        time.sleep(0.5)

    with Postern(tmp_path / "data", deliver_mail=deliver) as postern:
        postern.operators.register(user=PERSON, password="password")
        assert begun.wait(10)
    assert [row[2] for row in state(tmp_path / "data")] == ["delivered"]


def test_closing_waits_for_a_delivery_of_a_coroutine(tmp_path: Path) -> None:
    async def main() -> None:
        begun = asyncio.Event()

        async def deliver(mail: ServiceMail) -> None:
            begun.set()
            await asyncio.sleep(0.5)

        async with AsyncPostern(tmp_path / "data", deliver_mail=deliver) as postern:
            await postern.operators.register(user=PERSON, password="password")
            await asyncio.wait_for(begun.wait(), 10)

    asyncio.run(main())
    assert [row[2] for row in state(tmp_path / "data")] == ["delivered"]


def test_closing_does_not_wait_for_ever_for_a_delivery() -> None:
    begun, may_end = threading.Event(), threading.Event()

    def deliver(mail: ServiceMail) -> None:
        begun.set()
        may_end.wait(60)

    postern = Postern(":memory:", deliver_mail=deliver)
    postern.operators.register(user=PERSON, password="password")
    assert begun.wait(10)
    start = time.monotonic()
    postern.close(timeout=0.2)
    assert time.monotonic() - start < 10
    may_end.set()


# A process that sends these lines after the request of a call, and replies with the lines that it gets.
SENDER = """
def send(message):
    print(json.dumps({{"jsonrpc": "2.0", **message}}), flush=True)
request = sys.stdin.readline()
for message in {messages!r}:
    send(message)
answers = [json.loads(sys.stdin.readline()) for _ in range({answers})]
answer(request, answers)
for request in sys.stdin:
    answer(request, None)
"""

MAIL = {"id": 1, "to": "a@b.co", "subject": "s", "text": "t\n", "kind": "k"}


def received(
    tmp_path: Path, messages: list[dict[str, object]], answers: int, deliver: Callable[[ServiceMail], None] | None
) -> object:
    binary = fake_binary(tmp_path, SENDER.format(messages=messages, answers=answers))
    with Postern(binary=binary, deliver_mail=deliver, wait_until_ready=False) as postern:
        result: object = postern.call("x", timeout=20)
        assert postern.call("y", timeout=20) is None
        return result


def test_an_unknown_notification_is_dropped_and_an_unknown_request_is_refused(tmp_path: Path) -> None:
    messages: list[dict[str, object]] = [
        {"method": "event", "params": {"seq": 1}},
        {"method": "weather", "params": {}},
        {"method": "mail.deliver", "params": MAIL},
        {"id": "postern:1", "method": "coffee.make", "params": {}},
        {"id": "postern:2", "method": "mail.deliver", "params": MAIL},
    ]
    answers = received(tmp_path, messages, 2, None)
    expected = [("postern:1", "coffee.make"), ("postern:2", "mail.deliver")]
    assert answers == [
        {"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": f"Method not found: {method}"}}
        for id, method in expected
    ]


@pytest.mark.parametrize("params", [None, [], {}, {**MAIL, "to": 1}, {**MAIL, "code": None}])
def test_params_that_are_no_mail_are_refused(tmp_path: Path, params: object) -> None:
    mails: list[ServiceMail] = []
    message: dict[str, object] = {"id": "postern:1", "method": "mail.deliver", "params": params}
    answers = received(tmp_path, [message], 1, mails.append)
    assert isinstance(answers, list) and answers[0]["error"]["code"] == -32000 and mails == []


def test_more_deliveries_than_the_process_opens_are_refused(tmp_path: Path) -> None:
    may_end = threading.Event()
    begun: list[int] = []

    def deliver(mail: ServiceMail) -> None:
        begun.append(mail.id)
        may_end.wait(20)

    messages = [{"id": f"postern:{id}", "method": "mail.deliver", "params": {**MAIL, "id": id}} for id in range(1, 6)]
    binary = fake_binary(tmp_path, SENDER.format(messages=messages, answers=1))
    with Postern(binary=binary, deliver_mail=deliver, wait_until_ready=False) as postern:
        answers = postern.call("x", timeout=20)
        wait_until(lambda: len(begun) == 4)
        may_end.set()
    assert answers == [
        {"jsonrpc": "2.0", "id": "postern:5", "error": {"code": -32000, "message": "4 mails are being delivered"}}
    ]
    assert sorted(begun) == [1, 2, 3, 4]


def test_the_process_can_read_the_message_of_any_exception(tmp_path: Path) -> None:
    def refuse(mail: ServiceMail) -> None:
        raise ValueError("\ud800" + "x" * 10_000_000)

    with Postern(tmp_path / "data", log=lambda line: None, deliver_mail=refuse) as postern:
        postern.operators.register(user=PERSON, password="password")
        wait_until(lambda: state(tmp_path / "data")[0][5] == "1")
        assert postern.system.info().name == "postern"
