"""Checks the pages of docs/ and the READMEs: every block of code runs or parses, and every link leads somewhere.

    check.py BINARY

The blocks of a page run in order, in an empty folder, with the binary on the PATH. `sh` blocks of a page are one script. A block
that needs a server has a comment before it, `<!-- tested by FILE -->`, and that file names the page. Indented blocks are
commands that need a server, a terminal or another machine, and excerpts.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *(ROOT / name for name in ("README.md", "clients/README.md", "CONTRIBUTING.md"))]
# Their links are checked. The tests of the clients and of the example run their code.
OTHERS = [ROOT / "CHANGELOG.md", *ROOT.glob("*/README.md"), *ROOT.glob("*/*/README.md"), ROOT / "schema/REFERENCE.md"]
BLOCK_SECONDS_MAX = 60
PROGRAMS = ROOT / ".build/docs-venv/bin"
# The session in four languages, whose blocks are parts of programs that clients/check_readme.py compares.
SESSION = re.compile(r"<!-- session -->.*<!-- end of the session -->", re.DOTALL)
BLOCK = re.compile(r"(?:^<!-- tested by (\S+) -->\n+)?^```([\w-]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def run(command, folder, variables, given=None):
    try:
        outcome = subprocess.run(
            command, input=given, cwd=folder, env=variables, capture_output=True, text=True, timeout=BLOCK_SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        yield f"it runs longer than {BLOCK_SECONDS_MAX} s"
        return
    if outcome.returncode:
        yield f"exit code {outcome.returncode}: {outcome.stderr.strip()[-600:]}"
    elif not outcome.stdout:
        yield "it prints nothing"


def runs_shell(body, folder, variables):
    yield from run(["bash", "-eu", "-o", "pipefail", "-c", body], folder, variables)


def runs_python(body, folder, variables):
    yield from run([sys.executable, "-c", body], folder, {**variables, "PYTHONPATH": str(ROOT / "clients/python/src")})


def runs_node(body, folder, variables):
    modules = folder / "node_modules"
    modules.mkdir(exist_ok=True)
    package = json.loads((ROOT / "clients/node/package.json").read_text())["name"]
    if not (modules / package).exists():
        (modules / package).symlink_to(ROOT / "clients/node")
    (folder / "block.mjs").write_text(body)
    yield from run(["node", "block.mjs"], folder, variables)


def runs_c(body, folder, variables):
    (folder / "block.c").write_text(body)
    yield from run(["sh", "-c", "gcc -Wall -Werror -o block block.c && ./block"], folder, variables)


def parses_json(body, folder, variables):
    try:
        json.loads(body)
    except ValueError as error:
        yield str(error)


def validates_yaml(body, folder, variables):
    """Checks a file of Compose with Compose, and one of Kubernetes with the schemas of Kubernetes. Any other must parse."""
    (folder / "block.yaml").write_text(body)
    if body.startswith("services:"):
        command = ["docker-compose", "-f", "block.yaml", "config"]
    elif "apiVersion:" in body:
        command = [str(PROGRAMS / "kubernetes-validate"), "--strict", "block.yaml"]
    else:
        command = [str(PROGRAMS / "python"), "-c", "import yaml; print(yaml.safe_load(open('block.yaml')))"]
    yield from run(command, folder, variables)


# What is done with a block of each language.
CHECKS = {"yaml": validates_yaml, "sh": runs_shell, "python": runs_python, "js": runs_node, "c": runs_c, "json": parses_json}


def faults_of_blocks(path, text, variables):
    """The faults of a page's blocks."""
    blocks = BLOCK.findall(SESSION.sub("", text))
    scripts = [body for place, language, body in blocks if language == "sh" and not place]
    blocks = [block for block in blocks if block[1] != "sh" or block[0]]
    if scripts:
        blocks.append(("", "sh", "".join(scripts)))
    with tempfile.TemporaryDirectory() as name:
        for place, language, body in blocks:
            if place:
                if path.name not in (ROOT / place).read_text():
                    yield f"{place} does not name the page"
            elif language not in CHECKS:
                yield f"no check for a block of {language or 'no language'}:\n{body}"
            else:
                for fault in CHECKS[language](body, pathlib.Path(name), variables):
                    yield f"{fault}\nin\n{body}"


def anchors(text):
    """The anchors of the headings of a page, as Git hosts and MkDocs make them."""
    titles = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def faults_of_links(path, text):
    prose = re.sub(r"^```.*?^```$|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists():
            yield f"the link {target} leads nowhere"
        elif anchor and anchor not in anchors(file.read_text()):
            yield f"{file.name} has no heading for the link {target}"


def main(binary):
    variables = {key: value for key, value in os.environ.items() if not key.startswith("POSTERN_")}
    variables.update(PATH=f"{os.path.dirname(binary)}:{os.environ['PATH']}", POSTERN_BIN=binary)
    count = 0
    pages = PAGES + [path for path in OTHERS if path not in PAGES]
    for path in pages:
        text = path.read_text()
        faults = list(faults_of_links(path, text))
        if path in PAGES:
            faults += faults_of_blocks(path, text, variables)
        count += len(faults)
        for fault in faults:
            print(f"{path.relative_to(ROOT)}: {fault}\n")
    print(f"{len(pages)} pages, {count} faults")
    return min(count, 1)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(os.path.abspath(sys.argv[1])))
