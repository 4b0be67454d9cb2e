"""Text to the columns that it takes on a terminal, and to lines of at most so many."""

from __future__ import annotations

import re

from runplan.cli.show.text.plain import JOINERS


def columns(text: str) -> int:
    """Columns that a text takes."""
    return len(text) if text.isascii() else sum(map(character_columns, text))


def character_columns(character: str) -> int:
    """Columns that a character takes: none for what joins or marks another, two for a wide one."""
    if character.isascii():
        return 1
    import unicodedata  # most texts have no use for it

    if character in JOINERS or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def wrapped(text: str, width: int) -> str:
    """Text in lines of at most `width` columns; a word that is too long breaks behind a mark such as `/` or `@`."""
    lines = [""]
    for word in text.split():
        pieces = re.split(r"(?<=[/@;,_=&?-])", word) if columns(word) > width else [word]
        for i, piece in enumerate(pieces):
            # What has no mark to break behind is left to who prints it.
            blank = " " if lines[-1] and not i else ""
            if lines[-1] and columns(lines[-1]) + len(blank) + columns(piece) > width:
                lines.append(piece)
            else:
                lines[-1] += blank + piece
    return "\n".join(lines)
