"""The pytest plugin, installed from a wheel and from the sources in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from support import PACKAGE

TESTS = """
    def test_confirmed(postern_service):
        person = {"first_name": "Luke", "last_name": "Sorenson", "email": "lasoren@bu.edu"}
        postern_service.operators.register(user=person, password="password")
        assert [mail.to for mail in postern_service.system.outbox().messages] == ["lasoren@bu.edu"]

    def test_fresh_and_deterministic(postern_service):
        info = postern_service.system.info()
        assert info.deterministic and info.store.kind == "memory"
        assert postern_service.system.outbox().messages == ()
    """

ASYNC_TESTS = """
    import pytest

    {mark}
    async def test_confirmed(async_postern_service):
        async with async_postern_service as postern:
            assert (await postern.system.info()).deterministic
    """


@pytest.fixture(scope="module", params=["wheel", "sdist"])
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment in which pip has installed this package, and that has the tests' pytest."""
    folder = tmp_path_factory.mktemp(request.param)
    build = [sys.executable, "-m", "hatchling", "build", "-t", request.param, "-d", str(folder)]
    subprocess.run(build, cwd=PACKAGE, check=True, stdout=subprocess.DEVNULL)
    (built,) = folder.glob("postern_accounts-*")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    python = folder / "venv/bin/python"
    (packages,) = (folder / "venv/lib").glob("python*/site-packages")
    # Without its own dependencies, because tests run offline.
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", str(python), "install"]
    (packages / "tests.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")) + "\n")
    subprocess.run([*pip, "--no-index", "--no-deps", "--no-build-isolation", str(built)], check=True)
    return python


def run_tests(python: Path, folder: Path, tests: str, *arguments: str) -> str:
    """Runs tests in a project without a `conftest.py`, with warnings as errors; returns what pytest prints."""
    (folder / "test_project.py").write_text(textwrap.dedent(tests))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(python), "-W", "error", "-m", "pytest", "-q", "-W", "error", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()
    return done.stdout


def test_the_fixture_needs_no_import(python: Path, tmp_path: Path) -> None:
    assert "2 passed" in run_tests(python, tmp_path, TESTS, "-p", "no:asyncio")


def test_a_project_gives_flags(python: Path, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import pytest\n@pytest.fixture\ndef postern_arguments(): return ['--no-email-confirmation']"
    )
    tests = """
        def test_signed_in(postern_service):
            person = {"first_name": "Luke", "last_name": "Sorenson", "email": "lasoren@bu.edu"}
            postern_service.operators.register(user=person, password="password")
            assert postern_service.operators.signin(email="lasoren@bu.edu", password="password").id == 1
        """
    assert "1 passed" in run_tests(python, tmp_path, tests, "-p", "no:asyncio")


def test_the_other_fixtures_can_be_used_beside_it(python: Path, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["postern_accounts.testing"]')
    tests = """
        from postern_accounts.testing import mailed_code

        def test_two(postern, postern_service, async_postern, async_postern_service):
            assert postern.pid != postern_service.pid
        """
    assert "1 passed" in run_tests(python, tmp_path, tests, "-p", "no:asyncio")


def test_the_asynchronous_fixture_works_with_pytest_asyncio(python: Path, tmp_path: Path) -> None:
    scope = "asyncio_default_fixture_loop_scope=function"
    tests = ASYNC_TESTS.format(mark="@pytest.mark.asyncio")
    assert "1 passed" in run_tests(python, tmp_path, tests, "-o", scope)
    tests = ASYNC_TESTS.format(mark="")
    assert "1 passed" in run_tests(python, tmp_path, tests, "-o", scope, "-o", "asyncio_mode=auto")


def test_the_asynchronous_fixture_works_with_anyio(python: Path, tmp_path: Path) -> None:
    tests = ASYNC_TESTS.format(mark="@pytest.mark.anyio")
    assert "2 passed" in run_tests(python, tmp_path, tests, "-p", "no:asyncio")


def test_a_project_that_does_not_use_the_fixture_pays_nothing(python: Path, tmp_path: Path) -> None:
    """The package is not imported for it."""
    tests = """
        import sys

        def test_modules():
            assert "pytest_postern_accounts" in sys.modules
            assert [name for name in sys.modules if name.startswith("postern_accounts")] == []
        """
    assert "1 passed" in run_tests(python, tmp_path, tests, "-p", "no:asyncio")


def test_coverage_of_a_project_has_no_warning(python: Path, tmp_path: Path) -> None:
    tests = f"import helper\n\n{textwrap.dedent(TESTS)}"
    (tmp_path / "helper.py").write_text("VALUE = 1\n")
    printed = run_tests(python, tmp_path, tests, "-p", "no:asyncio", "--cov=helper", "--cov=postern_accounts")
    assert "2 passed" in printed and "helper.py" in printed and "postern_accounts" in printed
