"""Each of many concurrent calls gets its own reply."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from support import PERSON

from postern_accounts import AsyncPostern, Postern
from postern_accounts.types import OperatorsClient, OperatorsClientInput, OperatorsClientList

CALLS = 10_000
TASKS = 50
FLAGS = ["--no-email-confirmation"]


def client_input(number: int) -> OperatorsClientInput:
    person = {"first_name": "Mary", "last_name": f"Major {number}", "email": f"mary{number}@example.com"}
    return {"user": {**PERSON, **person}, "address": f"{number} Grimmauld Place"}  # type: ignore[typeddict-item]


def check_own(client: OperatorsClient, number: int) -> None:
    assert (client.user.email, client.address) == (f"mary{number}@example.com", f"{number} Grimmauld Place")


def check_all(changed: OperatorsClientList) -> None:
    assert len(changed.clients) == CALLS
    assert {client.user.email for client in changed.clients} == {f"mary{number}@example.com" for number in range(CALLS)}
    assert len({client.id for client in changed.clients}) == CALLS


def test_concurrent_calls_of_threads_get_their_own_replies() -> None:
    with Postern(":memory:", arguments=FLAGS) as postern:
        luke = postern.operators.register(user=PERSON, password="password")

        def create(first: int) -> None:
            for number in range(first, CALLS, TASKS):
                client = postern.operators.client.create(
                    user_id=luke.id, session_id=luke.session_id, client=client_input(number)
                )
                check_own(client, number)

        with ThreadPoolExecutor(TASKS) as threads:
            list(threads.map(create, range(TASKS)))
        # The reply is a line of more than 1 MiB.
        check_all(postern.operators.clients.get(user_id=luke.id, session_id=luke.session_id, provision=0))


def test_concurrent_calls_of_tasks_get_their_own_replies() -> None:
    async def main() -> None:
        async with AsyncPostern(":memory:", arguments=FLAGS) as postern:
            luke = await postern.operators.register(user=PERSON, password="password")

            async def create(first: int) -> None:
                for number in range(first, CALLS, TASKS):
                    client = await postern.operators.client.create(
                        user_id=luke.id, session_id=luke.session_id, client=client_input(number)
                    )
                    check_own(client, number)

            await asyncio.gather(*map(create, range(TASKS)))
            check_all(await postern.operators.clients.get(user_id=luke.id, session_id=luke.session_id, provision=0))

    asyncio.run(main())


def test_threads_can_send_large_requests_at_the_same_time() -> None:
    text = "x" * 1_000_000
    with Postern(":memory:") as postern, ThreadPoolExecutor(TASKS) as threads:
        calls = [threads.submit(postern.call, "system.info", {"text": text}) for _ in range(TASKS)]
        assert {call.result()["name"] for call in calls} == {"postern"}


def test_tasks_can_send_large_requests_at_the_same_time() -> None:
    async def main() -> None:
        text = "x" * 1_000_000
        async with AsyncPostern(":memory:") as postern:
            infos = await asyncio.gather(*(postern.call("system.info", {"text": text}) for _ in range(TASKS)))
        assert {info["name"] for info in infos} == {"postern"}

    asyncio.run(main())
