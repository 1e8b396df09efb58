"""Runs the tests of the clients, and those of the Model Context Protocol's SDKs, on PostgreSQL.

    clients_on_postgres.py BINARY [--only NAME]

The tests start the binary as ever; `on_postgres.py` gives them a program that runs it with a database. A test is left
out for one of two reasons, which `LEFT_OUT` states: it looks at or damages the files of the store's directory, or the
place or the kind of the store is what it compares. Everything else must pass. A name in `LEFT_OUT` that no file of the
tests has is an error, so that no test is left out by an old name.

Each client prints a line, and its output if a test failed. The last line is `N passed, N failed`, the exit code is 1 if
one failed, or if its tests used no database.
"""

import argparse
import concurrent.futures
import contextlib
import functools
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from on_postgres import Stores
from servers import status_of

PROJECT = Path(__file__).resolve().parents[2]
FILES = "the files of the directory"
PLACE = "the place or the kind of the store"
# The tests that take the longest come first.
LEFT_OUT = {
    "python": {
        "test_the_example_prints_the_session": FILES,
        "test_a_data_directory_can_have_any_name": FILES,
        "test_a_directory_that_is_a_file_fails_at_opening": FILES,
        "test_a_damaged_store_fails_at_opening": FILES,
        "test_a_locked_store_fails_at_opening": FILES,
        "test_the_clients_flags_override_the_environment": PLACE,
        "test_a_store_in_memory_is_refused": PLACE,
    },
    "node": {
        "a data directory can have any name": FILES,
        "the data are stored in the directory": FILES,
        "opening fails if the program cannot serve, with its last lines": FILES,
        "opening a damaged store fails, and the error names the file": FILES,
        "opening a store fails while a stopped process holds its lock": FILES,
        "the client's flags override the environment": PLACE,
        "a store in memory is refused": PLACE,
    },
    "go": {
        "TestAProgramThatCannotServeFailsToOpen": FILES,
        "TestADamagedStoreFailsToOpen": FILES,
        "TestALockedStoreFailsToOpen": FILES,
        "TestOptionsOverrideTheEnvironment": FILES,
        "TestAStoreInMemoryIsNotSupervised": PLACE,
        "TestDirIsTheDirectoryOfTheDefaultData": FILES,
    },
    "swift": {
        "aProgramThatCannotServeFailsToOpen": FILES,
        "aDamagedStoreFailsToOpen": FILES,
        "aLockedStoreFailsToOpen": FILES,
    },
    "mcp": {},
}
FOLDERS = {
    "python": "clients/python/tests", "node": "clients/node/test", "go": "clients/go",
    "swift": "clients/swift/Tests/PosternClientTests", "mcp": "Tests/Peers",
}
SOURCES = {".py", ".js", ".go", ".swift"}
# How each says how many tests have passed and failed.
COUNTS = {
    "python": (r"\b(\d+) passed", r"\b(\d+) (?:failed|error)"),
    "node": (r"^# pass (\d+)", r"^# fail (\d+)"),
    "go": (r"^--- PASS: ", r"^--- FAIL: "),
    "swift": (r"^. Test (?!run ).* passed after", r"^. Test (?!run ).* failed after"),
    "mcp": (r"^(\d+) passed", r"^\d+ passed, (\d+) failed"),
}
# Beside other programs that use the processors, a client's tests take several minutes.
SECONDS_MAX = 1_200
# The clients whose tests run at the same time, each with a server of its own.
AT_ONCE = 2
WAIT_SECONDS = 0.1
ASKED_TO_END = threading.Event()
# After this time in one test, pytest prints what its threads do.
STACKS_SECONDS = 300


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
            stacks = ["-o", f"faulthandler_timeout={STACKS_SECONDS}"]
            return ["../../../.build/venv/bin/pytest", "-q", *stacks, "-k", "not (" + " or ".join(left_out) + ")"]
        case "node":
            # A test runs if the name of what it is in matches, so that of the root must not.
            others = "^(?!(" + "|".join(map(re.escape, ["<root>", *left_out])) + ")$)."
            return ["node", "--test", "--test-reporter=tap", f"--test-name-pattern={others}", "."]
        case "go":
            tests = "|".join(all_but(name, r"^func ((?:Test|Example)\w+)\("))
            return ["go", "test", "-v", "-count=1", f"-timeout={SECONDS_MAX}s", "-run", f"^({tests})$", "."]
        case "swift":
            skips = [word for test in left_out for word in ("--skip", test)]
            # Opening blocks one of the few threads that all tests share, and takes longer than on a directory: beside
            # each other, tests would answer the process too late.
            swift = ["swift", "test", "--no-parallel", "--skip-build", "--traits", "Postgres"]
            swift += ["--scratch-path", ".build/postgres"]
            return ["env", "-C", str(PROJECT), *swift, "--filter", "PosternClientTests", *skips]
    peers = ["--only", "mcp_1_session", "--only", "mcp_2_client"]
    return ["/usr/bin/python3", "peers.py", program, *peers]


def execute(words: list[str], folder: str, environment: dict[str, str]) -> tuple[bool, str]:
    """Runs tests. Returns whether they have succeeded, and their output."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            words, cwd=PROJECT / folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )
        deadline = time.monotonic() + SECONDS_MAX
        try:
            while process.poll() is None and time.monotonic() < deadline and not ASKED_TO_END.wait(WAIT_SECONDS):
                pass
            end = "" if process.returncode is not None else "\nnot ended in time\n"
        finally:
            end_session(process.pid)
            process.wait()
        output.seek(0)
        return process.returncode == 0, output.read().decode(errors="replace") + end


def end_session(session: int) -> None:
    """Ends the processes of a session, also those in process groups of their own, as `swift test` starts them."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        status = status_of(int(name))
        if status is not None and int(status[3]) == session:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(name), signal.SIGKILL)


def run(name: str, binary: str) -> bool:
    """Runs the tests of a client. Returns whether all have passed that are not left out."""
    with Stores(binary) as stores:
        start = time.monotonic()
        has_succeeded, output = execute(command(name, str(stores.program)), FOLDERS[name], stores.environment)
        seconds = time.monotonic() - start
        used = stores.used + stores.removed
    passed, failed = (count(pattern, output) for pattern in COUNTS[name])
    left_out = len(LEFT_OUT[name])
    is_good = has_succeeded and passed > 0 and failed == 0 and used > 0
    print(
        f"{name}: {'passed' if is_good else 'FAILED'}: {passed} passed, {failed} failed, {left_out} left out, "
        f"{used} transactions, {seconds:.0f} s\n" + ("" if is_good else output), end="", flush=True,
    )
    return is_good


def count(pattern: str, output: str) -> int:
    """The last number that a pattern finds, or how often it is found if it has no number."""
    found = re.findall(pattern, output, re.MULTILINE)
    return int(found[-1]) if found and found[-1].isdigit() else len(found)


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--only", choices=LEFT_OUT, action="append")
    options = parser.parse_args()
    check_names()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("asked to end"))
    names = options.only or LEFT_OUT
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            outcomes = list(pool.map(functools.partial(run, binary=options.binary), names))
        finally:
            ASKED_TO_END.set()
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
