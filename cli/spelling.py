"""Text to text in the characters that an encoding has."""

from __future__ import annotations

import re

# An arrow takes the blank after it, so that columns stay in line.
_ARROW = re.compile("\N{RIGHTWARDS ARROW} ?")
_LOOKS = {
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2500\u2501\u2550",
    "|": "\u2502\u2503\u251c\u2524\u2551",
    "+": "\u250c\u2510\u2514\u2518\u252c\u2534\u253c",
    ".": "\u256d\u256e\u00b7\u2022",
    "'": "\u256f\u2570\u2018\u2019\u201c\u201d",
    "o": "\u25cb",
    "*": "\u25cf",
    "x": "\u00d7",
    "~": "\u2026\u2248",
    " ": "\u00a0\u2009\u202f",
}
_SPELLED = {c: mark for mark, characters in _LOOKS.items() for c in characters}
_SPELLED |= {"\u00b1": "+-", "\u2265": ">=", "\u2264": "<=", "\u00b5": "u", "\u2705": "[ok]", "\u26a0": "[!]"}
_SPELLED |= {"\u274c": "[x]", "\ufe0f": ""}


def spelled(text: str, encoding: str) -> str:
    """Text with what an encoding has no character for in ASCII, most of it as wide as it was."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = _ARROW.sub(lambda match: "->" if _lacks(match[0][0], encoding) else match[0], text)
        return "".join(_ascii(c) if not c.isascii() and _lacks(c, encoding) else c for c in text)
    return text


def _lacks(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return True
    return False


def _ascii(character: str) -> str:
    """The letter of a character, or a mark that looks like it."""
    import unicodedata

    if character in _SPELLED:
        return _SPELLED[character]
    # Without its accents; what is only alike, such as a raised 2 or a wide bracket, would say something else.
    letters = "".join(c for c in unicodedata.normalize("NFD", character) if not unicodedata.combining(c))
    return letters if letters.isascii() and letters.isalnum() else "?"
