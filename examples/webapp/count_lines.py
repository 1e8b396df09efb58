"""Prints the lines of the application with Postern and of the one with fastapi-users, as a table in Markdown.

Blank lines, comments and docstrings do not count. ruff formats both with the same settings.
"""

import ast
import io
import tokenize
from pathlib import Path

FOLDER = Path(__file__).parent
SHARED = ["pages.py"]
SHARED_TEMPLATES = ["base.html", "notice.html", "macros.html", "form.html", "account.html", "error.html"]
POSTERN = ["app.py", "accounts.py", "admin.py"]
POSTERN_TEMPLATES = ["sessions.html", "admin.html"]
PEER = [f"fastapi_users_peer/{name}.py" for name in ("app", "users", "database")]


def python_lines(name: str) -> int:
    text = (FOLDER / name).read_text()
    docstrings = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            docstrings |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    ignored = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in ignored:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings)


def template_lines(name: str) -> int:
    return sum(bool(line.strip()) for line in (FOLDER / "templates" / name).read_text().splitlines())


def table() -> str:
    shared, shared_templates = sum(map(python_lines, SHARED)), sum(map(template_lines, SHARED_TEMPLATES))
    rows = [("Postern", POSTERN, POSTERN_TEMPLATES), ("fastapi-users", PEER, list[str]())]
    lines = ["| | Python | templates | shared Python and templates |", "| --- | --- | --- | --- |"]
    for name, files, templates in rows:
        own, own_templates = sum(map(python_lines, files)), sum(map(template_lines, templates))
        lines.append(f"| {name} | {own} | {own_templates} | {shared} + {shared_templates} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
