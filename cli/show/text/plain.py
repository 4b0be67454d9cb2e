"""Text of a plan or a pack to text that is safe to print."""

from __future__ import annotations

import unicodedata

REPLACED = "\N{REPLACEMENT CHARACTER}"
# Control, format, lone surrogate, line and paragraph separator: what moves a cursor, reorders or hides text.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Two of them are ordinary letters' company, in Persian, Indic scripts and emoji.
JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


def printable(character: str) -> str:
    """The character itself, or a stand-in where a terminal or a reader could be misled by it."""
    unsafe = unicodedata.category(character) in _UNSAFE and character not in JOINERS
    return REPLACED if unsafe else character


def plain(text: str) -> str:
    """Text as one line that a hostile plan cannot steer a terminal with."""
    text = text.replace("\t", " ")
    return text if text.isascii() and text.isprintable() else "".join(map(printable, text))
