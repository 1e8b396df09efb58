"""Cuts what comes through a pipe into lines."""

from __future__ import annotations


class LineCutter:
    """Collects chunks until they make up lines, however long these are."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []

    def cut(self, chunk: bytes) -> list[bytes]:
        """The lines that end in a chunk, without their line feeds."""
        first, *others = chunk.split(b"\n")
        self._begun.append(first)
        if not others:
            return []
        lines = [b"".join(self._begun), *others]
        self._begun = [lines.pop()]
        return lines
