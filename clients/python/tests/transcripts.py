"""Reads the transcripts of schema/cases. The caller sends each request; schema/README.md describes the format."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).resolve().parents[3] / "schema"

_PATTERNS = {
    "<time>": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
    "<hex 32>": r"[0-9a-f]{32}",
    "<hex 64>": r"[0-9a-f]{64}",
    "<hex 128>": r"[0-9a-f]{128}",
    "<uuid>": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
}


@dataclass
class Step:
    """One request and the expected reply."""

    case: str
    line: int
    method: str
    params: Any
    expected: Any


class Transcript:
    """A recorded conversation of schema/cases."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._steps = [json.loads(line) for line in path.read_text().split("\n") if line]
        self.arguments: list[str] = self._steps[0].get("arguments", [])

    def play(self) -> Generator[Step, dict[str, Any], None]:
        """Yields the requests. The caller sends back the reply of each, `{"result": …}` or `{"error": …}`."""
        kept: dict[str, Any] = {}
        for number, step in enumerate(self._steps, 1):
            if "send" not in step:
                continue
            for _ in range(step.get("repeat", 1)):
                send = _filled(step["send"], kept)
                assert set(send) <= {"jsonrpc", "id", "method", "params"}
                expected = _filled(step["expect"], kept)
                reply = yield Step(self.name, number, send["method"], send.get("params"), expected)
                kept |= {name: _found(wanted, reply) for name, wanted in step.get("keep", {}).items()}


def all_transcripts() -> list[Transcript]:
    """All transcripts, sorted by name."""
    return [Transcript(path) for path in sorted((SCHEMA / "cases").glob("*.jsonl"))]


def matches(value: Any, expected: Any) -> bool:
    """Whether a value matches the value or pattern of a transcript."""
    if expected == "<any>":
        return True
    if expected == "<integer>":
        return type(value) is int
    if expected == "<string>":
        return isinstance(value, str)
    if isinstance(expected, str) and expected in _PATTERNS:
        return isinstance(value, str) and re.fullmatch(_PATTERNS[expected], value) is not None
    if isinstance(expected, dict):
        return (
            isinstance(value, dict)
            and value.keys() == expected.keys()
            and all(matches(value[name], expected[name]) for name in expected)
        )
    if isinstance(expected, list):
        return isinstance(value, list) and len(value) == len(expected) and all(map(matches, value, expected))
    return type(value) is type(expected) and bool(value == expected)


def _filled(value: Any, kept: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(inner, kept) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, kept) for inner in value]
    if not isinstance(value, str):
        return value
    for name, replacement in kept.items():
        if value == f"{{{{{name}}}}}":
            return replacement
        value = value.replace(f"{{{{{name}}}}}", str(replacement))
    return value


def _found(wanted: Any, reply: dict[str, Any]) -> Any:
    found: Any = reply
    for name in (wanted["at"] if isinstance(wanted, dict) else wanted).split("/")[1:]:
        found = found[int(name) if isinstance(found, list) else name]
    if isinstance(wanted, dict) and "match" in wanted:
        match = re.search(wanted["match"], found)
        assert match is not None, f"{wanted['match']} is not in {found}"
        return match.group(1)
    return found
