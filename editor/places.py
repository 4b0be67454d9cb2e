"""Offsets in a text, in code points, to an editor's lines and columns in its encoding, and back."""

from __future__ import annotations

import re
from bisect import bisect_right

from runplan.dsl.types import Literal

Encoding = Literal["utf-8", "utf-16", "utf-32"]
ENCODINGS: tuple[Encoding, ...] = ("utf-16", "utf-8", "utf-32")
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
# What ends a line to an editor; Python's `splitlines` knows many more.
_LINE_END = re.compile(r"\r\n|\r|\n")


class Places:
    """The lines of a text as an editor holds it; offsets are those of `Source`, which has no byte order mark."""

    __slots__ = ("_encoding", "_ends", "_mark", "_starts", "_text")

    def __init__(self, text: str, encoding: Encoding) -> None:
        self._text = text
        self._encoding = encoding
        self._mark = len(BOM) if text.startswith(BOM) else 0
        breaks = [(m.start(), m.end()) for m in _LINE_END.finditer(text)]
        self._starts = [0, *(end for _, end in breaks)]
        self._ends = [*(start for start, _ in breaks), len(text)]

    @property
    def end(self) -> tuple[int, int]:
        """The line and column behind the last character."""
        return self._placed(len(self._text))

    def position(self, offset: int) -> tuple[int, int]:
        """The 0-based line and column of an offset; what is beyond the text is at its end."""
        return self._placed(min(max(offset, 0) + self._mark, len(self._text)))

    def offset(self, line: int, column: int) -> int:
        """The offset of a place; what is beyond a line is at its end, and what is inside a character before it."""
        if line >= len(self._starts):
            return len(self._text) - self._mark
        start, end = self._starts[max(line, 0)], self._ends[max(line, 0)]
        return max(start + self._characters(self._text[start:end], column) - self._mark, 0)

    def _placed(self, at: int) -> tuple[int, int]:
        line = bisect_right(self._starts, at) - 1
        return line, self._units(self._text[self._starts[line] : at])

    def _units(self, text: str) -> int:
        """How many units of the encoding a text takes."""
        return len(text) if text.isascii() else sum(map(self._size, text))

    def _characters(self, text: str, units: int) -> int:
        """How many characters fit into so many units."""
        if text.isascii() or self._encoding == "utf-32":
            return min(max(units, 0), len(text))
        left = units
        for count, character in enumerate(text):
            left -= self._size(character)
            if left < 0:
                return count
        return len(text)

    def _size(self, character: str) -> int:
        if self._encoding == "utf-32":
            return 1
        code = ord(character)
        if self._encoding == "utf-16":
            return 1 + (code > 0xFFFF)
        return 1 + (code > 0x7F) + (code > 0x7FF) + (code > 0xFFFF)
