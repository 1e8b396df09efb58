#!/usr/bin/env python3
"""Draws the targets of the package and their imports as docs/architecture.svg.

The targets and imports come from `swift package dump-package`, the descriptions from the layout in CONTRIBUTING.md. With
--check nothing is written, and the exit code is 1 if the committed drawing differs.
"""

import html
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DRAWING = os.path.join(ROOT, "docs", "architecture.svg")

BOX_WIDTH, BOX_HEIGHT = 268, 62
GAP_X, GAP_Y, MARGIN = 28, 54, 16
LINE_CHARACTERS = 40


def targets():
    """The targets in Sources, each with the targets that it imports."""
    dump = subprocess.run(
        [os.environ.get("SWIFT", "swift"), "package", "dump-package"], cwd=ROOT, capture_output=True, check=True
    )
    imports = {}
    for target in json.loads(dump.stdout)["targets"]:
        if target["type"] in ("regular", "executable") and target.get("path") is None:
            imports[target["name"]] = {next(iter(d.values()))[0] for d in target["dependencies"]}
    return {name: of & imports.keys() for name, of in imports.items()}


def descriptions():
    """The text up to the first semicolon or full stop of each target's line in CONTRIBUTING."""
    with open(os.path.join(ROOT, "CONTRIBUTING.md"), encoding="utf-8") as file:
        lines = re.findall(r"^ {6}(\w+)/ +(.+)$", file.read(), re.M)
    return {name: re.split(r"[;.] ", text)[0] for name, text in lines}


def rows(imports):
    """The targets by level: each is above everything that it imports."""
    levels = {}

    def level(name):
        if name not in levels:
            levels[name] = 1 + max((level(other) for other in imports[name]), default=-1)
        return levels[name]

    for name in imports:
        level(name)
    # Each target is drawn as low as its imports allow. The rows are ordered by what is below, so that few lines cross.
    below = {}
    ordered = []
    for number in range(max(levels.values()) + 1):
        row = [name for name in imports if levels[name] == number]
        row.sort(key=lambda name: (sum(below.get(o, 0) for o in imports[name]) / max(len(imports[name]), 1), name))
        for place, name in enumerate(row):
            below[name] = place - (len(row) - 1) / 2
        ordered.append(row)
    return ordered[::-1]


def direct(imports):
    """The imports that do not follow from others: A → C is left out if A → B and B → C are drawn."""

    def reach(name):
        return set().union(*({other} | reach(other) for other in imports[name]), set())

    return [
        (name, other)
        for name in imports
        for other in imports[name]
        if not any(other in reach(between) for between in imports[name] - {other})
    ]


def wrapped(text):
    """At most two lines of text."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > LINE_CHARACTERS:
            lines.append("")
        lines[-1] = (lines[-1] + " " + word).strip()
    if len(lines) > 2:
        sys.exit(f"docs/architecture.py: the description is too long for its box: {text}")
    return lines


def drawing():
    imports, words = targets(), descriptions()
    missing = sorted(imports.keys() - words.keys())
    if missing:
        sys.exit(f"docs/architecture.py: the layout in CONTRIBUTING.md has no line for {', '.join(missing)}")
    levels = rows(imports)
    width = MARGIN * 2 + max(len(row) for row in levels) * (BOX_WIDTH + GAP_X) - GAP_X
    height = MARGIN * 2 + len(levels) * (BOX_HEIGHT + GAP_Y) - GAP_Y
    places = {}
    for number, row in enumerate(levels):
        left = (width - len(row) * (BOX_WIDTH + GAP_X) + GAP_X) / 2
        for place, name in enumerate(row):
            places[name] = (left + place * (BOX_WIDTH + GAP_X), MARGIN + number * (BOX_HEIGHT + GAP_Y))
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' role="img" font-family="system-ui, sans-serif">',
        "<title>The targets of the package; an arrow points from a target to one that it imports</title>",
        "<style>",
        ".box{fill:#f6f8fa;stroke:#57606a}.name{fill:#1f2328;font-size:15px;font-weight:600}",
        ".text{fill:#57606a;font-size:12px}.line{stroke:#57606a;fill:none}.tip{fill:#57606a}",
        "@media (prefers-color-scheme:dark){.box{fill:#161b22;stroke:#8b949e}.name{fill:#e6edf3}"
        ".text{fill:#8b949e}.line{stroke:#8b949e}.tip{fill:#8b949e}}",
        "</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>',
    ]
    for upper, lower in sorted(direct(imports)):
        (x1, y1), (x2, y2) = places[upper], places[lower]
        x1, x2, y1 = x1 + BOX_WIDTH / 2, x2 + BOX_WIDTH / 2, y1 + BOX_HEIGHT
        curve = f"M{x1:g} {y1:g}C{x1:g} {y1 + GAP_Y:g} {x2:g} {y2 - GAP_Y:g} {x2:g} {y2:g}"
        out.append(f'<path class="line" marker-end="url(#tip)" d="{curve}"/>')
    for name, (x, y) in places.items():
        out.append(f'<rect class="box" x="{x:g}" y="{y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6"/>')
        out.append(f'<text class="name" x="{x + 12:g}" y="{y + 22:g}">{name}</text>')
        for number, line in enumerate(wrapped(words[name])):
            out.append(f'<text class="text" x="{x + 12:g}" y="{y + 39 + 15 * number:g}">{html.escape(line)}</text>')
    return "\n".join([*out, "</svg>", ""])


def main():
    text = drawing()
    if sys.argv[1:] == ["--check"]:
        with open(DRAWING, encoding="utf-8") as file:
            if file.read() != text:
                sys.exit("docs/architecture.svg is stale; run make generate")
    else:
        with open(DRAWING, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
