"""Checks the session in clients/README.md: each of its code blocks is a part of the example of its language, which the clients'
tests run, and each step has a block in every language.
"""

import pathlib
import re
import sys
import textwrap

CLIENTS = pathlib.Path(__file__).resolve().parent

EXAMPLES = {
    "python": "python/example.py",
    "js": "node/example.js",
    "go": "go/example/main.go",
    "swift": "swift/Example/FiveSteps.swift",
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


def main():
    _, _, rest = (CLIENTS / "README.md").read_text().partition("<!-- session -->")
    session, _, _ = rest.partition("<!-- end of the session -->")
    faults = list(faults_of_session(session))
    print("\n".join(faults) or "The session of the README is that of the examples")
    return min(len(faults), 1)


if __name__ == "__main__":
    sys.exit(main())
