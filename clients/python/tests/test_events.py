"""Events of the audit trail, which the process sends on its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from support import PERSON, fake_binary, link_of, wait_until

from postern_accounts import AsyncPostern, EventsLost, Postern, PosternError, ProcessEnded, ProtocolError
from postern_accounts._bounds import CONTRACT_VERSION
from postern_accounts.types import Event, OperatorsPersonInput

FLAGS = ["--no-email-confirmation"]


def person(number: int) -> OperatorsPersonInput:
    return {**PERSON, "email": f"luke{number}@bu.edu"}


def take(postern: Postern, count: int) -> list[Event]:
    return list(islice(postern.events(), count))


def sign_in_elsewhere(data: Path) -> None:
    """Signs in with another process."""
    params = json.dumps({"email": PERSON["email"], "password": "password"})
    command = [os.environ["POSTERN_BIN"], "call", "operators.signin", params, "--data", str(data), *FLAGS]
    subprocess.run(command, check=True, capture_output=True)


def fill(data: Path, count: int) -> None:
    """Creates a store with so many events."""
    with Postern(data, arguments=FLAGS) as postern:
        operator = postern.operators.register(user=PERSON, password="password")
    session = {"user_id": operator.id, "session_id": operator.session_id}
    requests = [
        {
            "jsonrpc": "2.0",
            "id": number,
            "method": "operators.client.create",
            "params": {**session, "client": {"user": person(number), "address": "x"}},
        }
        for number in range(1, count)
    ]
    command = [os.environ["POSTERN_BIN"], "--data", str(data)]
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    replies = subprocess.run(command, input=lines, text=True, check=True, capture_output=True).stdout
    assert replies.count('"result"') == count - 1


def test_an_iterator_has_own_events_and_those_of_other_processes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Postern(data, arguments=FLAGS, events=True) as postern:
        operator = postern.operators.register(user=PERSON, password="password")
        postern.operators.signin(email=PERSON["email"], password="password")
        sign_in_elsewhere(data)
        events = take(postern, 3)
        assert postern.system.info().events
    assert [event.seq for event in events] == [1, 2, 3]
    assert [event.kind for event in events] == ["registered", "signed_in", "signed_in"]
    assert all(event.account == operator.id and event.api == "operators" for event in events)
    assert events[0].detail is None and events[1].detail is not None and events[1].detail.session == 2
    # The cursor of the first of them: none is missing, and none comes twice.
    with Postern(data, arguments=FLAGS, events_after=events[0].seq) as postern:
        assert take(postern, 2) == events[1:]
        sign_in_elsewhere(data)
        assert [event.seq for event in take(postern, 1)] == [4]
    with Postern(data, arguments=FLAGS, events_after=0) as postern:
        assert take(postern, 3) == events


def test_four_clients_get_the_events_of_all(tmp_path: Path) -> None:
    clients = [Postern(tmp_path / "data", arguments=FLAGS, events=True) for _ in range(4)]
    for number, client in enumerate(clients):
        client.operators.register(user=person(number), password="password")
    lists = [take(client, 4) for client in clients]
    for client in clients:
        client.close()
    assert [event.seq for event in lists[0]] == [1, 2, 3, 4]
    assert all(events == lists[0] for events in lists)


def test_a_client_that_takes_no_events_gets_its_replies(tmp_path: Path) -> None:
    fill(tmp_path / "data", 5_000)
    with Postern(tmp_path / "data", arguments=FLAGS, events_after=0) as postern:
        link = link_of(postern)
        wait_until(lambda: link.is_holding)
        held = len(link._events._events) if link._events else 0
        # Reading pauses: what is held is bounded, and far below all.
        assert 1_000 <= held < 3_000
        for _ in range(20):
            assert postern.system.info().name == "postern"
        assert [event.seq for event in take(postern, 5_000)] == list(range(1, 5_001))
        postern.operators.signin(email=PERSON["email"], password="password")
        assert take(postern, 1)[0].kind == "signed_in"


def test_a_client_can_be_closed_while_events_wait(tmp_path: Path) -> None:
    fill(tmp_path / "data", 3_000)
    postern = Postern(tmp_path / "data", arguments=FLAGS, events_after=0)
    events: Iterator[Event] = postern.events()
    assert next(events).seq == 1
    postern.close(timeout=20)
    rest = [event.seq for event in events]
    assert rest == list(range(2, len(rest) + 2))
    assert list(events) == []


def test_closing_ends_a_waiting_iterator() -> None:
    postern = Postern(":memory:", events=True)
    taken: list[Event] = []
    thread = threading.Thread(target=lambda: taken.extend(postern.events()))
    thread.start()
    postern.close()
    thread.join(10)
    assert not thread.is_alive() and taken == []


def test_the_end_of_the_process_ends_the_iterator(tmp_path: Path) -> None:
    postern = Postern(tmp_path / "data", arguments=FLAGS, log=lambda line: None, events=True)
    postern.operators.register(user=PERSON, password="password")
    events = postern.events()
    assert next(events).kind == "registered"
    os.kill(postern.pid, 9)
    with pytest.raises(ProcessEnded):
        next(events)
    postern.close()


STREAM = """
for line in sys.stdin:
    for seq in range(1, {count}):
        event = {{'seq': seq, 'time': '2016-02-24T22:07:52.371513Z', 'api': 'care', 'kind': 'new_kind', 'by': 'admin'}}
        print(json.dumps({{'jsonrpc': '2.0', 'method': 'event', 'params': event}}))
    answer(line, None)
