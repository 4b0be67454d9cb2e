"""What a verb shows to where it was asked for: standard output, or a file by `-o FORMAT=FILE`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from itertools import pairwise

from runplan.cli.outcome import CannotRun
from runplan.cli.show.formats import Kind, rendered
from runplan.cli.show.text.look import Look

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


def split(option: str) -> tuple[str, str | None]:
    """The format and, after `=`, the file of an `-o` option."""
    name, _, file = option.partition("=")
    return name, file or None


def show(kind: Kind, shown: object, outputs: Sequence[tuple[str, str | None]], *, details: bool = False) -> None:
    """Write what is shown in each format, to the file that goes with it or to standard output.

    Args:
        details: Whether all that there is to say is wanted, or what a screen has room for.

    Raises:
        CannotRun: Where a file cannot be written.
    """
    for name, file in outputs:
        write(rendered(kind, name, shown, Look(_width(file), _color(file), details)), file)


def tell_json(argv: Sequence[str], code: int, message: str) -> None:
    """Where standard output was to be JSON, say there why there is no result: it is one valid document, always."""
    asked = [word.removeprefix("--output=").removeprefix("-o") for word in argv if word.startswith(("-o", "--output="))]
    asked += [after for option, after in pairwise(argv) if option in ("-o", "--output")]
    if "json" in asked:
        import json

        document = {"schema": "plan.error/v1", "error": {"exit": code, "message": message}}
        sys.stdout.write(json.dumps(document, ensure_ascii=True, indent=2) + "\n")


def write(text: str, file: str | None) -> None:
    """Write a text that ends with its line; on standard output, in the characters that its encoding has.

    Raises:
        CannotRun: Where the file cannot be written.
    """
    if file is None:
        sys.stdout.write(spelled(text, sys.stdout.encoding or "utf-8"))
        return
    try:
        with open(file, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise CannotRun(f"{file}: {error.strerror or 'cannot be written'}") from error


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


def _color(file: str | None) -> bool:
    """Whether to colour, by NO_COLOR, FORCE_COLOR and who is looking."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return file is None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _width(file: str | None) -> int:
    """Columns of the terminal; 80 where there is none, 100 in a file."""
    if file is not None:
        return 100
    import shutil

    return shutil.get_terminal_size((80, 24)).columns
