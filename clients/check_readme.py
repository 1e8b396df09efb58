"""Checks the code in clients/README.md and in the repository's README.md.

Each code block of the session must be a part of the example of its language, which the clients' tests run, and each
step must have a block in every language. Outside the session, JSON must parse and Python must run.

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
    """The code blocks of a text: language and body."""
    return [(language, body) for language, body in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)]


def plain(text):
    """The lines of a text without indentation and without empty lines."""
    return [line.strip() for line in textwrap.dedent(text).splitlines() if line.strip()]


def is_part_of(lines, program):
    return any(program[start : start + len(lines)] == lines for start in range(len(program)))


def faults_of_session(session):
    """The code blocks that are not in the examples, and the languages that a step lacks."""
    programs = {language: plain((CLIENTS / path).read_text()) for language, path in EXAMPLES.items()}
    steps = re.split(r"^\*\*\d\. ", session, flags=re.MULTILINE)[1:]
    if len(steps) != 5:
        yield f"the session has {len(steps)} steps instead of 5"
    for number, step in enumerate(steps, 1):
        shown = blocks(step)
        for language in EXAMPLES.keys() - {name for name, _ in shown}:
            yield f"step {number} has no {language}"
        for language, body in shown:
            if not is_part_of(plain(body), programs[language]):
                yield f"{EXAMPLES[language]} lacks this block of step {number}:\n{body}"


def faults_of_block(language, body, variables):
    """The faults of a block outside the session."""
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
    outside = blocks((ROOT / "README.md").read_text()) + blocks(before + after)
    for language, body in outside:
        faults += faults_of_block(language, body, variables)
    if not any(language == "python" for language, _ in outside):
        faults.append("no Python block outside the session")
    print("\n".join(faults) or "The code of the READMEs is valid")
    return min(len(faults), 1)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(os.path.abspath(sys.argv[1])))
