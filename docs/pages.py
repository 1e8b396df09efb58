"""Collects the pages of the site: those of docs/, and those that stand beside what they describe. Links are changed to match.

    pages.py FOLDER
"""

import os
import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Pages outside docs/, by their name on the site.
OTHERS = {
    "reference.md": "schema/REFERENCE.md",
    "clients.md": "clients/README.md",
    **{f"client-{language}.md": f"clients/{language}/README.md" for language in ("python", "node", "go", "swift")},
    "webapp.md": "examples/webapp/README.md",
    "recipes.md": "examples/recipes/README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "benchmarks.md": "Benchmarks/RESULTS.md",
}


def page(path, names):
    """The text of a page. A link to another page leads to it on the site; one to any other file is only its text."""

    def replaced(match):
        label, target = match[1], match[2]
        if re.match(r"https?://|#", target):
            return match[0]
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve()
        if file not in names:
            return label
        return f"[{label}]({names[file]}{'#' if anchor else ''}{anchor})"

    return re.sub(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)", replaced, path.read_text())


def main(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sources = {path.name: path for path in (ROOT / "docs").glob("*.md")}
    sources.update({name: ROOT / path for name, path in OTHERS.items()})
    names = {path.resolve(): name for name, path in sources.items()}
    # Pictures keep their names.
    for path in [*(ROOT / "docs").glob("*.svg"), *(ROOT / "Benchmarks").glob("*.svg")]:
        shutil.copy(path, folder)
    for name, path in sources.items():
        text = page(path, names)
        text = re.sub(r"(!\[[^\]]*\])\((?:[^)\s]*/)?([^)/\s]+\.svg)\)", r"\1(\2)", text)
        (folder / name).write_text(text)
    print(f"{len(sources)} pages in {os.path.relpath(folder)}")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
