"""What every format of findings shares: the count at the end, and text made safe to print."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from runplan.dsl.text.finding import Finding

REPLACED = "\N{REPLACEMENT CHARACTER}"
# Control, format, lone surrogate, line and paragraph separator: what moves a cursor, reorders or hides text.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Two of them are ordinary letters' company, in Persian, Indic scripts and emoji.
JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


@dataclass(frozen=True, slots=True)
class Summary:
    """How many findings of each severity there are, and in how many files they were looked for."""

    files: int
    errors: int = 0
    warnings: int = 0
    infos: int = 0

    @classmethod
    def of(cls, findings: Iterable[Finding], files: int) -> Self:
        """The summary of these findings."""
        count = Counter(finding.severity for finding in findings)
        return cls(files, count["error"], count["warning"], count["info"])

    def line(self) -> str:
        """Such as `2 errors, 1 warning, 4 files`, or `no findings, 4 files`."""
        found = [
            counted(count, noun)
            for count, noun in ((self.errors, "error"), (self.warnings, "warning"), (self.infos, "info"))
            if count
        ]
        return ", ".join([*(found or ["no findings"]), counted(self.files, "file")])


def counted(count: int, noun: str) -> str:
    """A count and its noun, in the plural where it is one."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def printable(character: str) -> str:
    """The character itself, or a stand-in where a terminal or a reader could be misled by it."""
    unsafe = unicodedata.category(character) in _UNSAFE and character not in JOINERS
    return REPLACED if unsafe else character


def plain(text: str) -> str:
    """Text as one line that a hostile plan cannot steer a terminal with."""
    text = text.replace("\t", " ")
    return text if text.isascii() and text.isprintable() else "".join(map(printable, text))
