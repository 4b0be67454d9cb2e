"""Text of a plan or a pack to text that is safe to print."""

from __future__ import annotations

from runplan.dsl.text.pattern import pattern

REPLACED = "\N{REPLACEMENT CHARACTER}"
# Control, format, lone surrogate, line and paragraph separator: what moves a cursor, reorders or hides text.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# `##[` begins a command of a runner wherever it stands; this looks like it.
_NO_COMMAND = "#\N{MUSIC SHARP SIGN}["
# Two of them are ordinary letters' company, in Persian, Indic scripts and emoji.
JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


def printable(character: str) -> str:
    """The character itself, or a stand-in where a terminal or a reader could be misled by it."""
    if character.isascii() and character.isprintable():
        return character
    import unicodedata  # most texts have no use for it

    unsafe = unicodedata.category(character) in _UNSAFE and character not in JOINERS
    return REPLACED if unsafe else character


def plain(text: str) -> str:
    """Text as one line that a hostile plan cannot steer a terminal or a runner of CI with."""
    text = text.replace("\t", " ").replace("##[", _NO_COMMAND)
    return text if text.isascii() and text.isprintable() else "".join(map(printable, text))


# What a runner of GitHub takes for a command where a line begins with it, whatever blanks stand before it.
_COMMAND = pattern(r"(?m)^([^\S\n]*):(?=:)")


def inert(text: str) -> str:
    """A report in which no line is a command to a runner of CI: text of a plan may come to stand at its beginning."""
    text = text.replace("##[", _NO_COMMAND)
    return _COMMAND.sub("\\1\N{MODIFIER LETTER COLON}", text) if "::" in text else text
