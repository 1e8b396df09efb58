"""Runs the example and the code blocks of the README."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import PACKAGE, run_pytest

SESSION = """\
registered Luke Sorenson
wrong_password: Password is incorrect for this account.
signed in as operator 1
created Mary Major
1 client, next provision 2
"""

BLOCKS = re.findall(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(), re.DOTALL)


def run(*arguments: str, folder: Path) -> str:
    command = [sys.executable, "-W", "error", *arguments]
    program = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=20)
    assert (program.returncode, program.stderr) == (0, "")
    return program.stdout


def test_the_example_prints_the_session(tmp_path: Path) -> None:
    assert run(str(PACKAGE / "example.py"), folder=tmp_path) == SESSION
    assert run(str(PACKAGE / "example.py"), "accounts", folder=tmp_path) == SESSION
    assert (tmp_path / "accounts" / "manifest.json").exists()


def test_the_session_of_the_readme_prints_its_lines(tmp_path: Path) -> None:
    assert run("-c", BLOCKS[0], folder=tmp_path) == SESSION


@pytest.mark.parametrize("block", [block for block in BLOCKS[1:] if "def test_" not in block])
def test_the_programs_of_the_readme_run(tmp_path: Path, block: str) -> None:
    run("-c", block, folder=tmp_path)


@pytest.mark.parametrize("block", [block for block in BLOCKS if "def test_" in block])
def test_the_tests_of_the_readme_pass(pytester: pytest.Pytester, block: str) -> None:
    pytester.makepyfile(block)
    assert set(run_pytest(pytester)) == {"passed"}