"""


def test_events_that_are_never_taken_are_dropped_and_reported(tmp_path: Path) -> None:
    binary = fake_binary(tmp_path, STREAM.format(count=20_101))
    with Postern(binary=binary, wait_until_ready=False, events_after=0) as postern:
        assert postern.call("x") is None
        events = postern.events()
        assert [event.seq for event in islice(events, 20_000)] == list(range(1, 20_001))
        with pytest.raises(EventsLost, match="after number 20000") as lost:
            next(events)
        assert lost.value.after == 20_000
        assert postern.call("y") is None


def test_a_client_without_events_has_no_iterator() -> None:
    with Postern(":memory:") as postern:
        with pytest.raises(PosternError, match="events=True"):
            postern.events()
        assert not postern.system.info().events


def test_a_cursor_that_the_trail_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProcessEnded, match="the last event of this store has number 0"):
        Postern(tmp_path / "data", log=lambda line: None, events_after=7)


@pytest.mark.parametrize(
    ("result", "has"),
    [
        ({"contract": "0.9.12"}, "version 0.9.12"),
        ({}, "no version"),
        ({"contract": "2.0.0"}, "version 2.0.0"),
    ],
)
def test_a_service_with_an_older_contract_or_another_major_version_is_refused(
    tmp_path: Path, result: object, has: str
) -> None:
    binary = fake_binary(tmp_path, f"for line in sys.stdin: answer(line, {result!r})")
    message = f"has {has}; this client needs {CONTRACT_VERSION} or a later 1.x$"
    with pytest.raises(ProtocolError, match=message):
        Postern(binary=binary)

    async def main() -> None:
        async with AsyncPostern(binary=binary):
            pass

    with pytest.raises(ProtocolError, match=message):
        asyncio.run(main())


def test_a_service_with_a_newer_contract_is_accepted(tmp_path: Path) -> None:
    binary = fake_binary(tmp_path, "for line in sys.stdin: answer(line, {'contract': '1.10.0'})")
    with Postern(binary=binary) as postern:
        assert postern.call("x") == {"contract": "1.10.0"}


async def take_async(postern: AsyncPostern, count: int) -> list[Event]:
    events: list[Event] = []
    async for event in postern.events():
        events.append(event)
        if len(events) == count:
            break
    return events


def test_a_coroutine_iterates_over_events(tmp_path: Path) -> None:
    data = tmp_path / "data"

    async def main() -> None:
        async with AsyncPostern(data, arguments=FLAGS, events=True) as postern:
            await postern.operators.register(user=PERSON, password="password")
            waiting = asyncio.create_task(take_async(postern, 3))
            await postern.operators.signin(email=PERSON["email"], password="password")
            await asyncio.to_thread(sign_in_elsewhere, data)
            events = await asyncio.wait_for(waiting, 20)
            assert [event.seq for event in events] == [1, 2, 3]
            ended = asyncio.create_task(take_async(postern, 1))
        assert await asyncio.wait_for(ended, 10) == []
        async with AsyncPostern(data, arguments=FLAGS, events_after=1) as postern:
            assert await take_async(postern, 2) == events[1:]

    asyncio.run(main())


def test_an_async_client_that_takes_no_events_gets_its_replies(tmp_path: Path) -> None:
    fill(tmp_path / "data", 5_000)

    async def main() -> None:
        async with AsyncPostern(tmp_path / "data", arguments=FLAGS, events_after=0) as postern:
            link = link_of(postern)
            while not link.is_holding:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            assert link._events is not None and 1_000 <= len(link._events._events) < 3_000
            for _ in range(20):
                assert (await postern.system.info()).name == "postern"
            assert [event.seq for event in await take_async(postern, 5_000)] == list(range(1, 5_001))

    asyncio.run(main())


def test_the_end_of_the_process_ends_an_async_iterator(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncPostern(tmp_path / "data", log=lambda line: None, events=True) as postern:
            os.kill(postern.pid, 9)
            with pytest.raises(ProcessEnded):
                await take_async(postern, 1)

    asyncio.run(main())
