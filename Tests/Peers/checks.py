"""Reports the checks of a Python peer as lines of the Test Anything Protocol."""

import pathlib
import traceback

CALL_SECONDS_MAX = 20
# The flags of deterministic mode.
DETERMINISTIC_FLAGS = (pathlib.Path(__file__).parents[2] / "schema/cases/flags.txt").read_text().split()


class Unexpected(Exception):
    """A value differs from the expected one."""


class Checks:
    """Runs checks one by one and prints a line for each. The plan comes last, so that an aborted run is noticed."""

    def __init__(self):
        self.count = 0

    def report(self, name, error=None):
        """Prints the outcome of one check."""
        self.count += 1
        if error is None:
            print(f"ok {self.count} - {name}", flush=True)
            return
        place = traceback.extract_tb(error.__traceback__)[-1]
        why = f"{type(error).__name__}: {error}".replace("\n", " ")[:400]
        print(f"not ok {self.count} - {name} # {place.name}:{place.lineno} {why}", flush=True)

    def run(self, name, check, *arguments):
        """Runs one check. Returns its result, or None if it failed."""
        try:
            outcome = check(*arguments)
        except Exception as error:
            self.report(name, error)
            return None
        self.report(name)
        return outcome

    async def run_async(self, name, check, *arguments):
        """Runs one check that is a coroutine function, like `run`."""
        try:
            outcome = await check(*arguments)
        except Exception as error:
            self.report(name, error)
            return None
        self.report(name)
        return outcome

    def end(self):
        """Prints the plan."""
        print(f"1..{self.count}", flush=True)


def expect(actual, expected, what="it"):
    """Raises unless both values are equal."""
    if actual != expected:
        raise Unexpected(f"{what} was {str(actual)[:200]!r} instead of {str(expected)[:200]!r}")


def require(condition, what):
    """Raises unless the condition holds."""
    if not condition:
        raise Unexpected(what)
