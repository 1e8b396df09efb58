"""The fixtures, used as in the tests of another project."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from support import PERSON, run_pytest

from postern_accounts import AsyncPostern, Postern
from postern_accounts.testing import async_mailed_code, deterministic, mailed_code

TESTS = """
def test_confirmed_at_once(postern):
    person = {"first_name": "Luke", "last_name": "Sorenson", "email": "lasoren@bu.edu"}
    postern.operators.register(user=person, password="password")
    assert postern.operators.signin(email="lasoren@bu.edu", password="password").id == 1

def test_fresh(postern):
    assert postern.system.outbox().messages == ()
"""


def test_mailed_code_finds_the_last_code(postern: Postern) -> None:
    postern.operators.register(user=PERSON, password="password")
    with pytest.raises(LookupError):
        mailed_code(postern, "nobody@example.com")
    first = mailed_code(postern, "lasoren@bu.edu")
    postern.operators.resend_confirmation(email="lasoren@bu.edu")
    last = mailed_code(postern, "lasoren@bu.edu")
    assert first != last
    assert postern.operators.confirm_email(code=last).email == "lasoren@bu.edu"


def test_async_mailed_code_finds_a_code(async_postern: Callable[[], AsyncPostern]) -> None:
    async def main() -> None:
        async with async_postern() as postern:
            await postern.operators.register(user=PERSON, password="password")
            code = await async_mailed_code(postern, "lasoren@bu.edu")
            assert (await postern.operators.confirm_email(code=code)).email == "lasoren@bu.edu"

    asyncio.run(main())


def test_mailed_code_finds_tokens_and_temporary_passwords(postern: Postern) -> None:
    care, sales = postern.care, postern.sales
    care.user.register(email="a@example.com", password="password", role="user")
    care.user.reset_password(email="a@example.com")
    assert care.auth.token(email="a@example.com", password=mailed_code(postern, "a@example.com")).access_token
    sales.user.create_customer(
        email="b@example.com",
        password="password",
        referral_code=postern.system.invite(role="customer").referral_code,
        source="a friend",
        name={"first": "Mary", "last": "Major"},
    )
    assert sales.user.verify(token=mailed_code(postern, "b@example.com")).email == "b@example.com"


def test_results_repeat_in_deterministic_mode(postern: Postern) -> None:
    with deterministic() as another:
        assert another.operators.register(user=PERSON, password="password") == postern.operators.register(
            user=PERSON, password="password"
        )


@pytest.mark.parametrize(
    "conftest",
    [
        'pytest_plugins = ["postern_accounts.testing"]\n{override}',
        "import pytest\nfrom postern_accounts.testing import postern, postern_arguments\n{override}",
        "import pytest\nfrom postern_accounts.testing import postern\n{override}",
    ],
)
def test_a_suite_can_override_the_flags(pytester: pytest.Pytester, conftest: str) -> None:
    override = 'import pytest\n@pytest.fixture\ndef postern_arguments(): return ["--no-email-confirmation"]'
    pytester.makeconftest(conftest.format(override=override))
    pytester.makepyfile(TESTS)
    assert run_pytest(pytester) == {"passed": 2}


def test_a_fixture_works_without_importing_the_others(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "from postern_accounts.testing import postern\n\ndef test(postern): assert postern.system.info()"
    )
    assert run_pytest(pytester) == {"passed": 1}
