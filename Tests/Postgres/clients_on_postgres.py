"""Runs the tests of the clients, and those of the Model Context Protocol's SDKs, on PostgreSQL.

    clients_on_postgres.py BINARY [--only NAME]

The tests start the binary as ever; `on_postgres.py` gives them a program that runs it with a database. A test is left
out for one of two reasons, which `LEFT_OUT` states: it looks at or damages the files of the store's directory, or the
place or the kind of the store is what it compares. Everything else must pass. A name in `LEFT_OUT` that no file of the
tests has is an error, so that no test is left out by an old name.

The last line is `N passed, N failed`, the exit code is 1 if one failed, or if the tests used no database.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from on_postgres import Stores

PROJECT = Path(__file__).resolve().parents[2]
FILES = "the files of the directory"
PLACE = "the place or the kind of the store"
LEFT_OUT = {
    "python": {
        "test_the_example_prints_the_session": FILES,
        "test_a_data_directory_can_have_any_name": FILES,
        "test_a_directory_that_is_a_file_fails_at_opening": FILES,
        "test_a_damaged_store_fails_at_opening": FILES,
        "test_a_locked_store_fails_at_opening": FILES,
        "test_the_clients_flags_override_the_environment": PLACE,
    },
    "node": {
        "a data directory can have any name": FILES,
        "the data are stored in the directory": FILES,
        "opening fails if the program cannot serve, with its last lines": FILES,
        "opening a damaged store fails, and the error names the file": FILES,
        "opening a store fails while a stopped process holds its lock": FILES,
        "the client's flags override the environment": PLACE,
    },
    "go": {
        "TestAProgramThatCannotServeFailsToOpen": FILES,
        "TestADamagedStoreFailsToOpen": FILES,
        "TestALockedStoreFailsToOpen": FILES,
        "TestOptionsOverrideTheEnvironment": FILES,
        "TestDirIsTheDirectoryOfTheDefaultData": FILES,
    },
    "swift": {
        "aProgramThatCannotServeFailsToOpen": FILES,
        "aDamagedStoreFailsToOpen": FILES,
        "aLockedStoreFailsToOpen": FILES,
    },
    "bash": {
        "test_the_readme_and_the_example_print_the_expected_lines": FILES,
        "test_opening_fails_if_the_program_cannot_serve": FILES,
        "test_a_damaged_store_fails_at_opening": FILES,
        "test_a_locked_store_fails_at_opening": FILES,
    },
    "mcp": {},
}
FOLDERS = {
    "python": "clients/python/tests", "node": "clients/node/test", "go": "clients/go",
    "swift": "clients/swift/Tests/PosternClientTests", "bash": "clients/bash/tests", "mcp": "Tests/Peers",
}
SOURCES = {".py", ".js", ".go", ".swift", ".bash"}
# Beside other programs that use the processors, a client's tests take several minutes.
SECONDS_MAX = 1_200


def sources(name: str) -> str:
    """The text of the tests of a client."""
    files = [path for path in (PROJECT / FOLDERS[name]).rglob("*") if path.suffix in SOURCES]
    return "\n".join(path.read_text() for path in files)


def check_names() -> None:
    for client, tests in LEFT_OUT.items():
        text = sources(client)
        for test in tests:
            if test not in text:
                sys.exit(f"{client} has no test {test}, which is left out")


def all_but(name: str, pattern: str) -> list[str]:
    """The names of tests that a pattern finds, without those that are left out."""
    return [test for test in re.findall(pattern, sources(name), re.MULTILINE) if test not in LEFT_OUT[name]]


def command(name: str, program: str) -> list[str]:
    left_out = LEFT_OUT[name]
    match name:
        case "python":
            return ["../../../.build/venv/bin/pytest", "-q", "-k", "not (" + " or ".join(left_out) + ")"]
        case "node":
            # Node 20 cannot leave out tests by name: `has_passed` does it.
            return ["node", "--test", "--test-reporter=tap", "."]
        case "go":
            tests = "|".join(all_but(name, r"^func ((?:Test|Example)\w+)\("))
            return ["go", "test", "-count=1", "-run", f"^({tests})$", "."]
        case "swift":
            skips = [word for test in left_out for word in ("--skip", test)]
            swift = ["swift", "test", "--skip-build", "--traits", "Postgres", "--scratch-path", ".build/postgres"]
            return ["env", "-C", str(PROJECT), *swift, "--filter", "PosternClientTests", *skips]
        case "bash":
            return ["./run.bash", *all_but(name, r"^(test_\w+)\(\)")]
    peers = ["--only", "mcp_1_session", "--only", "mcp_2_client"]
    return ["/usr/bin/python3", "peers.py", program, *peers]


def has_passed(name: str, code: int, output: str) -> bool:
    """Whether all tests have passed that are not left out."""
    failed = set(re.findall(r"^not ok \d+ - (.*)$", output, re.MULTILINE)) if name == "node" else set()
    return failed == set(LEFT_OUT[name]) if failed else code == 0


def run(name: str, binary: str) -> bool:
    with Stores(binary) as stores:
        before, start = stores.used, time.monotonic()
        try:
            outcome = subprocess.run(
                command(name, str(stores.program)), cwd=PROJECT / FOLDERS[name], env=stores.environment, check=False,
                stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=SECONDS_MAX,
            )
            output = outcome.stdout + outcome.stderr
            is_good = has_passed(name, outcome.returncode, output)
        except subprocess.TimeoutExpired as error:
            output, is_good = (error.stdout or b"").decode(errors="replace"), False
        used = stores.used - before + stores.removed
    seconds = time.monotonic() - start
    is_good = is_good and used > 0
    left_out = ", ".join(LEFT_OUT[name]) or "none"
    state = "passed" if is_good else "FAILED"
    print(f"{name}: {state}, {used} transactions, {seconds:.0f} s; left out: {left_out}", flush=True)
    if not is_good:
        print(output[-20_000:], flush=True)
    return is_good


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--only", choices=LEFT_OUT, action="append")
    options = parser.parse_args()
    check_names()
    outcomes = [run(name, os.path.abspath(options.binary)) for name in options.only or LEFT_OUT]
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
