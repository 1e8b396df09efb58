"""Holds the pages against the programs: what stands in the session of README.md must stand in the examples, which the
clients' tests run, and each step must be there in every language. JSON must be JSON, and Python outside of the session,
and in the README of all, must run.

Usage: check_readme.py BINARY
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import textwrap

CLIENTS = pathlib.Path(__file__).resolve().parent
ROOT = CLIENTS.parent

EXAMPLES = {
    "python": "python/example.py",
    "js": "node/example.js",
    "go": "go/example/main.go",
    "swift": "swift/Example/FiveSteps.swift",
    "bash": "bash/example.bash",
}


def blocks(text):
    """The code blocks of a text: their language and their lines."""
    return [(language, body) for language, body in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)]


def plain(text):
    """A text without what it is indented by, and without empty lines."""
    return [line.strip() for line in textwrap.dedent(text).splitlines() if line.strip()]


def stands_in(lines, program):
    return any(program[start : start + len(lines)] == lines for start in range(len(program)))


def faults_of_session(session):
    """What the session has that the examples have not, and the other way round."""
    programs = {language: plain((CLIENTS / path).read_text()) for language, path in EXAMPLES.items()}
    steps = re.split(r"^\*\*\d\. ", session, flags=re.MULTILINE)[1:]
    if len(steps) != 5:
        yield f"there are {len(steps)} steps"
    for number, step in enumerate(steps, 1):
        shown = blocks(step)
        for language in EXAMPLES.keys() - {name for name, _ in shown}:
            yield f"step {number} is not there in {language}"
        for language, body in shown:
            if not stands_in(plain(body), programs[language]):
                yield f"{EXAMPLES[language]} does not have this of step {number}:\n{body}"


def faults_of_block(language, body, variables):
    """What is wrong with a block that stands for itself."""
    if language == "json":
        try:
            json.loads(body)
        except ValueError as error:
            yield f"{error} in\n{body}"
    if language == "python":
        outcome = subprocess.run(
            [sys.executable, "-c", body], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=30, check=False
        )
        if outcome.returncode or not outcome.stdout:
            yield f"{outcome.stderr}\nin\n{body}"


def main(binary):
    before, _, rest = (CLIENTS / "README.md").read_text().partition("<!-- session -->")
    session, _, after = rest.partition("<!-- end of the session -->")
    variables = {**os.environ, "POSTERN_BIN": binary, "PYTHONPATH": str(CLIENTS / "python/src")}
    faults = list(faults_of_session(session))
    standing = blocks((ROOT / "README.md").read_text()) + blocks(before + after)
    for language, body in standing:
        faults += faults_of_block(language, body, variables)
    if not any(language == "python" for language, _ in standing):
        faults.append("there is no Python to run")
    print("\n".join(faults) or "The pages say what the programs do")
    return min(len(faults), 1)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(os.path.abspath(sys.argv[1])))
