"""Text to the columns that it takes on a terminal."""

from __future__ import annotations

import unicodedata

from runplan.cli.show.text.plain import JOINERS


def columns(text: str) -> int:
    """Columns that a text takes."""
    return len(text) if text.isascii() else sum(map(character_columns, text))


def character_columns(character: str) -> int:
    """Columns that a character takes: none for what joins or marks another, two for a wide one."""
    if character.isascii():
        return 1
    if character in JOINERS or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
