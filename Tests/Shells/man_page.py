"""Checks the man page: its language with two formatters, its content with the help, and its examples in a shell."""

import re
import subprocess

from completions import table

EXAMPLE_SECONDS_MAX = 60
# The page has no date, so that it is the same whenever it is printed.
EXPECTED = re.compile(r'WARNING: missing date, using "": TH$')
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "FLAGS", "EXIT STATUS", "FILES", "EXAMPLES", "SEE ALSO"]
CHARACTERS = {"-": "-", "e": "\\", "(aq": "'", "(dq": '"', "(ti": "~", "(ha": "^", "(ga": "`"}


def plain(text):
    """Text without the escapes of roff."""
    text = re.sub(r"\\f.|\\&", "", text)
    return re.sub(r"\\(\(..|[-e])", lambda match: CHARACTERS[match[1]], text)


def check(binary, page, folder, variables):
    """Yields what is checked, and what is wrong or None."""
    source = page.read_text()
    lint = subprocess.run(["mandoc", "-Tlint", page], capture_output=True, text=True, check=False).stdout.splitlines()
    wrong = [line for line in lint if not EXPECTED.search(line)]
    yield "mandoc -Tlint", "\n".join(wrong) or None
    groff = subprocess.run(["groff", "-man", "-ww", "-z", page], capture_output=True, text=True, check=False)
    yield "groff -man -ww", groff.stderr or (f"exit code {groff.returncode}" if groff.returncode else None)

    sections = re.findall(r"^\.SH (.+)", source, re.MULTILINE)
    yield "the sections of the man page", None if sections == SECTIONS else str(sections)
    commands, flags = table(binary)
    tags = [plain(tag) for tag in re.findall(r"^\.TP\n(.+)", source, re.MULTILINE)]
    expected = [f"postern {name} {words}".rstrip() for name, words in commands]
    missing = [text for text in expected if text.replace("…", "...") not in tags]
    yield "the man page has every command", None if not missing else str(missing)
    missing = [name for name, form in flags if f"--{name} {form}".rstrip() not in tags]
    yield "the man page has every flag", None if not missing else str(missing)
    help = subprocess.run([binary, "help"], capture_output=True, text=True, check=False).stdout
    given = {flag for flag in re.findall(r"^  --(\S+)(?=.*\[no variable\]$)", help, re.MULTILINE)}
    variables_expected = {"POSTERN_" + name.upper().replace("-", "_") for name, _ in flags if name not in given}
    yield "the man page sums up the commands of a flag", None if "all on a store, and test" in source else "no flag has them all"
    found = set(re.findall(r"POSTERN_[A-Z_]+", source))
    yield "the man page has the variables", None if found == variables_expected else str(found ^ variables_expected)

    lines = "\n".join(plain(block) for block in re.findall(r"^\.EX\n(.*?)\n\.EE", source, re.DOTALL | re.MULTILINE))
    run = subprocess.run(
        ["sh", "-eu", "-c", lines], cwd=folder, env={**variables, "HOME": str(folder)}, capture_output=True, text=True,
        timeout=EXAMPLE_SECONDS_MAX, check=False,
    )
    yield "the examples of the man page", run.stderr if run.returncode or "ann@b.co" not in run.stdout else None
