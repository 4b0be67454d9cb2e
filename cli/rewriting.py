"""A text and what it is to become: shown as a difference, or written in its place, whole or not at all."""

from __future__ import annotations

import os

from runplan.cli.outcome import CannotRun
from runplan.cli.show.text.plain import inert, plain


def difference(before: str, after: str, file: str, how: str) -> str:
    """What changes in a file, as a unified difference.

    Args:
        how: What has been done to it, such as `laid out`.
    """
    from difflib import unified_diff

    name = plain(file)
    lines = unified_diff(_lines(before), _lines(after), name, f"{name} ({how})", lineterm="")
    return inert("".join(f"{plain(text)}\n" for text in lines))


def _lines(text: str) -> list[str]:
    """The lines of a text, as Git shows them: how they end, and whether the last one does, is a difference, too."""
    lines = text.replace("\r", "^M").split("\n")
    return lines[:-1] if not lines[-1] else [*lines, "\\ No newline at end of file"]


def replace_file(file: str, text: str) -> None:
    """Write a file whole or not at all: what reads it meanwhile finds the one or the other.

    Raises:
        CannotRun: Where it cannot be written.
    """
    there = os.path.realpath(file)
    beside = f"{there}.{os.getpid()}.tmp"
    try:
        with open(beside, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        os.chmod(beside, os.stat(there).st_mode)
        os.replace(beside, there)
    except OSError as error:
        if os.path.exists(beside):
            os.unlink(beside)
        raise CannotRun(f"{file}: {error.strerror or 'cannot be written'}") from error
